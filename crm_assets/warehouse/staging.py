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
from crm_assets.model import Report
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.copy import copy_rows, identifiers, records

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedExport:
    """The staged rows of one export, for these days.

    ``rows`` has ``business_day`` (date), ``row_number`` (int), each report column (text or None) and ``_extra`` (dict or None),
    ordered by row number; it is empty for proven empty days. ``store`` is the store's code.
    """

    ledger_id: int
    store: str
    days: tuple[date, ...]
    rows: "pd.DataFrame"
    md5: str
    file: Path
    keep_file: bool


def replace_slices(
    conn: Connection,
    report: Report,
    *,
    store: str,
    ledger_id: int,
    days: Sequence[date],
    rows: "pd.DataFrame",
    now: datetime,
) -> None:
    """Replace all these days of the store by ``rows`` (shaped as in StagedExport); a day without rows is a proven empty one.

    Raises WrongWindow, before anything is written, when a row lies on another day.
    """
    counts: Counter[date] = Counter(rows["business_day"])
    if strangers := sorted(counts.keys() - set(days)):
        raise WrongWindow(
            f"{report.crm}/{store}: rows of {strangers[0]} do not belong to the {len(days)} days being staged. Nothing was staged"
        )
    table = sql.Identifier(report.staging_table)
    with conn.transaction():
        _one_writer(conn, report, store)
        conn.execute(
            sql.SQL("DELETE FROM {} WHERE store = %s AND business_day = ANY(%s)").format(table), [store, list(days)]
        )
        columns = _columns(report)
        copy_rows(
            conn,
            report.staging_table,
            ["store", "ledger_id", *columns],
            ((store, ledger_id, *row[:-1], Jsonb(row[-1]) if row[-1] else None) for row in records(rows, columns)),
        )
        _record_slices(conn, report, store, ledger_id, {day: counts[day] for day in days}, now)


def read_slices(conn: Connection, report: Report, store_code: str, days: Sequence[date]) -> list[StagedExport]:
    """The staged days, one entry per export they came from, oldest export first; a day that was never staged is absent."""
    slices = conn.execute(
        """
        SELECT ledger_id, business_day, md5, stored_name, keep_file
        FROM staging_slice JOIN download_ledger USING (ledger_id)
        WHERE staging_slice.crm = %s AND staging_slice.report = %s AND staging_slice.store = %s AND business_day = ANY(%s)
        ORDER BY ledger_id, business_day
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
        SET ledger_id = excluded.ledger_id, row_count = excluded.row_count, staged_at = excluded.staged_at
        """,
        [report.crm, report.name, store, ledger_id, now, list(counts), list(counts.values())],
    )


def _staged_export(conn: Connection, report: Report, store: str, slices: list[tuple[Any, ...]]) -> StagedExport:
    import pandas as pd

    ledger_id, _, md5, stored_name, keep_file = slices[0]
    days = tuple(row[1] for row in slices)
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
    )
