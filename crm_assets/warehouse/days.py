"""What an export brought to each of its days, and what the days are worth: the figures beside each partition.

The IO manager shows them; what was loaded is ``facts.py``'s business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from psycopg import sql

from crm_assets.model import Report, Window
from crm_assets.warehouse.connection import Connection

AMOUNTS = {
    "fact_td_orders": "SELECT business_day, order_amount AS amount FROM v_daily_sales",
    "fact_uc_gst": "SELECT business_day, order_amount AS amount FROM v_daily_sales",
    "fact_td_payments": """
        SELECT business_day, sum(amount) AS amount FROM (
            SELECT business_day, crm, store, amount FROM v_daily_collections WHERE is_money
        ) AS received""",
}
"""Where a day's worth of a fact table stands; a table that is not here has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLoad:
    """The facts of a day: how many there are, and how many of them one export brought, changed and found missing."""

    rows: int
    inserted: int
    updated: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """How an export came: the portal's part of the time, and ours after the file had landed; in seconds."""

    file_name: str
    window: Window
    md5: str
    strategy: str
    portal_seconds: float
    our_seconds: float | None


def loads(conn: Connection, report: Report, store: str, ledger_id: int, days: Sequence[date]) -> Mapping[date, DayLoad]:
    """What this export brought to each of the days; what a newer one changed since is that one's."""
    statement = sql.SQL(
        """
        SELECT business_day, count(*) FILTER (WHERE missing_since IS NULL),
            count(*) FILTER (WHERE ledger_id = %(ledger_id)s AND missing_since IS NULL AND first_seen_at = changed_at),
            count(*) FILTER (WHERE ledger_id = %(ledger_id)s AND missing_since IS NULL AND first_seen_at < changed_at),
            count(*) FILTER (WHERE ledger_id = %(ledger_id)s AND missing_since IS NOT NULL)
        FROM {} WHERE store = %(store)s AND business_day = ANY(%(days)s) GROUP BY business_day
        """
    ).format(sql.Identifier(report.fact_table))
    found = conn.execute(statement, {"store": store, "ledger_id": ledger_id, "days": list(days)})
    return {
        day: DayLoad(rows=rows, inserted=inserted, updated=updated, missing=missing)
        for day, rows, inserted, updated, missing in found
    }


def amounts(conn: Connection, report: Report, store: str, window: Window) -> Mapping[date, Decimal]:
    """Rupees of each known day of the window: sales, or money received. Empty for a table that has no such figure."""
    if report.fact_table not in AMOUNTS:
        return {}
    found = conn.execute(
        AMOUNTS[report.fact_table].encode()
        + b" WHERE crm = %s AND store = %s AND business_day BETWEEN %s AND %s"
        + (b" GROUP BY business_day" if "sum(" in AMOUNTS[report.fact_table] else b""),
        [report.crm, store, window.first, window.last],
    )
    return dict(found.fetchall())


def fetch_of(conn: Connection, ledger_id: int) -> Fetch | None:
    """How the export of a ledger row came; None while it has no file."""
    row = conn.execute(
        """
        SELECT regexp_replace(stored_name, '^.*/', ''), from_date, to_date, md5, coalesce(strategy, 'unknown'),
            extract(epoch FROM finished_at - started_at)::float, extract(epoch FROM ingested_at - finished_at)::float
        FROM download_ledger WHERE ledger_id = %s AND md5 IS NOT NULL
        """,
        [ledger_id],
    ).fetchone()
    if row is None:
        return None
    name, first, last, md5, strategy, portal, ours = row
    return Fetch(
        file_name=name,
        window=Window(first=first, last=last),
        md5=md5,
        strategy=strategy,
        portal_seconds=portal,
        our_seconds=ours,
    )
