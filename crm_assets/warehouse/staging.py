"""Staging: every row of an export as text, one slice for each (store, day), and the manifest of where each slice came from.

Staging outlives the raw file, so facts can be rebuilt without a download. Typing and rejecting rows is decided elsewhere.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.types.json import Jsonb

from crm_assets.errors import WrongWindow
from crm_assets.model import Report, Window
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.copy import copy_rows, identifiers, records

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedExport:
    """The staged rows of one export, for these days.

    ``rows`` has ``business_day`` (date), ``row_number`` (int), each report column (text or None) and ``_extra`` (dict or None),
    ordered by row number; it is empty for proven empty days. ``store`` is the store's code. ``confirmed_by_run`` is the run whose
    export held the same content, when that is the newest one.
    """

    ledger_id: int
    store: str
    days: tuple[date, ...]
    rows: "pd.DataFrame"
    md5: str
    file: Path
    keep_file: bool
    confirmed_by_run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SameContent:
    """An earlier export, loaded and still the newest of its days, that holds just what a later one holds.

    ``rows`` were parsed from it, of which ``rejected`` could not be loaded.
    """

    ledger_id: int
    rows: int
    rejected: int


def replace_slices(
    conn: Connection,
    report: Report,
    *,
    store: str,
    ledger_id: int,
    days: Sequence[date],
    rows: "pd.DataFrame",
    now: datetime,
) -> tuple[date, ...]:
    """Replace these days of the store by ``rows`` (shaped as in StagedExport); a day without rows is a proven empty one.

    A day for which a newer export stands there already, by the time it was asked for, keeps that one. Returns the replaced days.
    Raises WrongWindow, before anything is written, when a row lies on another day.
    """
    counts: Counter[date] = Counter(rows["business_day"])
    if strangers := sorted(counts.keys() - set(days)):
        raise WrongWindow(
            f"{report.crm}/{store}: rows of {strangers[0]} do not belong to the {len(days)} days being staged. Nothing was staged"
        )
    with conn.transaction():
        _one_writer(conn, report, store)
        newer = newer_days(conn, report, store, ledger_id, days)
        due = tuple(day for day in days if day not in newer)
        conn.execute(
            sql.SQL("DELETE FROM {} WHERE store = %s AND business_day = ANY(%s)").format(
                sql.Identifier(report.staging_table)
            ),
            [store, list(due)],
        )
        columns = _columns(report)
        copy_rows(
            conn,
            report.staging_table,
            ["store", "ledger_id", *columns],
            (
                (store, ledger_id, *row[:-1], Jsonb(row[-1]) if row[-1] else None)
                for row in records(rows[rows["business_day"].isin(due)], columns)
            ),
        )
        _record_slices(conn, report, store, ledger_id, {day: counts[day] for day in due}, now)
    return due


def newer_days(conn: Connection, report: Report, store: str, ledger_id: int, days: Sequence[date]) -> tuple[date, ...]:
    """Those of the days whose staged or confirming export was asked for later than this one, oldest first."""
    found = conn.execute(
        """
        SELECT business_day
        FROM staging_slice JOIN download_ledger AS there ON there.ledger_id = coalesce(confirmed_by, staging_slice.ledger_id)
            JOIN download_ledger AS this ON this.ledger_id = %s
        WHERE staging_slice.crm = %s AND staging_slice.report = %s AND staging_slice.store = %s AND business_day = ANY(%s)
            AND (there.requested_at, there.ledger_id) > (this.requested_at, this.ledger_id)
        ORDER BY business_day
        """,
        [ledger_id, report.crm, report.name, store, list(days)],
    )
    return tuple(row[0] for row in found)


def days_of_export(conn: Connection, report: Report, store: str, ledger_id: int) -> tuple[date, ...]:
    """The days whose staged rows are this export's, oldest first."""
    found = conn.execute(
        """
        SELECT business_day FROM staging_slice
        WHERE crm = %s AND report = %s AND store = %s AND ledger_id = %s ORDER BY business_day
        """,
        [report.crm, report.name, store, ledger_id],
    )
    return tuple(row[0] for row in found)


def staged_days(conn: Connection, report: Report, store: str, window: Window) -> tuple[date, ...]:
    """The days of the window that an export covered, oldest first."""
    found = conn.execute(
        """
        SELECT business_day FROM staging_slice
        WHERE crm = %s AND report = %s AND store = %s AND business_day BETWEEN %s AND %s ORDER BY business_day
        """,
        [report.crm, report.name, store, window.first, window.last],
    )
    return tuple(row[0] for row in found)


