"""Landed files, as the ledger knows them: which one is the newest of each day.

Writing the ledger's rows belongs to ``ledger.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path

from psycopg.rows import class_row

from crm_assets.model import Claims, Report, Store, Window
from crm_assets.warehouse.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class LandedFile:
    """The newest landed file of these ``days``; its ``window`` may hold more of them. ``store`` is the store's code."""

    ledger_id: int
    store: str
    window: Window
    days: tuple[date, ...]
    file: Path
    md5: str
    claims: Claims
    keep_file: bool


def landed(conn: Connection, report: Report, store_code: str, days: Sequence[date]) -> list[LandedFile]:
    """The newest landed file of each day, by the time it was asked for; one entry per file, oldest first.

    A day is absent when nothing landed for it, or when its newest file is deleted: an older file that happens to be kept must not
    take its place (ask ``deleted_days``).
    """
    kept = [row for row in _newest(conn, report, store_code, days) if row.deleted_at is None]
    return [_landed_file(store_code, list(group)) for _, group in groupby(kept, key=lambda row: row.ledger_id)]


def deleted_days(conn: Connection, report: Report, store_code: str, days: Sequence[date]) -> list[date]:
    """The days whose newest landed file has been deleted since, oldest first."""
    return sorted(row.day for row in _newest(conn, report, store_code, days) if row.deleted_at is not None)


def lies_there(conn: Connection, store: Store, report: Report, window: Window, since: datetime) -> bool:
    """Whether one file that was asked for since then holds all days of the window, is the newest of each, and is still there."""
    files = landed(conn, report, store.code, tuple(window.days()))
    if len(files) != 1 or len(files[0].days) != len(tuple(window.days())) or not files[0].file.exists():
        return False
    row = conn.execute(
        "SELECT requested_at >= %s FROM download_ledger WHERE ledger_id = %s", [since, files[0].ledger_id]
    ).fetchone()
    return bool(row and row[0])


def is_awaited(conn: Connection, file: Path, ledger_id: int) -> bool:
    """Whether a later export of the same window lies under this name and is still to be loaded, or days of this export are: of
    a backfill's export, each run loads its own.
    """
    row = conn.execute(
        """
        SELECT EXISTS (
            SELECT FROM download_ledger WHERE stored_name = %(file)s AND ledger_id > %(ledger_id)s AND status = 'downloaded'
        ) OR EXISTS (
            SELECT FROM download_ledger AS this, generate_series(this.from_date, this.to_date, '1 day') AS day
            WHERE this.ledger_id = %(ledger_id)s AND this.purpose = 'backfill' AND NOT EXISTS (
                SELECT FROM staging_slice AS slice
                    JOIN download_ledger AS there ON there.ledger_id = coalesce(slice.confirmed_by, slice.ledger_id)
                WHERE (slice.crm, slice.report, slice.store, slice.business_day)
                    = (this.crm, this.report, this.store, day::date)
                    AND (there.requested_at, there.ledger_id) >= (this.requested_at, this.ledger_id)
            )
        )
        """,
        {"file": str(file), "ledger_id": ledger_id},
    ).fetchone()
    return bool(row and row[0])


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest landed ledger row of one day."""

    ledger_id: int
    day: date
    from_date: date
    to_date: date
    stored_name: str
    md5: str
    claimed_rows: int | None
    claimed_sums: dict[str, str]
    keep_file: bool
    deleted_at: datetime | None


def _newest(conn: Connection, report: Report, store_code: str, days: Sequence[date]) -> list[_Newest]:
    with conn.cursor(row_factory=class_row(_Newest)) as cursor:
        return cursor.execute(
            """
            WITH newest AS (
                SELECT DISTINCT ON (day) day, ledger.*
                FROM unnest(%(days)s::date[]) AS day
                JOIN download_ledger AS ledger ON day BETWEEN ledger.from_date AND ledger.to_date
                WHERE ledger.crm = %(crm)s AND ledger.store = %(store)s AND ledger.report = %(report)s
                    AND ledger.status IN ('downloaded', 'ingested', 'empty', 'unchanged')
                ORDER BY day, ledger.requested_at DESC, ledger.ledger_id DESC
            )
            SELECT ledger_id, day, from_date, to_date, stored_name, md5, claimed_rows, claimed_sums, keep_file, deleted_at
            FROM newest ORDER BY ledger_id, day
            """,
            {"days": list(days), "crm": report.crm, "store": store_code, "report": report.name},
        ).fetchall()


def _landed_file(store_code: str, rows: Sequence[_Newest]) -> LandedFile:
    newest = rows[0]
    sums = {name: Decimal(value) for name, value in newest.claimed_sums.items()}
    return LandedFile(
        ledger_id=newest.ledger_id,
        store=store_code,
        window=Window(first=newest.from_date, last=newest.to_date),
        days=tuple(row.day for row in rows),
        file=Path(newest.stored_name),
        md5=newest.md5,
        claims=Claims(rows=newest.claimed_rows, sums=sums),
        keep_file=newest.keep_file,
    )
