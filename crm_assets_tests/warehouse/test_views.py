"""What readers see, on rows small enough to compute by hand."""

from decimal import Decimal
from typing import Any

from crm_assets.errors import ExportTimedOut, LoginRejected, OtpRequired
from crm_assets.warehouse import audit, ledger
from crm_assets.warehouse.connection import Connection
from crm_assets_tests.warehouse.samples import (
    LATER,
    NOW,
    UC,
    fetched,
    invoice,
    load,
    nov,
    opened,
    order,
    staged,
    window,
)
from crm_assets_tests.warehouse.test_audit import a_load


def rupees(**values: str) -> dict[str, Any]:
    return {name: Decimal(value) for name, value in values.items()}


def amounts(conn: Connection) -> dict[str, Decimal]:
    return dict(conn.execute("SELECT order_number, order_amount FROM v_orders ORDER BY 1").fetchall())


def test_the_order_amount_of_a_tumbledry_order(conn: Connection) -> None:
    load(
        conn,
        order("plain", 12, **rupees(gross_amount="120", net_amount="100", adjustment="0")),
        order("waived in part", 12, **rupees(gross_amount="120", net_amount="100", adjustment="10.50")),
        order("a package: net 0", 12, **rupees(gross_amount="50", net_amount="0", adjustment="0")),
        order("negative adjustment", 12, **rupees(gross_amount="30", net_amount="30", adjustment="-5")),
        order("waived beyond its worth", 12, **rupees(gross_amount="20", net_amount="20", adjustment="25")),
        order("nothing known", 12),
        days=window(12),
    )
    assert amounts(conn) == {
        "plain": Decimal(100),
        "waived in part": Decimal("89.50"),
        "a package: net 0": Decimal(50),
        "negative adjustment": Decimal(30),
        "waived beyond its worth": Decimal(0),
        "nothing known": Decimal(0),
    }


def test_the_order_amount_of_an_uclean_invoice_is_its_value(conn: Connection) -> None:
    load(
        conn,
        invoice("1", 12, payment_status="Cash", **rupees(taxable_value="100", invoice_value="118")),
        days=window(12),
        store=UC,
    )
    row = conn.execute(
        "SELECT crm, store, order_number, invoice_number, order_amount, payment_status, paid FROM v_orders"
    ).fetchone()
    assert row == ("uc", "sector56", "UC567-1", "1", Decimal("118.00"), "Cash", None)


def test_a_vanished_order_is_in_no_sum_but_is_counted(conn: Connection) -> None:
    worth = rupees(net_amount="100", paid="40", balance="60")
    load(conn, order("T1", 12, **worth), order("T2", 12, **worth), days=window(12))
    load(conn, order("T1", 12, **worth), days=window(12))
    assert list(amounts(conn)) == ["T1"]
    sales = conn.execute("SELECT orders, order_amount, paid, balance, missing_orders FROM v_daily_sales").fetchall()
    assert sales == [(1, Decimal(100), Decimal(40), Decimal(60), 1)]


def test_a_day_whose_orders_all_vanished_is_a_day_of_zero(conn: Connection) -> None:
    staged(conn, days=window(12))
    load(conn, order("T1", 12, **rupees(net_amount="100")), days=window(12))
    load(conn, days=window(12))
    sales = conn.execute("SELECT orders, order_amount, missing_orders FROM v_daily_sales").fetchall()
    assert sales == [(0, Decimal(0), 1)]


def test_daily_sales_keep_empty_days_and_leave_out_unknown_ones(conn: Connection) -> None:
    staged(conn, days=window(12, 13))
    load(
        conn,
        order("T1", 12, **rupees(net_amount="100")),
        order("T2", 12, **rupees(net_amount="50.50")),
        days=window(12),
    )
    load(conn, invoice("1", 15, **rupees(invoice_value="118")), days=window(15), store=UC)
    sales = conn.execute("SELECT crm, business_day, orders, order_amount FROM v_daily_sales ORDER BY 1, 2").fetchall()
    assert sales == [
        ("td", nov(12), 2, Decimal("150.50")),
        ("td", nov(13), 0, Decimal(0)),
        ("uc", nov(15), 1, Decimal("118.00")),
    ]


def test_freshness_counts_the_gaps_and_remembers_the_last_error(conn: Connection) -> None:
    staged(conn, days=window(10, 11))
    newest = staged(conn, days=window(14))
    audit.record(conn, a_load(newest))
    for error in (ExportTimedOut("ExportTimedOut!"), OtpRequired("OtpRequired!")):
        failed = opened(conn, window(15))
        ledger.record_failure(conn, failed, status="failed", error=error, now=LATER)
    [row] = conn.execute("SELECT * FROM v_freshness").fetchall()
    assert row == ("td", "a668", "order_report", LATER, nov(10), nov(14), 2, LATER, "OtpRequired", "OtpRequired!")


def test_a_store_that_never_worked_stands_in_freshness_too(conn: Connection) -> None:
    failed = opened(conn, window(12), store=UC)
    ledger.record_failure(conn, failed, status="skipped", error=LoginRejected("no"), now=NOW)
    [row] = conn.execute(
        "SELECT store, last_refresh_at, last_day, gap_days, last_error_code FROM v_freshness"
    ).fetchall()
    assert row == ("sector56", None, None, 0, "LoginRejected")


def test_a_failed_load_is_no_refresh(conn: Connection) -> None:
    fetched(conn, window(12, 13))
    load_failed = a_load(1)
    audit.record(
        conn, type(load_failed)(**{**{f: getattr(load_failed, f) for f in load_failed.__slots__}, "status": "failed"})
    )
    assert conn.execute("SELECT last_refresh_at FROM v_freshness").fetchall() == [(None,)]
