"""Proof: the right store, the right window, and sums that agree; a row's own mistakes are not judged here."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from crm_assets import workbook
from crm_assets.errors import ChecksumMismatch, WrongStore, WrongWindow
from crm_assets.model import Claims, Store, Window
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets.proof import prove
from crm_assets_tests.fixtures.sandbox import days
from crm_assets_tests.sheets import TD_SAMPLE, UC_SAMPLE, cells_of, written

TD = Store(crm="td", code="a668", name="Uttam Nagar", first_day=date(2025, 11, 1))
UC = Store(crm="uc", code="sushantlok1", name="Sushant Lok 1", first_day=date(2025, 11, 1), booking_prefix="UC610")
THE_DAY = days("2025-11-12")


def prove_gst(file: Path = UC_SAMPLE, *, store: Store = UC, window: Window = THE_DAY, claims: Claims = Claims()) -> int:
    return len(prove(workbook.read(file, GST_REPORT), GST_REPORT, store, window, claims))


def gst_with(folder: Path, header: str, value: object) -> Path:
    """The sample with another value in its first row."""
    cells = cells_of(UC_SAMPLE)
    cells[1][cells[0].index(header)] = value
    return written(folder, cells, sheet="GST Report")


def orders_with(folder: Path, row: int, header: str, value: object) -> Path:
    cells = cells_of(TD_SAMPLE)
    cells[row][cells[0].index(header)] = value
    return written(folder, cells, sheet="Sheet 1")


def test_a_right_file_comes_back_with_the_business_day_of_each_row() -> None:
    for file, report, store in ((TD_SAMPLE, ORDER_REPORT, TD), (UC_SAMPLE, GST_REPORT, UC)):
        table = workbook.read(file, report)
        rows = prove(table, report, store, days("2025-11-01", "2025-11-30"), Claims())
        assert len(rows) == len(table.rows) > 0
        assert set(rows["business_day"]) == {THE_DAY.first}


def test_a_row_outside_the_window_refuses_the_file() -> None:
    with pytest.raises(WrongWindow) as refused:
        prove_gst(window=days("2025-11-13", "2025-11-14"))
    assert str(refused.value) == (
        "uc/sushantlok1: expected rows from 2025-11-13 to 2025-11-14, found rows of 2025-11-12 to 2025-11-12"
    )


def test_one_row_of_another_day_is_enough(tmp_path: Path) -> None:
    with pytest.raises(WrongWindow, match="found rows of 2025-11-13 to 2025-11-13"):
        prove_gst(gst_with(tmp_path, "Invoice Date", "13/11/2025"))


def test_dates_are_read_day_first(tmp_path: Path) -> None:
    """Month-first reading once corrupted ten days of data: 11/12/2025 is the 11th of December."""
    with pytest.raises(WrongWindow, match="found rows of 2025-12-11"):
        prove_gst(gst_with(tmp_path, "Invoice Date", "11/12/2025"))


def test_a_row_whose_date_cannot_be_read_is_filed_under_the_windows_first_day(tmp_path: Path) -> None:
    table = workbook.read(gst_with(tmp_path, "Invoice Date", "11/13/2025"), GST_REPORT)
    rows = prove(table, GST_REPORT, UC, days("2025-11-10", "2025-11-12"), Claims())
    assert list(rows["business_day"])[:2] == [date(2025, 11, 10), date(2025, 11, 12)]


def test_another_stores_booking_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(WrongStore) as refused:
        prove_gst(gst_with(tmp_path, "Booking ID", "UC567-1332"))
    assert str(refused.value) == "uc/sushantlok1: expected bookings that begin with UC610-, found UC567"


def test_a_longer_prefix_is_another_store(tmp_path: Path) -> None:
    with pytest.raises(WrongStore, match="found UC6101"):
        prove_gst(gst_with(tmp_path, "Booking ID", "UC6101-1332"))


def test_a_store_without_a_prefix_cannot_be_told_apart() -> None:
    anyone = Store(crm="uc", code="new", name="New", first_day=date(2025, 11, 1))
    assert prove_gst(store=anyone) > 0


def test_a_lost_row_is_noticed_by_the_footers_count(tmp_path: Path) -> None:
    cells = cells_of(TD_SAMPLE)
    count = len(cells) - 2
    del cells[1]
    table = workbook.read(written(tmp_path, cells, sheet="Sheet 1"), ORDER_REPORT)
    with pytest.raises(ChecksumMismatch) as refused:
        prove(table, ORDER_REPORT, TD, THE_DAY, Claims())
    assert str(refused.value) == f"td/a668: the portal counts {count} rows, the file holds {count - 1}"


@pytest.mark.parametrize("header", ["Pcs.", "Weight", "Gross Amount", "Paid", "Balance", "Advance Used"])
def test_a_changed_amount_is_noticed_by_the_footers_sums(tmp_path: Path, header: str) -> None:
    table = workbook.read(orders_with(tmp_path, 1, header, 77_777), ORDER_REPORT)
    with pytest.raises(ChecksumMismatch, match=rf"td/a668: the portal's total of '{header}' is .*, the rows sum to "):
        prove(table, ORDER_REPORT, TD, THE_DAY, Claims())


def test_sums_may_differ_by_what_binary_fractions_add(tmp_path: Path) -> None:
    cells = cells_of(TD_SAMPLE)
    total = float(cells[-1][cells[0].index("Gross Amount")])
    for off, refused in ((0.04, False), (0.06, True)):
        table = workbook.read(orders_with(tmp_path, -1, "Gross Amount", total + off), ORDER_REPORT)
        if refused:
            with pytest.raises(ChecksumMismatch):
                prove(table, ORDER_REPORT, TD, THE_DAY, Claims())
        else:
            prove(table, ORDER_REPORT, TD, THE_DAY, Claims())


def test_an_export_made_before_the_data_arrived_disagrees_with_the_pages_banner(tmp_path: Path) -> None:
    cells = cells_of(UC_SAMPLE)[:1]
    empty = written(tmp_path, cells, sheet="GST Report")
    with pytest.raises(ChecksumMismatch, match=r"the portal's total of 'Taxable Value' is 1200\.50, the rows sum to 0"):
        prove_gst(empty, claims=Claims(sums={"taxable_value": Decimal("1200.50")}))
    assert prove_gst(empty, claims=Claims(sums={"taxable_value": Decimal(0)})) == 0


def test_an_unreadable_amount_counts_as_nothing_in_a_sum(tmp_path: Path) -> None:
    file = gst_with(tmp_path, "Taxable Value", "a lot")
    rows = workbook.read(file, GST_REPORT).rows["taxable_value"]
    rest = sum(Decimal(str(text)) for text in rows[1:])
    assert prove_gst(file, claims=Claims(sums={"taxable_value": Decimal(rest)})) > 0


def test_what_is_wrong_is_told_without_a_customers_name_or_phone(tmp_path: Path) -> None:
    cells = cells_of(UC_SAMPLE)
    personal = {str(row[at]).strip() for row in cells[1:] for at in (4, 5)}
    messages = []
    for header, value in (("Booking ID", "UC567-1"), ("Invoice Date", "01/01/2020")):
        with pytest.raises((WrongStore, WrongWindow)) as refused:
            prove_gst(gst_with(tmp_path, header, value))
        messages.append(str(refused.value))
    assert len(messages) == 2
    assert [word for word in personal if any(word in message for message in messages)] == []
