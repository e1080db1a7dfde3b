"""Sales as the digest tells them: what was sold, collected, is open, late, unpaid, and what the tables themselves say of it.

Two readings of the same rows: by the views, as any reader has them, and straight from the fact tables, so that one can prove the
other. Which days belong together, and how they are shown, is ``crm_assets.digest``'s business.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from psycopg import sql
from psycopg.rows import class_row

from crm_assets.model import Window
from crm_assets.warehouse.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySales:
    """A store's day that was fetched: orders or invoices, and rupees."""

    crm: str
    store: str
    day: date
    orders: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCollections:
    """What a store received on a day by one mode, in rupees, returns deducted; of it ``returned``, below 0.

    ``is_money``: no package used up. A day that was fetched without any payment stands here once, with no mode and 0.
    """

    crm: str
    store: str
    day: date
    mode: str | None
    is_money: bool
    payments: int
    amount: Decimal
    returns: int
    returned: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrders:
    """A store's orders of one day and status, not delivered yet; ``late`` of them were due before the day asked about."""

    crm: str
    store: str
    day: date
    status: str
    orders: int
    late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LateOrder:
    """The order of a store that is late the longest."""

    crm: str
    store: str
    order_number: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpaid:
    """What is owed to a store for the orders of one day: orders and rupees."""

    crm: str
    store: str
    day: date
    orders: int
    balance: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthGst:
    """A store's invoices of one month, by its first day: rupees."""

    store: str
    month: date
    invoices: int
    taxable: Decimal
    cgst: Decimal
    sgst: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSums:
    """What the fact tables themselves hold of a figure of a store: rows, and rupees."""

    what: str
    crm: str
    store: str
    rows: int
    amount: Decimal


@contextmanager
def one_moment(conn: Connection) -> Iterator[None]:
    """Everything read in the block is of one moment, whatever is loaded meanwhile; nothing can be written."""
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def daily_sales(conn: Connection, window: Window) -> list[DaySales]:
    """Every fetched day of every store, those without a sale too."""
    with conn.cursor(row_factory=class_row(DaySales)) as cursor:
        return cursor.execute(
            """
            SELECT crm, store, business_day AS day, orders::integer, order_amount AS amount
            FROM v_daily_sales WHERE business_day BETWEEN %s AND %s ORDER BY crm, store, business_day
            """,
            [window.first, window.last],
        ).fetchall()


def daily_collections(conn: Connection, window: Window) -> list[DayCollections]:
    """Every fetched day and mode, those without a payment too."""
    with conn.cursor(row_factory=class_row(DayCollections)) as cursor:
        return cursor.execute(
            """
            SELECT crm, store, business_day AS day, payment_mode AS mode, is_money, payments::integer, amount,
                coalesce(back.rows, 0)::integer AS returns, coalesce(back.rupees, 0) AS returned
            FROM v_daily_collections LEFT JOIN (
                SELECT crm, store, business_day, payment_mode, count(*) AS rows, sum(amount) AS rupees
                FROM v_payments WHERE is_return GROUP BY crm, store, business_day, payment_mode
            ) AS back USING (crm, store, business_day, payment_mode)
            WHERE business_day BETWEEN %s AND %s ORDER BY crm, store, business_day, payment_mode
            """,
            [window.first, window.last],
        ).fetchall()


def open_orders(conn: Connection, day: date) -> list[OpenOrders]:
    """Orders booked up to the day that are not delivered now; ``unknown`` where the portal gave no status."""
    with conn.cursor(row_factory=class_row(OpenOrders)) as cursor:
        return cursor.execute(
            """
            SELECT 'td' AS crm, store, business_day AS day, coalesce(order_status, 'unknown') AS status,
                count(*)::integer AS orders, (count(*) FILTER (WHERE due_on < %(day)s))::integer AS late
            FROM fact_td_orders
            WHERE missing_since IS NULL AND order_status IS DISTINCT FROM 'Delivered' AND business_day <= %(day)s
            GROUP BY store, business_day, order_status ORDER BY store, business_day, order_status
            """,
            {"day": day},
        ).fetchall()


def latest_of_all(conn: Connection, day: date) -> list[LateOrder]:
    """Of each store the undelivered order whose promised day lies furthest before the day."""
    with conn.cursor(row_factory=class_row(LateOrder)) as cursor:
        return cursor.execute(
            """
            SELECT DISTINCT ON (store) 'td' AS crm, store, order_number, due_on
            FROM fact_td_orders
            WHERE missing_since IS NULL AND order_status IS DISTINCT FROM 'Delivered'
                AND business_day <= %(day)s AND due_on < %(day)s
            ORDER BY store, due_on, ordered_at
            """,
            {"day": day},
        ).fetchall()


