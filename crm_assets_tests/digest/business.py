"""Three stores' business over a few months, small enough to be added up again in a test; loaded by the product's own loaders."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from crm_assets.model import IST, Store, Window
from crm_assets.portals.tumbledry.reports import ORDER_REPORT, SALES_AND_DELIVERY
from crm_assets.warehouse import staging
from crm_assets.warehouse.connection import Connection
from crm_assets_tests.warehouse.samples import invoice, load, order, typed

FIRST = date(2025, 9, 1)
TODAY = date(2025, 11, 24)
MADE_AT = datetime(2025, 11, 24, 15, 0, tzinfo=UTC)
QUIET = date(2025, 11, 20)
"""A day that was fetched, and nobody sold anything."""
NEVER_FETCHED = date(2025, 11, 18)

UTTAM = Store(crm="td", code="a668", name="Uttam Nagar", first_day=FIRST)
KIRTI = Store(crm="td", code="a817", name="Kirti Nagar", first_day=FIRST)
SECTOR = Store(crm="uc", code="sector56", name="Sector 56", first_day=FIRST)
STORES = (UTTAM, KIRTI, SECTOR)
DAYS = [day for day in Window(first=FIRST, last=TODAY).days() if day not in (QUIET, NEVER_FETCHED)]

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """What was loaded, by store."""

    orders: dict[Store, list[Row]]
    payments: dict[Store, list[Row]]
    invoices: list[Row]


def done(conn: Connection, seed: str = "digest") -> Business:
    """Draw it and load it."""
    chance = random.Random(seed)  # noqa: S311 - invented data
    orders = {
        store: [_order(chance, store, day, at) for day in DAYS for at in range(chance.randint(1, 4))]
        for store in (UTTAM, KIRTI)
    }
    payments = {store: [payment for one in orders[store] for payment in _payments(chance, one)] for store in orders}
    invoices = [_invoice(chance, day, at) for day in DAYS for at in range(chance.randint(1, 3))]
    span = Window(first=FIRST, last=TODAY)
    for store in orders:
        load(conn, *orders[store], days=span, store=store)
        load(conn, *payments[store], days=span, store=store, report=SALES_AND_DELIVERY)
        _fetched_without_a_sale(conn, store)
    load(conn, *invoices, days=span, store=SECTOR)
    return Business(orders=orders, payments=payments, invoices=invoices)


def worth(one: Row) -> Decimal:
    """What an order counts with."""
    value = one["net_amount"] or one["gross_amount"]
    return max(value - max(one["adjustment"], Decimal(0)), Decimal(0))


def _order(chance: random.Random, store: Store, day: date, at: int) -> Row:
    gross = Decimal(chance.randint(100, 90_000)) / 100
    net = chance.choice([gross, gross - 10, Decimal(0)])
    paid = chance.choice([net, Decimal(0)])
    return order(f"T{day:%m%d}{at}", 1) | {
        "business_day": day,
        "ordered_at": datetime.combine(day, time(12, at), IST),
        "due_on": day + timedelta(days=3),
        "gross_amount": gross,
        "net_amount": net,
        "adjustment": chance.choice([Decimal(0), Decimal(0), Decimal(7), Decimal(-5)]),
        "paid": paid,
        "balance": net - paid,
        "order_status": chance.choice(["Delivered", "Delivered", "Delivered", "Ready", "Inprocessing", "Unprocessed"]),
        "customer_name": "Asha Sample",
        "customer_phone": "9123456780",
    }


def _payments(chance: random.Random, one: Row) -> list[Row]:
    """Two days after the order, where that has come; now and then a return."""
    day = one["business_day"] + timedelta(days=2)
    if day > TODAY or day in (QUIET, NEVER_FETCHED):
        return []
    mode = chance.choice(["Cash", "Paytm", "Package"])
    rows = [_payment(one["order_number"], day, one["net_amount"], mode if one["net_amount"] else None, "Order")]
    if chance.random() < 0.1:
        rows.append(_payment(f"SRN{one['order_number'][1:]}", day, Decimal(-20), "Cash", "SRN-Garment Return"))
    return rows


def _payment(number: str, day: date, amount: Decimal, mode: str | None, kind: str) -> Row:
    blank = dict.fromkeys(column.name for column in SALES_AND_DELIVERY.fact_columns)
    return blank | {
        "business_day": day,
        "paid_at": datetime.combine(day, time(18), IST),
        "order_number": number,
        "payment_received": amount,
        "payment_mode": mode,
        "entry_type": kind,
        "payment_key": f"{number} | {day} | {mode}",
    }


def _invoice(chance: random.Random, day: date, at: int) -> Row:
    taxable = Decimal(chance.randint(10_000, 80_000)) / 100
    tax = (taxable * 9 / 100).quantize(Decimal("0.01"))
    return invoice(f"{day:%m%d}-{at}", 1) | {
        "business_day": day,
        "invoiced_on": day,
        "taxable_value": taxable,
        "cgst": tax,
        "sgst": tax,
        "invoice_value": taxable + 2 * tax,
    }


def _fetched_without_a_sale(conn: Connection, store: Store) -> None:
    ledger_id = conn.execute("SELECT max(ledger_id) FROM download_ledger").fetchone()[0]  # type: ignore[index]
    no_rows = typed(report=ORDER_REPORT).assign(row_number=None, _extra=None)
    staging.replace_slices(
        conn, ORDER_REPORT, store=store.code, ledger_id=ledger_id, days=[QUIET], rows=no_rows, now=MADE_AT
    )
