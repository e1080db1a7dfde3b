"""What the digest reads, on rows small enough to compute by hand; and the second count, which must say the same of any row."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from crm_assets.portals.tumbledry.reports import SALES_AND_DELIVERY
from crm_assets.warehouse import sales, staging
from crm_assets.warehouse.connection import Connection
from crm_assets_tests.warehouse.samples import NOW, UC, fetched, invoice, load, nov, order, typed, window


def payment(number: str, day: int, amount: str, mode: str | None, kind: str = "Order") -> dict[str, Any]:
    blank = dict.fromkeys(column.name for column in SALES_AND_DELIVERY.fact_columns)
    return blank | {
        "business_day": nov(day),
        "paid_at": datetime(2025, 11, day, 12, tzinfo=UTC),
        "order_number": number,
        "payment_received": Decimal(amount),
        "payment_mode": mode,
        "entry_type": kind,
        "payment_key": f"{number} | {day} | {mode}",
    }


def paid(conn: Connection, *rows: dict[str, Any], first: int, last: int) -> None:
    load(conn, *rows, days=window(first, last), report=SALES_AND_DELIVERY)


def counted(conn: Connection, statement: str) -> dict[tuple[str, str], tuple[int, Decimal]]:
    found = sales.in_the_tables(conn, statement, window(1, 30))
    return {(one.what, one.store): (one.rows, one.amount) for one in found}


def test_a_fetched_day_without_a_payment_is_there_and_a_return_is_deducted_and_told(conn: Connection) -> None:
    paid(
        conn,
        payment("T1", 12, "100.50", "Cash"),
        payment("SRN1", 12, "-20", "Cash", "SRN-Garment Return"),
        payment("T2", 12, "70", "Package"),
        first=12,
        last=12,
    )
    no_rows = typed(report=SALES_AND_DELIVERY).assign(row_number=None, _extra=None)
    staging.replace_slices(
        conn,
        SALES_AND_DELIVERY,
        store="a668",
        ledger_id=fetched(conn, window(13)),
        days=[nov(13)],
        rows=no_rows,
        now=NOW,
    )
    found = sales.daily_collections(conn, window(12, 14))
    told = [(one.day.day, one.mode, one.is_money, one.payments, one.amount, one.returned) for one in found]
    assert told == [
        (12, "Cash", True, 2, Decimal("80.50"), Decimal(-20)),
        (12, "Package", False, 1, Decimal(70), Decimal(0)),
        (13, None, True, 0, Decimal(0), Decimal(0)),
    ]


def test_an_order_without_a_status_is_open_and_can_be_late(conn: Connection) -> None:
    load(
        conn,
        order("T1", 12, due_on=nov(15)),
        order("T2", 12, due_on=nov(14), order_status="Ready"),
        order("T3", 12, due_on=nov(13), order_status="Delivered"),
        days=window(12),
    )
    found = {one.status: (one.orders, one.late) for one in sales.open_orders(conn, nov(16))}
    assert found == {"unknown": (1, 1), "Ready": (1, 1)}
    (latest,) = sales.latest_of_all(conn, nov(16))
    assert (latest.order_number, latest.due_on) == ("T2", nov(14))
    assert [one.late for one in sales.open_orders(conn, nov(14))] == [0, 0], "due today is not late"


def test_the_second_count_says_what_the_views_say_of_any_row(conn: Connection) -> None:
    """Packages, waivers, goodwill, blanks, and what vanished."""
    odd = [("120", "100", "10.50"), ("50", "0", "0"), ("30", "30", "-5"), ("20", "20", "25"), (None, None, None)]
    orders = [
        order(f"T{at}", 12, balance=Decimal(at), gross_amount=gross, net_amount=net, adjustment=waived)
        for at, (gross, net, waived) in enumerate(odd)
    ]
    load(conn, *orders, order("gone", 12, net_amount="999", balance=Decimal(9)), days=window(12))
    load(conn, *orders, days=window(12))
    values = [Decimal("118.10"), Decimal("-4"), None]
    load(
        conn, *(invoice(str(at), 12, invoice_value=value) for at, value in enumerate(values)), days=window(12), store=UC
    )
    paid(conn, payment("T1", 12, "5.5", None), payment("SRN1", 12, "-3", None, "SRN-Garment Return"), first=12, last=12)
    by_views = {one.store: (one.orders, one.amount) for one in sales.daily_sales(conn, window(12))}
    by_tables = counted(conn, sales.OF_A_WINDOW)
    assert by_views == {store: by_tables["sales", store] for store in ("a668", "sector56")}
    assert by_views["a668"] == (5, Decimal("169.50"))
    (cash,) = sales.daily_collections(conn, window(12))
    assert by_tables["collections", "a668"] == (cash.payments, cash.amount) == (2, Decimal("2.50"))
    assert by_tables["returns", "a668"] == (cash.returns, cash.returned) == (1, Decimal(-3))
    standing = counted(conn, sales.AS_IT_STANDS)
    (owed,) = sales.unpaid(conn, nov(30))
    assert standing["unpaid", "a668"] == (owed.orders, owed.balance) == (4, Decimal(10))
    assert standing["not delivered", "a668"][0] == sum(one.orders for one in sales.open_orders(conn, nov(30))) == 5
    (gst,) = sales.monthly_gst(conn, window(1, 30))
    assert standing["GST", "sector56"] == (gst.invoices, gst.value) == (3, Decimal("114.10"))


def test_it_is_read_at_one_moment_and_writes_nothing(conn: Connection, warehouse: str) -> None:
    with sales.one_moment(conn):
        assert sales.daily_sales(conn, window(12)) == []
        with psycopg.connect(warehouse, autocommit=True) as other:
            load(other, order("T1", 12), days=window(12))
        assert sales.daily_sales(conn, window(12)) == []
    assert len(sales.daily_sales(conn, window(12))) == 1
    with sales.one_moment(conn), pytest.raises(psycopg.errors.ReadOnlySqlTransaction), conn.transaction():
        conn.execute("DELETE FROM fact_uc_gst")
