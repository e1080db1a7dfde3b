"""UClean's invoices: two numberings, the tax, and payment over days."""

from datetime import date, datetime, timedelta

import pytest

from crm_assets.model import IST, Window
from crm_assets.sandbox.books.uclean import Invoice, invoice_row, invoices_on, tax_report_entry
from crm_assets.sandbox.layouts import GST_REPORT
from crm_assets.sandbox.stores import find_store

YEAR = Window(first=date(2025, 6, 1), last=date(2026, 5, 31))
LATER = datetime(2027, 1, 1, tzinfo=IST)


@pytest.fixture(scope="module")
def invoices() -> list[Invoice]:
    store = find_store("uc", "sector56")
    assert store
    return [invoice for day in YEAR.days() for invoice in invoices_on("demo", store, day)]


def test_bookings_run_through_and_invoices_begin_again_in_april(invoices: list[Invoice]) -> None:
    bookings = [int(invoice.booking.removeprefix("UC567-")) for invoice in invoices]
    assert bookings == list(range(bookings[0], bookings[0] + len(bookings)))
    before = [invoice.number for invoice in invoices if invoice.at.date() < date(2026, 4, 1)]
    after = [invoice.number for invoice in invoices if invoice.at.date() >= date(2026, 4, 1)]
    assert all(number.startswith("UC567-2025-26-") for number in before)
    assert after[:2] == ["UC567-2026-27-1", "UC567-2026-27-2"]
    assert len({*before, *after}) == len(invoices)


def test_the_tax_is_twice_nine_percent_and_the_total_is_the_sum(invoices: list[Invoice]) -> None:
    for invoice in invoices:
        assert abs(invoice.tax - invoice.taxable * 0.09) <= 0.0051
        assert abs(invoice.total - invoice.taxable - 2 * invoice.tax) <= 0.06


def test_the_workbook_and_the_api_tell_the_same_invoice(invoices: list[Invoice]) -> None:
    row, entry = invoice_row(1, invoices[0], LATER), tax_report_entry(invoices[0], LATER)
    assert tuple(row) == GST_REPORT.headers
    assert row["Invoice Date"] == invoices[0].at.strftime("%d/%m/%Y")
    assert entry["invoice_date"] == invoices[0].at.strftime("%Y-%m-%d %H:%M:%S")
    assert (row["Booking ID"], row["Invoice No."]) == (entry["order_number"], entry["invoice_number"])
    assert (row["CGST"], row["Total Invoice Value"]) == (entry["cgst"], entry["final_amount"])


def test_invoices_are_pending_until_they_are_paid(invoices: list[Invoice]) -> None:
    invoice = invoices[0]
    assert invoice.payment_status(invoice.paid_at - timedelta(seconds=1)) == "Pending"
    assert invoice.payment_status(invoice.paid_at) in ("Cash", "UPI/Wallet App")
    a_day_on = {each.payment_status(each.at + timedelta(days=1)) for each in invoices}
    assert a_day_on == {"Pending", "Cash", "UPI/Wallet App"}


def test_some_names_end_in_a_space_and_some_phones_lack_a_digit(invoices: list[Invoice]) -> None:
    assert any(invoice.customer.name.endswith(" ") for invoice in invoices)
    assert {len(invoice.customer.phone) for invoice in invoices} >= {9, 10}
