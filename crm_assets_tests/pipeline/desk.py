"""A desk with a warehouse and workbooks on it: exports are landed, proven, staged and loaded by hand, without a Dagster run.

Each export's time is an argument: ``at(3)`` is three hours after the first. Everything is written by the product's own functions.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from crm_assets import landing
from crm_assets.model import Claims, Download, Report, Store, Window
from crm_assets.pipeline import books
from crm_assets.pipeline.books import Guard, Staged
from crm_assets.pipeline.examine import prove, typed_export
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.sandbox import layouts
from crm_assets.sandbox.layouts import Row
from crm_assets.sandbox.workbooks import workbook
from crm_assets.settings import Settings, load_settings
from crm_assets.warehouse import ledger, staging
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.facts import Counts
from crm_assets.warehouse.landed import LandedFile

FIRST = datetime(2025, 11, 24, 6, 0, tzinfo=UTC)
STORES = """\
crms:
  td:
    title: TumbleDry
    portal: crm_assets.portals.tumbledry
    site: {subs: "http://127.0.0.1:1", reports: "http://127.0.0.1:1"}
    stores:
      a668: {name: "Uttam Nagar", first_day: 2025-11-01}
"""
ALL = Guard(rejected_share=0.5, lost_share=1.0)
"""A guard that lets every loss pass."""

BUSINESS = ", ".join(column.name for column in ORDER_REPORT.fact_columns)


def at(hours: float) -> datetime:
    return FIRST + timedelta(hours=hours)


def nov(day: int) -> date:
    return date(2025, 11, day)


def window(first: int, last: int | None = None) -> Window:
    """Days of November 2025."""
    return Window(first=nov(first), last=nov(last or first))


def order(number: str, day: int, **cells: Any) -> dict[str, Any]:
    """An order as the portal writes it, booked at noon; other cells by our names: ``order_status="Ready"``."""
    row: dict[str, Any] = dict.fromkeys(layouts.ORDER_REPORT.headers)
    row |= dict.fromkeys(layouts.ORDER_REPORT.sums, 0)
    row |= {"Order Date / Time": f"{day:02} Nov 2025 12:00:00 PM", "Order No.": number, "Preference": "NA"}
    return row | {ORDER_REPORT.column(name).header: value for name, value in cells.items()}


@dataclass(kw_only=True)
class Desk:
    """``url``: a migrated database. ``store`` is td/a668."""

    url: str
    folder: Path
    report: Report = ORDER_REPORT
    guard: Guard = ALL
    numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        (self.folder / "stores.yaml").write_text(STORES, encoding="utf-8")

    @property
    def settings(self) -> Settings:
        return load_settings({"CRM_HOME": str(self.folder), "CRM_DATABASE_URL": self.url})

    @property
    def store(self) -> Store:
        return self.settings.store("td", "a668")

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        with connect(self.url) as conn:
            yield conn

    def written(self, rows: Sequence[Row], days: Window) -> Path:
        """A workbook of these rows."""
        file = self.folder / f"TD_OrderReport_UttamNagar_{next(self.numbers)}_{days.first}_to_{days.last}.xlsx"
        file.write_bytes(workbook(layouts.ORDER_REPORT, rows))
        return file

    def landed(
        self,
        rows: Sequence[Row],
        days: Window,
        asked_at: datetime,
        *,
        keep_file: bool = True,
        only: Sequence[date] | None = None,
    ) -> LandedFile:
        """An export of these rows as the ledger knows it; of ``only`` these of its days, when given."""
        file = self.written(rows, days)
        download = Download(
            store=self.store,
            window=days,
            file=file,
            bytes=file.stat().st_size,
            md5=landing.md5(file),
            strategy="a test",
            requested_at=asked_at,
            suggested_name="",
            claims=Claims(),
            signed_in_again=False,
            blocked_requests=0,
            seconds=0,
        )
        with self.connected() as conn:
            described: dict[str, Any] = {"store": self.store, "report": self.report, "window": days}
            ledger_id = ledger.open_attempt(conn, run_id="landed", keep_file=keep_file, now=asked_at, **described)
            ledger.record_download(conn, ledger_id, download, asked_at)
        return LandedFile(
            ledger_id=ledger_id,
            store="a668",
            window=days,
            days=tuple(only or days.days()),
            file=file,
            md5=download.md5,
            claims=Claims(),
            keep_file=keep_file,
        )

    def stage(self, file: LandedFile, *, guard: Guard | None = None, run_id: str = "a run") -> Staged:
        proven = prove(self.settings, self.report, file)
        with self.connected() as conn:
            return books.stage_file(conn, self.report, proven, guard or self.guard, run_id)

    def load_staged(self, days: Sequence[date], run_id: str = "a run") -> Counts:
        """Load every export that stands in staging for these days."""
        total = Counts()
        with self.connected() as conn:
            for export in staging.read_slices(conn, self.report, "a668", days):
                total += books.load_export(conn, self.report, typed_export(self.report, export), run_id)
        return total

    def take(
        self, rows: Sequence[Row], days: Window, hours: float, *, guard: Guard | None = None
    ) -> tuple[Staged, Counts]:
        """One export from landing to facts, asked for so many hours after the first."""
        staged = self.stage(self.landed(rows, days, at(hours)), guard=guard)
        return staged, Counts() if staged.unchanged else self.load_staged(staged.days)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.connected() as conn:
            return conn.execute(query.encode(), values or None).fetchall()

    def ledger(self, ledger_id: int) -> dict[str, Any]:
        names = "status, error_code, stored_name, shrink_accepted, row_count, ingested_at, deleted_at"
        [found] = self.rows(f"SELECT {names} FROM download_ledger WHERE ledger_id = %s", ledger_id)  # noqa: S608
        return dict(zip(names.split(", "), found, strict=True))

    def audit(self) -> list[tuple[Any, ...]]:
        """Status, parsed, inserted, updated, unchanged, rejected and missing of each load."""
        return self.rows(
            """
            SELECT status, parsed_rows, inserted_rows, updated_rows, unchanged_rows, rejected_rows, missing_rows
            FROM ingest_audit ORDER BY audit_id
            """
        )

    def facts(self) -> dict[str, str | None]:
        """The status of each order that is not missing."""
        found = self.rows(
            "SELECT order_number, order_status FROM fact_td_orders WHERE missing_since IS NULL ORDER BY 1"
        )
        return dict(found)

    def copied(self, query: str) -> bytes:
        """What COPY makes of a query: equal bytes are equal tables."""
        with (
            self.connected() as conn,
            conn.cursor() as cursor,
            cursor.copy(f"COPY ({query}) TO STDOUT".encode()) as copy,
        ):
            return b"".join(map(bytes, copy))

    def whole_table(self) -> bytes:
        """Every fact with its place in the table: equal only when nothing was written."""
        return self.copied("SELECT ctid, xmin, * FROM fact_td_orders ORDER BY store, order_number")

    def business(self) -> bytes:
        """What the facts that are not missing say, and their hashes."""
        columns = f"store, business_day, {BUSINESS}, warnings, row_hash"
        return self.copied(f"SELECT {columns} FROM fact_td_orders WHERE missing_since IS NULL ORDER BY 1, order_number")  # noqa: S608


def statuses(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What ``Desk.facts`` says when just these rows are loaded."""
    return {str(row["Order No."]): row["Order Status"] for row in rows if re.fullmatch(r"[A-Z0-9]+", row["Order No."])}
