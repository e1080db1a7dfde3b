"""What the warehouse holds, store by store: for people at a terminal, and for choosing the days to fetch next."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from psycopg import sql
from psycopg.rows import class_row

from crm_assets.model import Report, Store
from crm_assets.warehouse.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSales:
    """One store's sales as ``v_daily_sales`` has them: days, orders or invoices, rupees."""

    crm: str
    store: str
    first_day: date
    last_day: date
    days: int
    orders: int
    order_amount: Decimal


def sales_by_store(conn: Connection, first: date, last: date) -> list[StoreSales]:
    """Every store's sales between two days, both included."""
    with conn.cursor(row_factory=class_row(StoreSales)) as cursor:
        return cursor.execute(
            """
            SELECT crm, store, min(business_day) AS first_day, max(business_day) AS last_day, count(*) AS days,
                sum(orders)::integer AS orders, sum(order_amount) AS order_amount
            FROM v_daily_sales WHERE business_day BETWEEN %s AND %s
            GROUP BY crm, store ORDER BY crm, store
            """,
            [first, last],
        ).fetchall()


def count_rows(conn: Connection, table: str) -> int:
    """The rows of a table."""
    row = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    assert row is not None  # noqa: S101 - count(*) returns its one row
    return int(row[0])


def last_known_day(conn: Connection, report: Report, store: Store) -> date | None:
    """The newest day that an export covered, or None before the first one."""
    row = conn.execute(
        "SELECT max(business_day) FROM staging_slice WHERE (crm, report, store) = (%s, %s, %s)",
        [report.crm, report.name, store.code],
    ).fetchone()
    return row[0] if row else None
