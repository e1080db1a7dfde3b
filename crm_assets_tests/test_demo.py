"""The demo, in a checkout of its own: from nothing to a table of sales and the UI; again without harm; one at a time."""

import json
import re
import signal
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from crm_assets_tests.fixtures.command import Checkout, Ran, new_checkout, reachable, read_until
from crm_assets_tests.fixtures.sandbox import ALL_STORES

HOSTILE = {
    "CRM_DATABASE_URL": "postgresql://crm@127.0.0.1:1/production",
    "CRM_TD_A668_PASSWORD": "another",
    "DAGSTER_HOME": "/nowhere/at/all",
}
"""What a developer's shell may hold; a demo must not touch it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A demo that was started, looked at, and ended by SIGTERM."""

    told: str
    urls: dict[str, str]
    server: dict[str, str]
    stores: Ran
    second_demo: Ran
    code: int
    started: list[psutil.Process]
    left: list[psutil.Process]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return new_checkout(Path(tmp_path_factory.mktemp("demo")))


@pytest.fixture(scope="module")
def served(checkout: Checkout) -> Served:
    with checkout.started("demo", **HOSTILE) as process:
        told = read_until(process.stdout, "Dagster UI:")
        urls = dict(re.findall(r"^(Dagster UI|Sandbox portals).*?: (http://\S+)", told, re.MULTILINE))
        (env_file,) = re.findall(r"CRM_ENV_FILE=(\S+)", told)
        with urllib.request.urlopen(f"{urls['Dagster UI']}/server_info", timeout=20) as answer:
            server = json.load(answer)
        stores = checkout("stores", CRM_ENV_FILE=env_file)
        second_demo = checkout("demo", "--once")
        started = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
    return Served(
        told=told,
        urls=urls,
        server=server,
        stores=stores,
        second_demo=second_demo,
        code=code,
        started=started,
        left=psutil.wait_procs(started, timeout=30)[1],
    )


@pytest.fixture(scope="module")
def again(checkout: Checkout, served: Served) -> Ran:
    """The demo a second time, where the first one has left its database."""
    assert served.code == 0
    return checkout("demo", "--once", **HOSTILE)


def rows_of(told: str) -> list[list[str]]:
    """The cells of a table."""
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in told.splitlines() if line[:1] == "│"]


def results_and_sales(told: str) -> tuple[dict[tuple[str, str], list[str]], dict[str, list[str]]]:
    """What came of each store's reports, and what each store sold."""
    results, sales = map(rows_of, told.split("Sales of", 1))
    return {(store, report): cells for store, report, *cells in results}, {store: cells for store, *cells in sales}


def test_it_loads_every_store_and_shows_what_each_sold_in_fourteen_days(served: Served) -> None:
    results, sales = results_and_sales(served.told)
    assert set(sales) == set(ALL_STORES)
    assert set(results) == {
        *((store, "order_report") for store in ALL_STORES[:2]),
        *((store, "sales_and_delivery") for store in ALL_STORES[:2]),
        *((store, "gst_report") for store in ALL_STORES[2:]),
    }
    for store, (_, new, changed, unchanged, rejected, result) in results.items():
        assert int(new) > 10, store
        assert (changed, unchanged, rejected, result) == ("0", "0", "0", "good")
    for store, (_, fetched_days, orders, amount) in sales.items():
        assert 7 <= int(fetched_days) <= 14, store
        assert int(orders) > 10, store
        assert re.fullmatch(r"[\d,]+\.\d\d", amount)


def test_it_serves_the_ui_and_its_installation_to_other_terminals(served: Served) -> None:
    assert "dagster_webserver_version" in served.server
    assert [row[-2:] for row in rows_of(served.stores.out)] == [["set", "saved"]] * 6


def test_a_second_one_in_the_same_checkout_is_refused(served: Served) -> None:
    assert served.second_demo.code == 4
    assert "is in use: another demo or sandbox runs in this checkout. End it first" in served.second_demo.said
    assert served.second_demo.out == ""


def test_it_ends_with_everything_it_started(served: Served) -> None:
    assert served.code == 0
    assert len(served.started) >= 3
    assert served.left == []
    assert [url for url in served.urls.values() if reachable(url)] == []


def test_the_second_time_nothing_changes_but_what_today_brings(served: Served, again: Ran) -> None:
    assert again.code == 0, again
    before, (after, _) = results_and_sales(served.told)[0], results_and_sales(again.out)
    for store, (_, new, changed, unchanged, rejected, result) in after.items():
        assert int(new) + int(changed) <= 4, store
        assert int(changed) + int(unchanged) == int(before[store][1])
        assert (rejected, result) == ("0", "good")
    assert "Traceback" not in again.said
