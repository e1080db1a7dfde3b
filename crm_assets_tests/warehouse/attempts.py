"""Attempts written into the ledger by hand, each at its own time, as runs of any purpose would have written them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from crm_assets.errors import CrmError, OverdueOrders
from crm_assets.model import Purpose, Store, Window
from crm_assets.warehouse import ledger
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.progress import Want
from crm_assets_tests.warehouse.samples import NOW, REPORTS, TD, a_download, fetched, window

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@contextmanager
def emptied(url: str) -> Iterator[Connection]:
    """A connection to a database in which nothing has happened yet, whatever a test before did there."""
    with connect(url) as conn:
        conn.execute("TRUNCATE download_ledger, store_session CASCADE")
        yield conn


def begun(conn: Connection, days: Window, when: datetime, **told: Any) -> int:
    """An attempt that began then: ``purpose``, ``run_id`` and ``store`` as the test has it."""
    store = told.pop("store", TD)
    described: dict[str, Any] = {"run_id": "run-1", "purpose": Purpose.REFRESH} | told
    report = REPORTS[store.crm]
    return ledger.open_attempt(conn, store=store, report=report, window=days, keep_file=False, now=when, **described)


def landed(conn: Connection, days: Window, when: datetime, **told: Any) -> int:
    """An attempt whose file lies there a minute later."""
    ledger_id = begun(conn, days, when, **told)
    download = a_download(days, store=told.get("store", TD), requested_at=when)
    ledger.record_download(conn, ledger_id, download, when + MINUTE)
    return ledger_id


def loaded(conn: Connection, days: Window, when: datetime, *, rows: int = 1, **told: Any) -> int:
    """A good attempt."""
    ledger_id = landed(conn, days, when, **told)
    ledger.record_staged(conn, ledger_id, content_md5="a" * 32, row_count=rows)
    ledger.record_ingested(conn, ledger_id, when + MINUTE)
    return ledger_id


def failed(conn: Connection, days: Window, when: datetime, error: CrmError, **told: Any) -> int:
    """An attempt that failed, or was skipped, after a minute."""
    ledger_id = begun(conn, days, when, **told)
    status: Any = "skipped" if isinstance(error, OverdueOrders) else "failed"
    ledger.record_failure(conn, ledger_id, status=status, error=error, now=when + MINUTE)
    return ledger_id


def want(days: Window, since: datetime = NOW, *, store: Store = TD, purpose: Purpose = Purpose.REFRESH) -> Want:
    return Want(store=store, report=REPORTS[store.crm], window=days, purpose=purpose, since=since)


def slices(conn: Connection, store: Store, final: Sequence[date], not_final: Sequence[date] = ()) -> None:
    """Staged days of a store, the second of which were fetched while they lasted."""
    ledger_id = fetched(conn, window(1), store=store)
    for days, final_at in ((final, NOW), (not_final, None)):
        conn.execute(
            """
            INSERT INTO staging_slice (crm, report, store, business_day, ledger_id, row_count, staged_at, final_at)
            SELECT %s, %s, %s, business_day, %s, 0, %s, %s FROM unnest(%s::date[]) AS days (business_day)
            """,
            [store.crm, REPORTS[store.crm].name, store.code, ledger_id, NOW - DAY, final_at, list(days)],
        )