def same_content(
    conn: Connection, report: Report, store: str, ledger_id: int, days: Sequence[date], content_md5: str
) -> SameContent | None:
    """The loaded export that stands in staging for all these days, is older than this one, and holds the same content.

    None when these are not all the days of this export: what was loaded, was loaded of all of them.
    """
    row = conn.execute(
        """
        SELECT there.ledger_id, loaded.parsed_rows, loaded.rejected_rows
        FROM staging_slice JOIN download_ledger AS there USING (ledger_id)
            JOIN download_ledger AS newest ON newest.ledger_id = coalesce(confirmed_by, staging_slice.ledger_id)
            JOIN download_ledger AS this ON this.ledger_id = %(ledger_id)s
            JOIN LATERAL (
                SELECT parsed_rows, rejected_rows FROM ingest_audit
                WHERE ingest_audit.ledger_id = there.ledger_id AND ingest_audit.status IN ('ok', 'empty')
                    AND (ingest_audit.from_date, ingest_audit.to_date) = (this.from_date, this.to_date)
                ORDER BY audit_id DESC LIMIT 1
            ) AS loaded ON true
        WHERE staging_slice.crm = %(crm)s AND staging_slice.report = %(report)s AND staging_slice.store = %(store)s
            AND business_day = ANY(%(days)s) AND there.content_md5 = %(content_md5)s AND there.status IN ('ingested', 'empty')
            AND (there.from_date, there.to_date) = (this.from_date, this.to_date)
            AND this.to_date - this.from_date + 1 = cardinality(%(days)s::date[])
            AND (newest.requested_at, newest.ledger_id) < (this.requested_at, this.ledger_id)
        GROUP BY there.ledger_id, loaded.parsed_rows, loaded.rejected_rows
        HAVING count(*) = cardinality(%(days)s::date[])
        """,
        {
            "ledger_id": ledger_id,
            "crm": report.crm,
            "report": report.name,
            "store": store,
            "days": list(days),
            "content_md5": content_md5,
        },
    ).fetchone()
    return SameContent(ledger_id=row[0], rows=row[1], rejected=row[2]) if row else None


def confirm(conn: Connection, report: Report, store: str, days: Sequence[date], ledger_id: int, now: datetime) -> None:
    """Note that this export held the content that stands in staging for these days."""
    conn.execute(
        """
        UPDATE staging_slice SET confirmed_by = %s, confirmed_at = %s
        WHERE crm = %s AND report = %s AND store = %s AND business_day = ANY(%s)
        """,
        [ledger_id, now, report.crm, report.name, store, list(days)],
    )


def mark_final(
    conn: Connection, report: Report, store: str, days: Sequence[date], ledger_id: int, now: datetime
) -> None:
    """The facts hold this export, or one of the same content: its days that were over when it was asked for are final."""
    conn.execute(
        """
        UPDATE staging_slice AS slice SET final_at = %s
        FROM download_ledger AS export
        WHERE slice.crm = %s AND slice.report = %s AND slice.store = %s AND slice.business_day = ANY(%s)
            AND export.ledger_id = %s AND coalesce(slice.confirmed_by, slice.ledger_id) = export.ledger_id
            AND slice.final_at IS NULL
            AND export.requested_at >= (slice.business_day + 1)::timestamp AT TIME ZONE 'Asia/Kolkata'
        """,
        [now, report.crm, report.name, store, list(days), ledger_id],
    )


def read_slices(conn: Connection, report: Report, store_code: str, days: Sequence[date]) -> list[StagedExport]:
    """The staged days, one entry per export they came from, oldest export first; a day that was never staged is absent."""
    slices = conn.execute(
        """
        SELECT there.ledger_id, business_day, there.md5, there.stored_name, there.keep_file, confirming.run_id
        FROM staging_slice JOIN download_ledger AS there USING (ledger_id)
            LEFT JOIN download_ledger AS confirming ON confirming.ledger_id = confirmed_by
        WHERE staging_slice.crm = %s AND staging_slice.report = %s AND staging_slice.store = %s AND business_day = ANY(%s)
        ORDER BY there.requested_at, there.ledger_id, business_day
        """,
        [report.crm, report.name, store_code, list(days)],
    ).fetchall()
    return [
        _staged_export(conn, report, store_code, list(group)) for _, group in groupby(slices, key=lambda row: row[0])
    ]


def _columns(report: Report) -> list[str]:
    return ["business_day", "row_number", *(column.name for column in report.columns), "_extra"]


def _one_writer(conn: Connection, report: Report, store: str) -> None:
    """Two loads of one store at once would delete and insert past each other; the second waits until the first has committed."""
    conn.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"crm_assets:{report.staging_table}:{store}"]
    )


def _record_slices(
    conn: Connection, report: Report, store: str, ledger_id: int, counts: dict[date, int], now: datetime
) -> None:
    conn.execute(
        """
        INSERT INTO staging_slice (crm, report, store, business_day, ledger_id, row_count, staged_at)
        SELECT %s, %s, %s, business_day, %s, row_count, %s
        FROM unnest(%s::date[], %s::integer[]) AS slice (business_day, row_count)
        ON CONFLICT (crm, report, store, business_day) DO UPDATE
        SET ledger_id = excluded.ledger_id, row_count = excluded.row_count, staged_at = excluded.staged_at,
            confirmed_by = NULL, confirmed_at = NULL, final_at = NULL
        """,
        [report.crm, report.name, store, ledger_id, now, list(counts), list(counts.values())],
    )


def _staged_export(conn: Connection, report: Report, store: str, slices: list[tuple[Any, ...]]) -> StagedExport:
    import pandas as pd

    ledger_id, _, md5, stored_name, keep_file, _ = slices[0]
    days = tuple(row[1] for row in slices)
    confirming = {row[5] for row in slices}
    columns = _columns(report)
    statement = sql.SQL("SELECT {} FROM {} WHERE store = %s AND business_day = ANY(%s) ORDER BY row_number").format(
        identifiers(columns), sql.Identifier(report.staging_table)
    )
    found = conn.execute(statement, [store, list(days)]).fetchall()
    return StagedExport(
        ledger_id=ledger_id,
        store=store,
        days=days,
        rows=pd.DataFrame(found, columns=pd.Index(columns), dtype=object),
        md5=md5,
        file=Path(stored_name),
        keep_file=keep_file,
        confirmed_by_run=confirming.pop() if len(confirming) == 1 else None,
    )
