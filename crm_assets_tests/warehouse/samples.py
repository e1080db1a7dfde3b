"""Invented stores, exports and rows, in as few words as the tests need."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from crm_assets.model import Claims, Download, Report, Store, Window
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets.warehouse import facts, ledger, staging
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.facts import Counts
from crm_assets.warehouse.sessions import account_lock

TD = Store(crm="td", code="a668", name="Uttam Nagar", first_day=date(2025, 11, 1))
UC = Store(crm="uc", code="sector56", name="Sector 56", first_day=date(2025, 11, 1))
REPORTS = {"td": ORDER_REPORT, "uc": GST_REPORT}
NOW = datetime(2025, 11, 24, 6, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=4)


@contextmanager
def held(url: str, store: Store, *, seconds: float = 1, holder: str = "a test") -> Iterator[None]:
    """The account's lock, for a block without an event loop of its own."""
    with asyncio.Runner() as runner:
        lock = account_lock(url, store, timeout=seconds, holder=holder)
        runner.run(lock.__aenter__())
        try:
            yield
        finally:
            runner.run(lock.__aexit__(None, None, None))


def nov(day: int) -> date:
    return date(2025, 11, day)


def window(first: int, last: int | None = None) -> Window:
    """Days of November 2025."""
    return Window(first=nov(first), last=nov(last or first))


def opened(conn: Connection, days: Window, *, store: Store = TD, run_id: str = "run-1", keep_file: bool = False) -> int:
    return ledger.open_attempt(
        conn, run_id=run_id, store=store, report=REPORTS[store.crm], window=days, keep_file=keep_file, now=NOW
    )


def a_download(
    days: Window,
    *,
    store: Store = TD,
    claims: Claims = Claims(),
    file: str = "/downloads/a.xlsx",
    requested_at: datetime = NOW,
) -> Download:
    return Download(
        store=store,
        window=days,
        file=Path(file),
        bytes=4096,
        md5="0123456789abcdef" * 2,
        strategy="request_list",
        requested_at=requested_at,
        suggested_name="1170-abc.xlsx",
        claims=claims,
        signed_in_again=True,
        blocked_requests=3,
        seconds=12.5,
    )


def fetched(conn: Connection, days: Window, **kwargs: Any) -> int:
    """The ledger id of a landed file of these days; one with a later ``requested_at`` is newer, whatever its id."""
    described = {name: kwargs.pop(name) for name in ("file", "requested_at", "claims") if name in kwargs}
    ledger_id = opened(conn, days, **kwargs)
    ledger.record_download(conn, ledger_id, a_download(days, store=kwargs.get("store", TD), **described), NOW)
    return ledger_id


def order(number: str, day: int, **values: Any) -> dict[str, Any]:
    """A typed TumbleDry order, booked at noon in Kolkata."""
    blank = dict.fromkeys(column.name for column in ORDER_REPORT.fact_columns)
    booked = datetime(2025, 11, day, 6, 30, tzinfo=UTC)
    return blank | {"business_day": nov(day), "ordered_at": booked, "order_number": number} | values


def invoice(number: str, day: int, **values: Any) -> dict[str, Any]:
    """A typed UClean invoice."""
    blank = dict.fromkeys(column.name for column in GST_REPORT.fact_columns)
    fixed = {
        "business_day": nov(day),
        "invoiced_on": nov(day),
        "invoice_number": number,
        "booking_id": f"UC567-{number}",
    }
    return blank | fixed | values


def typed(*rows: dict[str, Any], report: Report = ORDER_REPORT) -> pd.DataFrame:
    columns = ["business_day", *(column.name for column in report.fact_columns), "warnings"]
    return pd.DataFrame([{"warnings": None} | row for row in rows], columns=pd.Index(columns), dtype=object)


def load(conn: Connection, *rows: dict[str, Any], days: Window, store: Store = TD, **kwargs: Any) -> Counts:
    """Upsert these rows as one new export of these days, asked for at ``requested_at``, or of ``ledger_id``."""
    report = kwargs.pop("report", REPORTS[store.crm])
    requested_at = kwargs.pop("requested_at", NOW)
    ledger_id = kwargs.pop("ledger_id", None) or fetched(conn, days, store=store, requested_at=requested_at)
    return facts.upsert(
        conn,
        report,
        store=store.code,
        days=list(days.days()),
        ledger_id=ledger_id,
        rows=typed(*rows, report=report),
        now=kwargs.pop("now", NOW),
        **kwargs,
    )


def written(number: str, day: int, row_number: int = 2, extra: dict[str, str] | None = None) -> dict[str, Any]:
    """A TumbleDry order as staged text."""
    blank = dict.fromkeys(column.name for column in ORDER_REPORT.columns)
    booked = f"{day:02} Nov 2025 12:00:00 PM"
    place = {"business_day": nov(day), "row_number": row_number, "_extra": extra}
    return blank | place | {"order_number": number, "ordered_at": booked, "preference": "NA"}


def staged(
    conn: Connection,
    *rows: dict[str, Any],
    days: Window,
    ledger_id: int | None = None,
    requested_at: datetime = NOW,
) -> int:
    """Replace the staged slices of these days by the rows, save where a newer export stands; returns the ledger id."""
    ledger_id = ledger_id or fetched(conn, days, requested_at=requested_at)
    columns = ["business_day", "row_number", *(column.name for column in ORDER_REPORT.columns), "_extra"]
    frame = pd.DataFrame(list(rows), columns=pd.Index(columns), dtype=object)
    staging.replace_slices(
        conn, ORDER_REPORT, store=TD.code, ledger_id=ledger_id, days=list(days.days()), rows=frame, now=NOW
    )
    return ledger_id