def delivered(conn: Connection, window: Window) -> dict[tuple[str, str], int]:
    """How many orders of these days are delivered by now, by CRM and store."""
    found = conn.execute(
        """
        SELECT crm, store, count(*) FROM v_orders
        WHERE order_status = 'Delivered' AND business_day BETWEEN %s AND %s GROUP BY crm, store
        """,
        [window.first, window.last],
    )
    return {(crm, store): orders for crm, store, orders in found}


def unpaid(conn: Connection, day: date) -> list[Unpaid]:
    """What is owed now for the orders of each day up to this one."""
    with conn.cursor(row_factory=class_row(Unpaid)) as cursor:
        return cursor.execute(
            """
            SELECT crm, store, business_day AS day, count(*)::integer AS orders, sum(balance) AS balance
            FROM v_orders WHERE balance > 0 AND business_day <= %s
            GROUP BY crm, store, business_day ORDER BY crm, store, business_day
            """,
            [day],
        ).fetchall()


def monthly_gst(conn: Connection, window: Window) -> list[MonthGst]:
    """The GST of each store and month within these days, the newest month first."""
    with conn.cursor(row_factory=class_row(MonthGst)) as cursor:
        return cursor.execute(
            """
            SELECT store, date_trunc('month', business_day)::date AS month, count(*)::integer AS invoices,
                coalesce(sum(taxable_value), 0) AS taxable, coalesce(sum(cgst), 0) AS cgst,
                coalesce(sum(sgst), 0) AS sgst, coalesce(sum(invoice_value), 0) AS value
            FROM fact_uc_gst WHERE missing_since IS NULL AND business_day BETWEEN %s AND %s
            GROUP BY store, month ORDER BY month DESC, store
            """,
            [window.first, window.last],
        ).fetchall()


# Written anew, without the views, and in other words: it is to prove them.
OF_A_WINDOW = """
    SELECT 'sales' AS what, 'td' AS crm, store, count(*)::integer AS rows, coalesce(sum(
        CASE WHEN worth - waived < 0 THEN 0 ELSE worth - waived END), 0) AS amount
    FROM fact_td_orders, LATERAL (
        SELECT CASE WHEN net_amount IS NULL OR net_amount = 0 THEN coalesce(gross_amount, 0) ELSE net_amount END AS worth,
            CASE WHEN adjustment > 0 THEN adjustment ELSE 0 END AS waived
    ) AS priced
    WHERE missing_since IS NULL AND business_day BETWEEN %(first)s AND %(last)s GROUP BY store
    UNION ALL
    SELECT 'sales', 'uc', store, count(*)::integer, coalesce(sum(CASE WHEN invoice_value > 0 THEN invoice_value ELSE 0 END), 0)
    FROM fact_uc_gst WHERE missing_since IS NULL AND business_day BETWEEN %(first)s AND %(last)s GROUP BY store
    UNION ALL
    SELECT CASE payment_mode WHEN 'Package' THEN 'packages' ELSE 'collections' END AS what, 'td', store, count(*)::integer,
        sum(payment_received)
    FROM fact_td_payments
    WHERE missing_since IS NULL AND business_day BETWEEN %(first)s AND %(last)s GROUP BY what, store
    UNION ALL
    SELECT 'returns', 'td', store, count(*)::integer, sum(payment_received)
    FROM fact_td_payments
    WHERE missing_since IS NULL AND business_day BETWEEN %(first)s AND %(last)s
        AND entry_type <> 'Order' AND coalesce(payment_mode, '') <> 'Package' GROUP BY store
"""
AS_IT_STANDS = """
    SELECT 'unpaid' AS what, 'td' AS crm, store, count(*)::integer AS rows, sum(balance) AS amount
    FROM fact_td_orders WHERE missing_since IS NULL AND balance > 0 AND business_day <= %(last)s GROUP BY store
    UNION ALL
    SELECT 'not delivered', 'td', store, count(*)::integer, 0
    FROM fact_td_orders
    WHERE missing_since IS NULL AND coalesce(order_status, '') <> 'Delivered' AND business_day <= %(last)s GROUP BY store
    UNION ALL
    SELECT 'GST', 'uc', store, count(*)::integer, coalesce(sum(invoice_value), 0)
    FROM fact_uc_gst WHERE missing_since IS NULL AND business_day BETWEEN %(first)s AND %(last)s GROUP BY store
"""


def in_the_tables(conn: Connection, statement: str, window: Window) -> list[TableSums]:
    """The second count, by ``OF_A_WINDOW`` or, of what is so up to the window's last day and its GST, by ``AS_IT_STANDS``."""
    with conn.cursor(row_factory=class_row(TableSums)) as cursor:
        found = cursor.execute(sql.SQL(statement), {"first": window.first, "last": window.last})
        return found.fetchall()
