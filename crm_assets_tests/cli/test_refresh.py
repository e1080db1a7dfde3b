"""``crm_download refresh``, as cron runs it: what is due is fetched once, whoever else is at work. One browser at the sandbox."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from crm_assets.model import AccountState, business_day, system_clock
from crm_assets.sandbox import SandboxOptions
from crm_assets.settings import load_settings
from crm_assets.warehouse import sessions
from crm_assets_tests.fixtures.command import CommandLine, Ran, new_command_line, read_until
from crm_assets_tests.fixtures.sandbox import days
from crm_assets_tests.warehouse.attempts import loaded
from crm_assets_tests.warehouse.samples import held

TODAY = business_day(system_clock)
NOBODY_ELSE = ("refresh", "--crm", "td", "--store", "a668", "--json")


@pytest.fixture(scope="module")
def opened_today(
    postgres_url: str, dagster_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CommandLine]:
    """Stores that opened today lack no day and have nothing to settle: a refresh is all that is due."""
    home, options = tmp_path_factory.mktemp("opened"), SandboxOptions(first_day=TODAY)
    with new_command_line(postgres_url, dagster_template, home, options) as command:
        yield command


@pytest.fixture(scope="module")
def first(opened_today: CommandLine) -> Ran:
    return opened_today(*NOBODY_ELSE)


def ledger(command: CommandLine) -> list[dict[str, Any]]:
    with psycopg.connect(command.url, row_factory=dict_row) as conn:
        return conn.execute("SELECT * FROM download_ledger ORDER BY ledger_id").fetchall()


def test_what_is_due_is_fetched_and_the_ledger_says_what_for(opened_today: CommandLine, first: Ran) -> None:
    assert first.code == 0, first
    result = first.objects["td/a668"]
    assert (result["ok"], result["files"], result["from"], result["to"]) == (True, 1, str(TODAY), str(TODAY))
    assert opened_today.loaded("td/a668") == opened_today.sold("td/a668", days(TODAY))
    (row,) = ledger(opened_today)
    assert (row["purpose"], row["store"], row["run_id"]) == ("refresh", "a668", result["run_id"])
    assert opened_today.sandbox.log.exports == {"td/a668": 1}


def test_twice_in_a_row_fetches_once_and_says_of_whom_a_person_is_awaited(
    opened_today: CommandLine, first: Ran
) -> None:
    assert first.code == 0
    store = load_settings(opened_today.environ).store("td", "a817")
    with psycopg.connect(opened_today.url, autocommit=True) as conn:
        told: dict[str, Any] = {"reason": "td/a817: an OTP is asked for"}
        sessions.record_state(conn, store, AccountState.NEEDS_PERSON, system_clock(), **told)
    ran = opened_today("refresh", "--crm", "td", "--json")
    with psycopg.connect(opened_today.url, autocommit=True) as conn:
        conn.execute("DELETE FROM store_session WHERE store = 'a817'")
    assert (ran.code, ran.out) == (3, ""), ran
    assert "td/a817" in ran.err
    assert "an OTP is asked for" in ran.err
    assert "td/a668" not in ran.err
    assert opened_today.sandbox.log.exports == {"td/a668": 1}


def test_what_another_run_fetches_while_it_waits_is_good_without_a_download(
    opened_today: CommandLine, first: Ran
) -> None:
    """Cron and the daemon want the same at the same moment; the daemon was quicker."""
    assert first.code == 0
    store = load_settings(opened_today.environ).store("td", "a817")
    with opened_today.started("refresh", "--crm", "td", "--store", "a817", "--json") as process:
        with held(opened_today.url, store, seconds=10, holder="run of the daemon"):
            said = read_until(process.stderr, "[waiting]")
            with psycopg.connect(opened_today.url, autocommit=True) as conn:
                loaded(conn, days(TODAY), system_clock(), store=store, run_id="the daemon's")
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, said + err
    result = json.loads(out)
    assert (result["store"], result["ok"], result["files"], result["error_message"]) == ("td/a817", True, 0, None)
    assert "[td/a817] [not needed] [another run has fetched" in err
    assert opened_today.sandbox.log.exports == {"td/a668": 1}


def test_a_crm_that_is_none_is_wrong_usage(opened_today: CommandLine) -> None:
    ran = opened_today("refresh", "--crm", "none", "--upkeep")
    assert (ran.code, ran.out) == (2, ""), ran
    assert "unknown CRM 'none': expected one of td, uc" in ran.said
