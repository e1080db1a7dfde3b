"""Proof: the right store, the right window, and sums that agree; a row's own mistakes are not judged here."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from crm_assets import workbook
from crm_assets.errors import (
    ChecksumMismatch,
    DatesSwapped,
    DuplicateKeys,
    TooManyRejects,
    UnprovenEmpty,
    WrongStore,
    WrongWindow,
)
from crm_assets.model import IST, Claims, Store, Window
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets.proof import prove, refuse_bad_rows
from crm_assets.rows import TypedRows, read_rows
from crm_assets_tests.fixtures.sandbox import days
from crm_assets_tests.sheets import TD_EMPTY, TD_SAMPLE, UC_MONTH, UC_SAMPLE, Cells, cells_of, written

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
        "uc/sushantlok1: expected rows from 2025-11-13 to 2025-11-14, found rows of 2025-11-12 to 2025-11-12. "
        "Nothing was loaded: look at the kept file"
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
    assert (
        str(refused.value)
        == "uc/sushantlok1: expected bookings that begin with UC610-, found UC567. Nothing was loaded"
    )


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
    assert (
        str(refused.value) == f"td/a668: the portal counts {count} rows, the file holds {count - 1}. Nothing was loaded"
    )


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


def test_a_column_with_an_unreadable_amount_is_not_compared_but_the_others_are(tmp_path: Path) -> None:
    file = gst_with(tmp_path, "Taxable Value", "a lot")
    assert prove_gst(file, claims=Claims(sums={"taxable_value": Decimal(77_777)})) > 0
    with pytest.raises(ChecksumMismatch, match="the portal's total of 'CGST' is 77777"):
        prove_gst(file, claims=Claims(sums={"cgst": Decimal(77_777)}))


def test_amounts_with_commas_and_rupee_signs_are_summed(tmp_path: Path) -> None:
    cells = cells_of(UC_SAMPLE)
    at = cells[0].index("Taxable Value")
    total = sum((Decimal(str(row[at])) for row in cells[1:]), Decimal(0))
    cells[1][at] = f"₹ {cells[1][at]:,}"
    file = written(tmp_path, cells, sheet="GST Report")
    assert prove_gst(file, claims=Claims(sums={"taxable_value": total})) > 0


def gst_dated(folder: Path, *texts: object) -> Path:
    """The sample's invoices, as many as there are dates, with these dates."""
    cells = cells_of(UC_SAMPLE)[: len(texts) + 1]
    for row, text in zip(cells[1:], texts, strict=True):
        row[3] = text
    return written(folder, cells, sheet="GST Report")


NOVEMBER = days("2025-11-01", "2025-11-30")


@pytest.mark.parametrize(
    ("texts", "swapped", "straight"),
    [
        (["11/25/2025"], 1, 0),
        (["11/12/2025", "11/12/2025", "11/13/2025"], 3, 0),
        (["11/01/2025", "11/02/2025", "11/11/2025"], 2, 0),
        (["11/28/2025", "11/29/2025", "12/11/2025"], 2, 1),
    ],
)
def test_dates_that_make_sense_month_first_only_refuse_the_file(
    tmp_path: Path, texts: list[str], swapped: int, straight: int
) -> None:
    with pytest.raises(DatesSwapped) as refused:
        prove_gst(gst_dated(tmp_path, *texts), window=NOVEMBER)
    assert str(refused.value) == (
        f"uc/sushantlok1: expected dates of 2025-11-01 to 2025-11-30 day first, found {swapped} that only make sense month "
        f"first and {straight} that only make sense day first. Nothing was loaded: look at the kept file"
    )


@pytest.mark.parametrize("odd", ["11/13/2025", "31/11/2025", "soon", None, "2025-11-12", "2025-11-12T00:00:00x"])
def test_one_bad_date_among_good_ones_rejects_its_row_only(tmp_path: Path, odd: str | None) -> None:
    file = gst_dated(tmp_path, "12/11/2025", odd, "13/11/2025")
    typed = read_rows(prove(workbook.read(file, GST_REPORT), GST_REPORT, UC, NOVEMBER, Claims()), GST_REPORT)
    assert [(reject.row_number, reject.problems[0].column) for reject in typed.rejects] == [(3, "invoiced_on")]
    assert len(typed.rows) == 2
    refuse_bad_rows(typed, GST_REPORT, str(UC), limit=0.1)


def test_a_spreadsheets_own_dates_are_days(tmp_path: Path) -> None:
    file = gst_dated(tmp_path, datetime(2025, 11, 12), date(2025, 11, 13), datetime(2025, 11, 14, 9, 30))  # noqa: DTZ001
    rows = prove(workbook.read(file, GST_REPORT), GST_REPORT, UC, NOVEMBER, Claims())
    assert list(rows["invoiced_on"]) == ["2025-11-12T00:00:00", "2025-11-13T00:00:00", "2025-11-14T09:30:00"]
    typed = read_rows(rows, GST_REPORT)
    assert list(typed.rows["invoiced_on"]) == [date(2025, 11, 12), date(2025, 11, 13)]
    assert [reject.problems[0].column for reject in typed.rejects] == ["invoiced_on"]


