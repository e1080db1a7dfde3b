"""Coverage: for each store and day of a report whether it is there, was empty, went wrong, or was never fetched.

How it is drawn, and which days are due, belongs to the pipeline.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from psycopg.rows import class_row

from crm_assets.model import Report, Store, Window
from crm_assets.warehouse.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredDay:
    """A store's day: its rows, None where no export covered it; and the code of the newest attempt, where that went wrong."""

    store: str
    day: date
    rows: int | None
    error_code: str | None


def coverage(conn: Connection, report: Report, stores: Sequence[Store], window: Window) -> list[CoveredDay]:
    """Every day of the window for each of these stores of one CRM, by store and day, in one statement."""
    with conn.cursor(row_factory=class_row(CoveredDay)) as cursor:
        return cursor.execute(
            """
            SELECT wanted.store, day::date AS day, slice.row_count AS rows, newest.error_code
            FROM unnest(%(stores)s::text[]) WITH ORDINALITY AS wanted (store, place)
            CROSS JOIN generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS day
            LEFT JOIN staging_slice AS slice ON slice.crm = %(crm)s AND slice.report = %(report)s
                AND slice.store = wanted.store AND slice.business_day = day::date
            LEFT JOIN LATERAL (
                SELECT error_code FROM download_ledger AS attempt
                WHERE attempt.crm = %(crm)s AND attempt.report = %(report)s AND attempt.store = wanted.store
                    AND day::date BETWEEN from_date AND to_date AND status <> 'running'
                ORDER BY started_at DESC, ledger_id DESC LIMIT 1
            ) AS newest ON slice.row_count IS NULL
            ORDER BY place, day
            """,
            {
                "crm": report.crm,
                "report": report.name,
                "stores": [store.code for store in stores],
                "first": window.first,
                "last": window.last,
            },
        ).fetchall()
