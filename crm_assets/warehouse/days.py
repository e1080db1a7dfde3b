"""What a load brought to each of its days, and what the days are worth: the figures beside each partition.

The IO manager shows them; what was loaded is ``facts.py``'s business.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import LiteralString

from psycopg import sql

from crm_assets.model import Report, Window
from crm_assets.warehouse.connection import Connection

SALES: LiteralString = """
    SELECT business_day, order_amount FROM v_daily_sales
    WHERE crm = %(crm)s AND store = %(store)s AND business_day BETWEEN %(first)s AND %(last)s
"""
RECEIVED: LiteralString = """
    SELECT business_day, sum(amount) FROM v_daily_collections
    WHERE is_money AND crm = %(crm)s AND store = %(store)s AND business_day BETWEEN %(first)s AND %(last)s
    GROUP BY business_day
"""
AMOUNTS: Mapping[str, LiteralString] = {
    "fact_td_orders": SALES,
    "fact_uc_gst": SALES,
    "fact_td_payments": RECEIVED,
}
"""What a day of a fact table is worth; a table that is not here has no such figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLoad:
    """The facts of a day that one load brought, changed and found missing."""

    inserted: int = 0
    updated: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """How an export came: the portal's part of the time, and ours from the landed file to its first load; in seconds."""

    file_name: str
    window: Window
    md5: str
    strategy: str
    portal_seconds: float
    our_seconds: float | None


def loads(
    conn: Connection, report: Report, store: str, exports: Mapping[date, int], since: datetime
) -> Mapping[date, DayLoad]:
    """What was loaded since that moment of each day's export (its ledger id); a day to which it did nothing is absent."""
    statement = sql.SQL(
        """
        SELECT business_day,
            count(*) FILTER (WHERE missing_since IS NULL AND first_seen_at = changed_at),
            count(*) FILTER (WHERE missing_since IS NULL AND first_seen_at < changed_at),
            count(*) FILTER (WHERE missing_since IS NOT NULL)
        FROM {} JOIN unnest(%s::date[], %s::bigint[]) AS export (business_day, ledger_id) USING (business_day, ledger_id)
        WHERE store = %s AND changed_at >= %s GROUP BY business_day
        """
    ).format(sql.Identifier(report.fact_table))
    found = conn.execute(statement, [list(exports), list(exports.values()), store, since])
    return {
        day: DayLoad(inserted=inserted, updated=updated, missing=missing) for day, inserted, updated, missing in found
    }


def amounts(conn: Connection, report: Report, store: str, window: Window) -> Mapping[date, Decimal]:
    """Rupees of each known day of the window: sales, or money received. Empty for a table that has no such figure."""
    if report.fact_table not in AMOUNTS:
        return {}
    asked = {"crm": report.crm, "store": store, "first": window.first, "last": window.last}
    return dict(conn.execute(AMOUNTS[report.fact_table], asked).fetchall())


def fetches(conn: Connection, ledger_ids: Collection[int]) -> Mapping[int, Fetch]:
    """How the exports of these ledger rows came; one without a file is absent."""
    found = conn.execute(
        """
        SELECT ledger_id, regexp_replace(stored_name, '^.*/', ''), from_date, to_date, md5, coalesce(strategy, 'unknown'),
            extract(epoch FROM finished_at - started_at)::float, extract(epoch FROM ingested_at - finished_at)::float
        FROM download_ledger WHERE ledger_id = ANY(%s) AND md5 IS NOT NULL
        """,
        [list(ledger_ids)],
    )
    return {
        ledger_id: Fetch(
            file_name=name,
            window=Window(first=first, last=last),
            md5=md5,
            strategy=strategy,
            portal_seconds=portal,
            our_seconds=ours,
        )
        for ledger_id, name, first, last, md5, strategy, portal, ours in found
    }
