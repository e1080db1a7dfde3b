"""Attempts that ended well or badly, as the ledger has them: so many hours after ``NOW``."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from crm_assets.errors import CrmError, NeedsPerson, PersonAwaited, StoreSkipped
from crm_assets.model import AccountState, Purpose, Store, Window
from crm_assets.warehouse import ledger, sessions
from crm_assets.warehouse.connection import Connection, connect
from crm_assets_tests.warehouse.samples import NOW, REPORTS, TD, a_download, window

TODAY = window(23, 24)


def at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


@contextmanager
def emptied(url: str) -> Iterator[Connection]:
    """A connection to a database in which nothing has been tried yet; a tenth of the time that a new database takes."""
    with connect(url) as conn:
        for table in (b"alert", b"rejected_rows", b"staging_slice", b"store_session", b"download_ledger"):
            conn.execute(b"DELETE FROM " + table)
        yield conn


def begun(
    conn: Connection,
    hours: float,
    *,
    store: Store = TD,
    days: Window = TODAY,
    purpose: Purpose = Purpose.REFRESH,
) -> int:
    """An attempt that is running."""
    described = {"store": store, "report": REPORTS[store.crm], "window": days}
    return ledger.open_attempt(
        conn, run_id=f"run at {hours}", keep_file=False, now=at(hours), purpose=purpose, **described
    )


def failed(
    conn: Connection,
    error: CrmError,
    hours: float = 0,
    *,
    store: Store = TD,
    days: Window = TODAY,
    purpose: Purpose = Purpose.REFRESH,
) -> int:
    """An attempt that ended with this error, a quarter of an hour after it began."""
    ledger_id = begun(conn, hours - 0.25, store=store, days=days, purpose=purpose)
    not_asked = isinstance(error, (StoreSkipped, PersonAwaited))
    ledger.record_failure(conn, ledger_id, status="skipped" if not_asked else "failed", error=error, now=at(hours))
    return ledger_id


def good(
    conn: Connection,
    hours: float,
    *,
    store: Store = TD,
    days: Window = TODAY,
    purpose: Purpose = Purpose.REFRESH,
) -> int:
    """An attempt whose rows are facts, a quarter of an hour after it began."""
    ledger_id = begun(conn, hours - 0.25, store=store, days=days, purpose=purpose)
    ledger.record_download(conn, ledger_id, a_download(days, store=store, requested_at=at(hours)), at(hours))
    ledger.record_staged(conn, ledger_id, content_md5="a" * 32, row_count=8)
    ledger.record_ingested(conn, ledger_id, at(hours))
    return ledger_id


def person_needed(conn: Connection, error: NeedsPerson, hours: float = 0, *, store: Store = TD) -> None:
    """An attempt that found out that the account needs a person, and the account's state after it."""
    sessions.record_state(conn, store, AccountState.NEEDS_PERSON, at(hours), reason=str(error), error_code=error.code)
    failed(conn, error, hours, store=store)
