"""UClean's invoices: drawn once with the day they are paid, then shown as of a moment.

Bookings are numbered through for ever, invoices from one again in every fiscal year (April to March).
"""

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random

from crm_assets.sandbox.books.people import Customer, customer
from crm_assets.sandbox.books.series import Series, count_before, times_on
from crm_assets.sandbox.layouts import Row
from crm_assets.sandbox.stores import SandboxStore

_FIRST_BOOKING = 300
_GST_SHARE = 0.09
_PLACE = "Gurugram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One invoice; ``paid_at`` is the moment from which it is no longer Pending."""

    booking: str
    number: str
    at: datetime
    customer: Customer
    gstin: str | None
    taxable: float
    tax: float
    total: float
    paid_at: datetime
    paid_by: str

    def payment_status(self, now: datetime) -> str:
        return self.paid_by if self.paid_at <= now else "Pending"


@lru_cache(maxsize=5_000)
def invoices_on(seed: str, store: SandboxStore, day: date) -> tuple[Invoice, ...]:
    """All invoices the day will have had."""
    series = Series(seed=seed, store=store.code, mean=3.6, most=12)
    chance = series.draw(day, "invoices")
    before = count_before(series, day)
    since_april = before - count_before(series, _fiscal_year_start(day))
    return tuple(
        _invoice(
            series,
            chance,
            at,
            booking=f"{store.prefix}-{_FIRST_BOOKING + before + index}",
            number=f"{store.prefix}-{_fiscal_year(day)}-{since_april + index + 1}",
        )
        for index, at in enumerate(times_on(series, day))
    )


def invoice_row(serial: int, invoice: Invoice, now: datetime) -> Row:
    """The invoice as the GST workbook writes it at a moment."""
    return {
        "S.No.": serial,
        "Booking ID": invoice.booking,
        "Invoice No.": invoice.number,
        "Invoice Date": invoice.at.strftime("%d/%m/%Y"),
        "Customer Name": invoice.customer.name,
        "Customer Ph. No.": invoice.customer.phone,
        "Payment Status": invoice.payment_status(now),
        "Customer GSTIN": invoice.gstin,
        "Place of Supply": _PLACE,
        "Taxable Value": invoice.taxable,
        "CGST": invoice.tax,
        "SGST": invoice.tax,
        "Total Invoice Value": invoice.total,
    }


def tax_report_entry(invoice: Invoice, now: datetime) -> dict[str, str | float | None]:
    """The invoice as the API tells it: other names, and the time of day."""
    return {
        "order_number": invoice.booking,
        "invoice_number": invoice.number,
        "invoice_date": invoice.at.strftime("%Y-%m-%d %H:%M:%S"),
        "name": invoice.customer.name,
        "customer_phone": invoice.customer.phone,
        "customer_gst": invoice.gstin,
        "city_name": _PLACE,
        "taxable_value": invoice.taxable,
        "cgst": invoice.tax,
        "sgst": invoice.tax,
        "final_amount": invoice.total,
        "payment_status": invoice.payment_status(now),
    }


def _invoice(series: Series, chance: Random, at: datetime, *, booking: str, number: str) -> Invoice:
    taxable = round(chance.uniform(50, 1400), 2)
    tax = round(taxable * _GST_SHARE, 2)
    rounding = chance.choice((0.01, -0.02, 0.05)) if chance.random() < 0.1 else 0
    return Invoice(
        booking=booking,
        number=number,
        at=at,
        customer=_as_uclean_stores(customer(series, chance), chance),
        gstin="06AAAAA0000A1Z5" if chance.random() < 0.03 else None,
        taxable=taxable,
        tax=tax,
        total=round(taxable + 2 * tax + rounding, 2),
        paid_at=at + timedelta(days=chance.lognormvariate(math.log(3), 1.2)),
        paid_by=chance.choice(("Cash", "UPI/Wallet App")),
    )


def _as_uclean_stores(person: Customer, chance: Random) -> Customer:
    """Names as they were typed, some with a space behind; digits only, rarely one too few."""
    name = person.name + (" " if chance.random() < 0.1 else "")
    phone = person.phone if person.phone.isdigit() else "9000000000"
    digits = 9 if chance.random() < 0.01 else 10
    return Customer(code=person.code, name=name, address=person.address, phone=phone[:digits])


def _fiscal_year_start(day: date) -> date:
    return date(day.year if day.month >= 4 else day.year - 1, 4, 1)


def _fiscal_year(day: date) -> str:
    """``2025-26`` for every day from 1 April 2025 to 31 March 2026."""
    start = _fiscal_year_start(day).year
    return f"{start}-{(start + 1) % 100:02d}"
