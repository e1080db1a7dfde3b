"""How fresh each store's data is: one answer for each store and report, in one statement.

What is late, and what the next slot is, is decided in ``pipeline/health.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from crm_assets.model import Report, Store
from crm_assets.warehouse.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """A store and report: how many days are missing, how many rejected rows are open, and its account's state.

    ``refreshed_at``: when the newest loaded export that reached up to its own day, or up to the day that is due, was asked for.
    ``error_code`` and ``error_message`` are those of the newest attempt, None when that was good.
    """

    refreshed_at: datetime | None
    missing_days: int
    open_rejects: int
    error_code: str | None
    error_message: str | None
    state: str | None


FRESHNESS = """
    SELECT good.refreshed_at,
        greatest(%(until)s::date - wanted.first_day + 1, 0) - coalesce(final.days, 0) AS missing_days,
        coalesce(rejects.rows, 0) AS open_rejects, newest.error_code, newest.error_message, session.state
    FROM unnest(%(stores)s::text[], %(firsts)s::date[], %(due)s::date[])
        WITH ORDINALITY AS wanted (store, first_day, due_day, place)
    LEFT JOIN (
        SELECT slice.store, count(*)::integer AS days
        FROM staging_slice AS slice JOIN unnest(%(stores)s::text[], %(firsts)s::date[]) AS known (store, first_day) USING (store)
        WHERE slice.crm = %(crm)s AND slice.report = %(report)s
            AND (final_at IS NOT NULL OR staged_at > %(now)s - interval '15 minutes')
            AND business_day BETWEEN known.first_day AND %(until)s
        GROUP BY slice.store
    ) AS final USING (store)
    LEFT JOIN (
        SELECT store, count(*)::integer AS rows FROM rejected_rows
        WHERE crm = %(crm)s AND report = %(report)s AND status = 'open' GROUP BY store
    ) AS rejects USING (store)
    LEFT JOIN store_session AS session ON session.crm = %(crm)s AND session.store = wanted.store
    LEFT JOIN LATERAL (
        SELECT requested_at AS refreshed_at FROM download_ledger AS attempt
        WHERE attempt.crm = %(crm)s AND attempt.store = wanted.store AND attempt.report = %(report)s
            AND status IN ('ingested', 'empty', 'unchanged')
            AND to_date >= least((requested_at AT TIME ZONE 'Asia/Kolkata')::date, wanted.due_day)
            AND requested_at <= %(now)s
        ORDER BY started_at DESC LIMIT 1
    ) AS good ON true
    LEFT JOIN LATERAL (
        SELECT error_code, error_message FROM download_ledger AS attempt
        WHERE attempt.crm = %(crm)s AND attempt.store = wanted.store AND attempt.report = %(report)s AND status <> 'running'
        ORDER BY started_at DESC LIMIT 1
    ) AS newest ON true
    ORDER BY place
"""


def freshness(
    conn: Connection, report: Report, stores: Sequence[Store], until: date, due: Sequence[date | None], now: datetime
) -> list[Freshness]:
    """One answer for each of these stores of one CRM, in their order; days after ``until`` are not missed yet.

    ``due``: up to which day each store's data should reach; None where nothing is due. An export of the future is none.
    """
    with conn.cursor(row_factory=class_row(Freshness)) as cursor:
        return cursor.execute(
            FRESHNESS,
            {
                "crm": report.crm,
                "report": report.name,
                "stores": [store.code for store in stores],
                "firsts": [store.first_day for store in stores],
                "until": until,
                "due": list(due),
                "now": now,
            },
        ).fetchall()
