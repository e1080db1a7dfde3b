"""``crm_download status``: each store's state in a table and as objects, and the exit code that says whether one is late."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from crm_assets.errors import OverdueOrders
from crm_assets.model import AccountState, Store, business_day, system_clock
from crm_assets.sandbox import SandboxOptions
from crm_assets.settings import load_settings
from crm_assets.warehouse import sessions
from crm_assets.warehouse.connection import Connection
from crm_assets_tests.fixtures.command import CommandLine, new_command_line
from crm_assets_tests.fixtures.sandbox import ALL_STORES, days
from crm_assets_tests.warehouse.attempts import MINUTE, failed, loaded, slices

TODAY = business_day(system_clock)
FIRST_DAY = TODAY - timedelta(days=3)
BEFORE_TODAY = [FIRST_DAY + timedelta(days=ahead) for ahead in range(3)]


@pytest.fixture(scope="module")
def command(
    postgres_url: str, dagster_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CommandLine]:
    home, options = tmp_path_factory.mktemp("status"), SandboxOptions(first_day=FIRST_DAY)
    with new_command_line(postgres_url, dagster_template, home, options) as command:
        with psycopg.connect(command.url, autocommit=True) as conn:
            troubled(conn, [load_settings(command.environ).store(*name.split("/")) for name in ALL_STORES])
        yield command


def troubled(conn: Connection, stores: list[Store]) -> None:
    """The first is as it should be, the second's account waits for a person, the third's people must act, the fourth is late."""
    good, waiting, skipped, late = stores
    now = system_clock()
    for store in (good, waiting, skipped):
        slices(conn, store, BEFORE_TODAY)
        loaded(conn, days(TODAY - timedelta(days=1), TODAY), now - MINUTE, store=store)
    sessions.record_state(conn, waiting, AccountState.NEEDS_PERSON, now, reason="an OTP is asked for")
    failed(conn, days(TODAY), now, OverdueOrders("a list of overdue orders"), store=skipped)
    loaded(conn, days(FIRST_DAY), now - timedelta(days=3), store=late)


def test_one_late_store_is_told_by_the_exit_code_and_every_store_by_an_object(command: CommandLine) -> None:
    ran = command("status", "--json")
    assert ran.code == 1, ran
    found = ran.objects
    assert {name: (one["state"], one["late"]) for name, one in found.items()} == {
        "td/a668": ("good", False),
        "td/a817": ("needs a person", False),
        "uc/sector56": ("skipped", False),
        "uc/sushantlok1": ("late", True),
    }
    good, late = found["td/a668"], found["uc/sushantlok1"]
    assert good.keys() == {
        *("store", "report", "state", "late", "last_good_refresh", "age_seconds", "missing_days", "open_rejects"),
        *("due_since", "next_slot", "error_code", "error_message", "next_step", "command"),
    }
    assert (good["report"], good["missing_days"], good["open_rejects"], good["error_code"]) == (
        "order_report",
        0,
        0,
        None,
    )
    assert good["last_good_refresh"].endswith("+05:30")
    assert 60 <= good["age_seconds"] < 300
    assert good["due_since"] < good["last_good_refresh"] < good["next_slot"]
    assert late["missing_days"] in (2, 3), "yesterday is missing from an hour after the first slot on"
    assert found["uc/sector56"]["error_code"] == "OverdueOrders"


def test_a_crm_without_a_late_store_ends_well_and_a_person_sees_a_table(command: CommandLine) -> None:
    ran = command("status", "--crm", "td")
    assert ran.code == 0, ran
    rows = [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in ran.out.splitlines()
        if line.startswith("│ td/")
    ]
    assert [row[:3] for row in rows] == [
        ["td/a668", "order_report", "good"],
        ["td/a817", "order_report", "needs a person"],
    ]
    assert "uc/" not in ran.out


def test_a_late_store_is_named_with_what_to_do_below_the_table(command: CommandLine) -> None:
    ran = command("status", "--crm", "uc")
    assert ran.code == 1, ran
    assert "skipped" in ran.out
    assert "uc/sushantlok1: expected a refresh of gst_report at" in ran.said
    assert "see that script/server, or cron, is running" in ran.said