def test_a_spreadsheets_own_moment_is_when_an_order_was_booked(tmp_path: Path) -> None:
    moment = datetime(2025, 11, 12, 9, 44, 50)  # noqa: DTZ001
    table = workbook.read(orders_with(tmp_path, 1, "Order Date / Time", moment), ORDER_REPORT)
    typed = read_rows(prove(table, ORDER_REPORT, TD, THE_DAY, Claims()), ORDER_REPORT)
    assert typed.rows["ordered_at"][0] == moment.replace(tzinfo=IST)


def test_no_row_is_believed_only_where_the_portal_says_so(tmp_path: Path) -> None:
    empty = written(tmp_path, cells_of(UC_SAMPLE)[:1], sheet="GST Report")
    for claims in (Claims(rows=0), Claims(sums={"taxable_value": Decimal(0), "cgst": Decimal("0.00")})):
        assert prove_gst(empty, claims=claims) == 0
    with pytest.raises(UnprovenEmpty) as refused:
        prove_gst(empty)
    assert str(refused.value) == (
        "uc/sushantlok1: expected rows of 2025-11-12 to 2025-11-12 or a total of 0 beside them, found uc/gst_report with its "
        "headers alone. Nothing was loaded; try again later"
    )


def test_the_footer_of_an_empty_order_report_says_so() -> None:
    assert prove(workbook.read(TD_EMPTY, ORDER_REPORT), ORDER_REPORT, TD, THE_DAY, Claims()).empty


@pytest.mark.parametrize("booking", ["Anne-Marie Example", "98765-43210", "uc610-1"])
def test_what_is_no_booking_of_any_store_refuses_the_file_and_is_not_shown(tmp_path: Path, booking: str) -> None:
    with pytest.raises(WrongStore) as refused:
        prove_gst(gst_with(tmp_path, "Booking ID", booking))
    assert str(refused.value) == (
        "uc/sushantlok1: expected bookings that begin with UC610-, found bookings without a store. Nothing was loaded"
    )


def test_another_stores_booking_is_one_without_its_dash_too(tmp_path: Path) -> None:
    with pytest.raises(WrongStore, match="found UC567"):
        prove_gst(gst_with(tmp_path, "Booking ID", "UC567 1332"))


@pytest.mark.parametrize("booking", [None, "", "Placeholder", "UC610 640", "UC610"])
def test_a_booking_that_names_no_store_is_for_its_row_to_answer(tmp_path: Path, booking: str | None) -> None:
    assert prove_gst(gst_with(tmp_path, "Booking ID", booking)) > 0


def typed_gst(folder: Path, change: Callable[[Cells], object]) -> TypedRows:
    """The month's many invoices of a store, changed, typed."""
    cells = cells_of(UC_MONTH)
    change(cells)
    table = workbook.read(written(folder, cells, sheet="GST Report"), GST_REPORT)
    return read_rows(table.rows.assign(business_day=THE_DAY.first), GST_REPORT)


def test_two_rows_of_one_key_refuse_the_file(tmp_path: Path) -> None:
    typed = typed_gst(tmp_path, lambda cells: cells.append([*cells[1][:2], f" {cells[1][2]} ", *cells[1][3:]]))
    with pytest.raises(DuplicateKeys) as refused:
        refuse_bad_rows(typed, GST_REPORT, "uc/sector56", limit=0.1)
    key = typed.rows["invoice_number"][0]
    assert str(refused.value) == (
        f"uc/sector56: expected each invoice_number once, found 1 repeated, {key} first. Nothing was loaded"
    )


@pytest.mark.parametrize(
    ("bad", "limit", "refused"),
    [(0, 0.1, False), (3, 0.0, False), (4, 0.0, True), (11, 0.1, False), (12, 0.1, True), (118, 1.0, False)],
)
def test_more_bad_rows_than_a_few_and_than_the_limit_refuse_the_file(
    tmp_path: Path, bad: int, limit: float, refused: bool
) -> None:
    def spoil(cells: Cells) -> None:
        for row in cells[1 : bad + 1]:
            row[9] = "a lot"
            row[4] = "Name That Nobody Should See"

    typed = typed_gst(tmp_path, spoil)
    assert (len(typed.rejects), len(typed.rejects) + len(typed.rows)) == (bad, 118)
    if not refused:
        return refuse_bad_rows(typed, GST_REPORT, "uc/sector56", limit=limit)
    with pytest.raises(TooManyRejects) as told:
        refuse_bad_rows(typed, GST_REPORT, "uc/sector56", limit=limit)
    assert str(told.value).startswith(
        f"uc/sector56: expected at most {limit:.0%} of the rows to break a rule, found {bad} of 118: "
        f"taxable_value: an amount in rupees ({bad}). Nothing was loaded"
    )
    return None


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
