"""How fresh each store's data is, in figures small enough to count by hand."""

from collections.abc import Iterator
from datetime import date

import pytest

from crm_assets.errors import OverdueOrders, PortalUnavailable
from crm_assets.model import AccountState, Store
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.warehouse import sessions
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.freshness import Freshness, freshness
from crm_assets.warehouse.progress import holes
from crm_assets_tests.warehouse.attempts import DAY, HOUR, begun, emptied, failed, loaded, slices
from crm_assets_tests.warehouse.samples import NOW, TD, UC, fetched, nov, window

NEVER = Store(crm="td", code="a817", name="Kirti Nagar", first_day=nov(20))


@pytest.fixture
def conn(url: str) -> Iterator[Connection]:
    with emptied(url) as conn:
        yield conn


def fresh(conn: Connection, *stores: Store, due: date | None = nov(24)) -> list[Freshness]:
    """On the 24th at half past eleven: yesterday should be there."""
    stores = stores or (TD,)
    return freshness(conn, ORDER_REPORT, stores, nov(23), [due] * len(stores), NOW)


def test_a_store_that_was_never_asked_for_misses_every_day(conn: Connection) -> None:
    nothing = {"refreshed_at": None, "open_rejects": 0, "error_code": None, "error_message": None, "state": None}
    opens = Store(crm="td", code="a999", name="Opens tomorrow", first_day=nov(25))
    assert fresh(conn, TD, NEVER, opens) == [
        Freshness(missing_days=23, **nothing),
        Freshness(missing_days=4, **nothing),
        Freshness(missing_days=0, **nothing),
    ]


@pytest.mark.parametrize(
    ("last_day", "hours", "counts"),
    [(24, 0, True), (24, -3, True), (23, 0, False), (25, 14, False)],
    ids=["up to its own day", "earlier on that day", "of yesterday alone", "of the future"],
)
def test_a_refresh_is_a_loaded_export_up_to_its_own_day(
    conn: Connection, last_day: int, hours: int, counts: bool
) -> None:
    loaded(conn, window(20, last_day), NOW + hours * HOUR)
    [one] = fresh(conn)
    assert one.refreshed_at == (NOW + hours * HOUR if counts else None)


def test_an_export_of_the_night_serves_the_evening_that_was_due(conn: Connection) -> None:
    """What was due on the 23rd is there when an export of the 24th holds all of it."""
    loaded(conn, window(20, 23), NOW)
    assert fresh(conn, due=nov(23))[0].refreshed_at == NOW
    assert fresh(conn, due=None)[0].refreshed_at is None


def test_a_day_that_was_staged_a_moment_ago_is_being_loaded(conn: Connection) -> None:
    slices(conn, TD, [nov(day) for day in range(1, 22)], [nov(22), nov(23)])
    conn.execute("UPDATE staging_slice SET staged_at = %s WHERE business_day = %s", [NOW - HOUR / 5, nov(23)])
    assert fresh(conn)[0].missing_days == 1
    assert [(one.first, one.last) for one in holes(conn, ORDER_REPORT, [TD], nov(23), NOW)] == [(nov(22), nov(22))]


def test_the_newest_refresh_counts_and_the_newest_attempt_is_told(conn: Connection) -> None:
    loaded(conn, window(22, 23), NOW - DAY)
    loaded(conn, window(23, 24), NOW - 3 * HOUR, rows=0)
    fetched(conn, window(23, 24))
    failed(conn, window(23, 24), NOW - 2 * HOUR, PortalUnavailable("it is down"))
    failed(conn, window(23, 24), NOW - 4 * HOUR, OverdueOrders("a list"))
    loaded(conn, window(23, 24), NOW, store=UC)
    begun(conn, window(23, 24), NOW)
    [one] = fresh(conn)
    assert (one.refreshed_at, one.error_code) == (NOW - 3 * HOUR, None), "the file that lies there is the newest"
    conn.execute("DELETE FROM download_ledger WHERE status = 'downloaded'")
    [one] = fresh(conn)
    assert (one.error_code, one.error_message) == ("PortalUnavailable", "it is down")


def test_missing_days_open_rejects_and_accounts_are_each_stores_own(conn: Connection) -> None:
    slices(conn, TD, [nov(day) for day in range(1, 21)], [nov(21)])
    slices(conn, Store(crm="uc", code="a817", name="a namesake", first_day=nov(1)), [nov(22)])
    slices(conn, NEVER, [nov(day) for day in (19, 20, 22, 24)])
    for row, (store, status) in enumerate([("a668", "open"), ("a668", "open"), ("a668", "waived"), ("a817", "open")]):
        conn.execute(
            """
            INSERT INTO rejected_rows (crm, store, report, business_day, ledger_id, row_number, raw, problems, status,
                created_at, closed_at)
            SELECT 'td', %s, 'order_report', '2025-11-20', min(ledger_id), %s, '{}', '[{}]', %s, now(),
                CASE WHEN %s <> 'open' THEN now() END
            FROM download_ledger
            """,
            [store, row, status, status],
        )
    sessions.record_state(conn, NEVER, AccountState.NEEDS_PERSON, NOW, reason="an OTP is asked for")
    found = fresh(conn, NEVER, TD)
    assert [(one.missing_days, one.open_rejects, one.state) for one in found] == [(2, 1, "needs_person"), (3, 2, None)]
