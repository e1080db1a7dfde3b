"""Whether a store's data is as fresh as its slots promise: by the clock, a grace, and what the ledger says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_assets.errors import DataLate, LoginRejected, NeedsPerson, OverdueOrders, PortalUnavailable
from crm_assets.model import AccountState
from crm_assets.pipeline.health import StoreHealth, health
from crm_assets.warehouse import sessions
from crm_assets.warehouse.connection import Connection
from crm_assets_tests.pipeline.town import Town, ist
from crm_assets_tests.warehouse.attempts import DAY, HOUR, failed, loaded, slices
from crm_assets_tests.warehouse.samples import nov, window

MORNING = ist("2025-11-24 10:30")


@pytest.fixture
def town(warehouse: str, tmp_path: Path) -> Town:
    town = Town(url=warehouse, folder=tmp_path)
    town.build()
    return town


@pytest.fixture
def conn(town: Town) -> Iterator[Connection]:
    with town.connected() as connection:
        slices(connection, town.store(), [nov(day) for day in range(1, 24)])
        connection.execute("UPDATE download_ledger SET started_at = '2025-11-01', finished_at = '2025-11-01'")
        yield connection


def seen(town: Town, conn: Connection, now: str) -> StoreHealth:
    (one,) = health(conn, town.settings, ist(now))
    return one


def test_a_store_is_late_an_hour_after_a_slot_that_was_not_served(town: Town, conn: Connection) -> None:
    loaded(conn, window(22, 23), ist("2025-11-23 21:30"), store=town.store())
    before, after = seen(town, conn, "2025-11-24 11:29"), seen(town, conn, "2025-11-24 11:30")
    assert (before.is_late, before.state, before.sentence) == (False, "good", None)
    assert (after.is_late, after.state, after.due_at, after.next_at) == (
        True,
        "late",
        MORNING,
        ist("2025-11-24 14:30"),
    )
    assert after.sentence == (
        "td/a000: expected a refresh of order_report at 2025-11-24 10:30, but the last good one is of 2025-11-23 21:30. "
        "no attempt was made since: see that script/server, or cron, is running"
    )
    loaded(conn, window(23, 24), MORNING, store=town.store())
    assert seen(town, conn, "2025-11-24 15:29").state == "good"


def test_a_late_store_says_what_its_last_attempt_said(town: Town, conn: Connection) -> None:
    failed(conn, window(23, 24), MORNING, PortalUnavailable("td/a000: it is down"), store=town.store())
    late = seen(town, conn, "2025-11-24 12:00")
    assert (late.sentence or "").endswith("10:30, but there was none so far. it is down")
    assert late.code == "DataLate"


def test_what_stands_in_the_way_is_told_with_its_next_step_and_nothing_where_all_is_well(
    town: Town, conn: Connection
) -> None:
    store, noon = town.store(), "2025-11-24 12:00"
    late = seen(town, conn, noon)
    assert late.told == (late.sentence, f"Next: {DataLate.next_step}")
    failed(conn, window(23, 24), MORNING, PortalUnavailable("td/a000: it is down"), store=store)
    assert seen(town, conn, noon).told[1:] == (f"Next: {PortalUnavailable.next_step}",)
    loaded(conn, window(23, 24), MORNING + HOUR, store=store)
    assert seen(town, conn, noon).told == ()
    sessions.record_state(conn, store, AccountState.NEEDS_PERSON, MORNING + HOUR, reason="an OTP is asked for")
    assert seen(town, conn, noon).told == (
        "td/a000: needs a person",
        f"Next: {NeedsPerson.next_step}",
        f"Run: {store.bootstrap_command}",
    )


def test_the_evening_that_the_night_made_up_for_is_served(town: Town, conn: Connection) -> None:
    """Nobody came at 21:30; at half past two the last weeks are fetched, with all of that day."""
    loaded(conn, window(22, 23), ist("2025-11-23 18:30"), store=town.store())
    assert seen(town, conn, "2025-11-24 01:00").is_late
    loaded(conn, window(1, 23), ist("2025-11-24 02:30"), store=town.store())
    assert seen(town, conn, "2025-11-24 11:29").state == "good"
    assert seen(town, conn, "2025-11-24 11:30").state == "late"


def test_the_gravest_state_is_told(town: Town, conn: Connection) -> None:
    store, now = town.store(), "2025-11-24 12:00"
    loaded(conn, window(23, 24), MORNING, store=store)
    assert seen(town, conn, now).state == "good"
    conn.execute("UPDATE staging_slice SET final_at = NULL WHERE business_day = '2025-11-20'")
    assert (seen(town, conn, now).state, seen(town, conn, now).fresh.missing_days) == ("days missing", 1)
    failed(conn, window(23, 24), MORNING + HOUR, OverdueOrders("a list"), store=store)
    assert seen(town, conn, now).state == "skipped"
    failed(conn, window(23, 24), MORNING + HOUR, LoginRejected("no"), store=store)
    sessions.record_state(conn, store, AccountState.NEEDS_PERSON, MORNING + HOUR, reason="no")
    assert seen(town, conn, now).state == "needs a person"


def test_a_store_that_opened_after_the_slot_is_not_late(town: Town, conn: Connection) -> None:
    town.build({"a000": {"first_day": "2025-11-24"}})
    assert seen(town, conn, "2025-11-24 10:00").due_at is None
    assert seen(town, conn, "2025-11-24 10:00").state == "good"
    assert seen(town, conn, "2025-11-24 11:30").state == "late"
    town.build({"a000": {"first_day": str(MORNING.date() + DAY)}}, slots=[])
    assert (seen(town, conn, "2025-11-24 11:30").state, seen(town, conn, "2025-11-24 11:30").next_at) == ("good", None)
