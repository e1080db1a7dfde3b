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

from crm_assets.model import Claims, Report, Window
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


def is_awaited(conn: Connection, file: Path, ledger_id: int) -> bool:
    """Whether a later export of the same window lies under this name, and is still to be loaded."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM download_ledger WHERE stored_name = %s AND ledger_id > %s AND status = 'downloaded')",
        [str(file), ledger_id],
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
