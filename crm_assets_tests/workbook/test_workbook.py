"""Workbooks: what is read from the portals' own files: headers, rows, footer, and how drift in them says so."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from crm_assets import workbook
from crm_assets.errors import ChecksumMismatch, HeaderDrift
from crm_assets.model import Footer, Report
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets_tests.sheets import TD_EMPTY, TD_SAMPLE, TINY, UC_EMPTY, UC_SAMPLE, Cells, cells_of, raw, written

SAMPLES = [(TD_SAMPLE, ORDER_REPORT), (UC_SAMPLE, GST_REPORT)]


def shown(cell: object) -> str | None:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return None if cell is None else str(cell)


@pytest.mark.parametrize(("file", "report"), SAMPLES, ids=["td", "uc"])
def test_every_cell_of_a_sample_is_read_as_the_portal_shows_it(file: Path, report: Report) -> None:
    headers, *expected = cells_of(file)
    if report.footer:
        expected.pop()
    table = workbook.read(file, report)
    assert expected
    assert len(table.rows) == len(expected)
    assert list(table.rows["row_number"]) == list(range(2, len(expected) + 2))
    for column in report.columns:
        at = headers.index(column.header)
        assert list(table.rows[column.name]) == [shown(row[at]) for row in expected], column.header
    assert table.extra_headers == ()
    assert set(table.rows["_extra"]) == {None}


def test_the_footer_becomes_the_files_claims() -> None:
    *_, footer = cells_of(TD_SAMPLE)
    claims = workbook.read(TD_SAMPLE, ORDER_REPORT).claims
    assert claims.rows == footer[1]
    assert ORDER_REPORT.footer
    assert set(claims.sums) == set(ORDER_REPORT.footer.sums)
    assert claims.sums["pieces"] == Decimal(str(footer[9]))
    assert workbook.read(UC_SAMPLE, GST_REPORT).claims.rows is None


@pytest.mark.parametrize(
    ("file", "report", "rows"), [(TD_EMPTY, ORDER_REPORT, 0), (UC_EMPTY, GST_REPORT, None)], ids=["td", "uc"]
)
def test_headers_without_rows_are_an_empty_report(file: Path, report: Report, rows: int | None) -> None:
    table = workbook.read(file, report)
    assert (len(table.rows), table.claims.rows) == (0, rows)
    assert {column.name for column in report.columns} < set(table.rows.columns)


def test_na_is_a_text_and_an_empty_cell_is_none() -> None:
    rows = workbook.read(TD_SAMPLE, ORDER_REPORT).rows
    assert "NA" in set(rows["preference"])
    assert set(rows["coupon_code"]) == {None}


def test_a_workbook_of_another_report_is_told_by_its_sheet() -> None:
    with pytest.raises(HeaderDrift, match=r"expected a sheet named 'GST Report', found \['Sheet 1'\]"):
        workbook.read(TD_SAMPLE, GST_REPORT)


def changed(folder: Path, change: Callable[[Cells], object], file: Path = UC_SAMPLE) -> Path:
    cells = cells_of(file)
    change(cells)
    return written(folder, cells, sheet=openpyxl.load_workbook(file).sheetnames[0])


def turn_round(cells: Cells) -> None:
    cells[:] = [row[::-1] for row in cells]


def without_column(cells: Cells) -> None:
    for row in cells:
        del row[4]


def renamed(cells: Cells) -> None:
    cells[0][4] = "Client"


def doubled(cells: Cells) -> None:
    cells[0].append("Customer Name")


def a_formula(cells: Cells) -> None:
    cells[0][4] = '="Customer"&" Name"'


@pytest.mark.parametrize(
    ("change", "found"),
    [(without_column, "[]"), (renamed, "['Client']"), (doubled, "[]"), (a_formula, "['#FORMULA!']")],
    ids=["missing", "renamed", "doubled", "formula"],
)
def test_a_header_that_is_missing_renamed_doubled_or_a_formula_fails_with_expected_and_found(
    tmp_path: Path, change: Callable[[Cells], object], found: str
) -> None:
    with pytest.raises(HeaderDrift) as refused:
        workbook.read(changed(tmp_path, change), GST_REPORT)
    assert f"missing or doubled: ['Customer Name']; not known: {found}" in str(refused.value)


def test_a_sheet_without_its_header_row_does_not_show_the_customers_row_that_stands_there(tmp_path: Path) -> None:
    name = cells_of(UC_SAMPLE)[1][4].strip()
    with pytest.raises(
        HeaderDrift, match=r"expected the 13 columns of uc/gst_report in the first row, found 0"
    ) as told:
        workbook.read(changed(tmp_path, lambda cells: cells.pop(0)), GST_REPORT)
    assert name
    assert name not in str(told.value)


def test_an_empty_sheet_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(HeaderDrift, match="found 0 of them"):
        workbook.read(written(tmp_path, [], sheet="GST Report"), GST_REPORT)


def test_extra_columns_are_kept_beside_the_row(tmp_path: Path) -> None:
    def add(cells: Cells) -> None:
        for number, row in enumerate(cells):
            row.insert(0, ["Coupon", "TEN", 5.0][number] if number < 3 else None)

    table = workbook.read(changed(tmp_path, add), GST_REPORT)
    assert table.extra_headers == ("Coupon",)
    assert list(table.rows["_extra"])[:3] == [{"Coupon": "TEN"}, {"Coupon": "5"}, {"Coupon": None}]
    assert list(table.rows["booking_id"]) == list(workbook.read(UC_SAMPLE, GST_REPORT).rows["booking_id"])


def test_the_order_of_the_columns_does_not_matter(tmp_path: Path) -> None:
    table = workbook.read(changed(tmp_path, turn_round), GST_REPORT)
    assert table.rows.equals(workbook.read(UC_SAMPLE, GST_REPORT).rows)


def test_a_sheet_without_its_totals_row_is_cut_short(tmp_path: Path) -> None:
    with pytest.raises(ChecksumMismatch, match="expected the totals row 'Total order' at the end of the sheet"):
        workbook.read(changed(tmp_path, lambda cells: cells.pop(), TD_SAMPLE), ORDER_REPORT)
    with pytest.raises(ChecksumMismatch, match="found nothing: the file is cut short"):
        workbook.read(changed(tmp_path, lambda cells: cells.pop(), TD_EMPTY), ORDER_REPORT)


@pytest.mark.parametrize("total", [None, "n/a", "NaN", "Infinity", "1_0", "=1+1", "1,5"])
def test_a_totals_row_without_a_number_is_refused(tmp_path: Path, total: str | None) -> None:
    def spoil(cells: Cells) -> None:
        cells[-1][9] = total

    with pytest.raises(ChecksumMismatch, match="expected a number in the totals row, found"):
        workbook.read(changed(tmp_path, spoil, TD_SAMPLE), ORDER_REPORT)


TOTAL = '<row r="9"><c r="A9" t="str"><v>Total</v></c><c r="B9"><v>0</v></c><c r="C9"><v>0</v></c></row>'
TOTALLED = replace(TINY, footer=Footer(label="Total", count="day", sums=("amount",)))


def test_a_merge_in_the_header_or_in_the_footer_refuses_the_file(tmp_path: Path) -> None:
    assert len(workbook.read(raw(tmp_path, TOTAL), TOTALLED).rows) == 7
    with pytest.raises(HeaderDrift, match=r"missing or doubled: \['Day'\]; not known: \['#MERGED!'\]"):
        workbook.read(raw(tmp_path, TOTAL, beside='<mergeCells><mergeCell ref="A1:B1"/></mergeCells>'), TOTALLED)
    with pytest.raises(ChecksumMismatch, match="expected a number in the totals row, found #MERGED!"):
        workbook.read(raw(tmp_path, TOTAL, beside='<mergeCells><mergeCell ref="A9:C9"/></mergeCells>'), TOTALLED)


@pytest.mark.parametrize("count", ["0.5", "-1"])
def test_a_totals_row_counts_whole_rows(tmp_path: Path, count: str) -> None:
    with pytest.raises(ChecksumMismatch, match=f"expected a whole number of rows in the totals row, found {count}"):
        workbook.read(raw(tmp_path, TOTAL.replace("<v>0</v>", f"<v>{count}</v>", 1)), TOTALLED)


def test_the_label_of_the_totals_row_is_found_wherever_the_first_column_stands(tmp_path: Path) -> None:
    table = workbook.read(changed(tmp_path, turn_round, TD_SAMPLE), ORDER_REPORT)
    assert table.claims == workbook.read(TD_SAMPLE, ORDER_REPORT).claims


def test_a_column_that_a_file_may_lack_is_empty_and_not_summed(tmp_path: Path) -> None:
    def without_tax(cells: Cells) -> None:
        at = cells[0].index("Tax")
        for row in cells:
            del row[at]

    file = changed(tmp_path, without_tax, TD_SAMPLE)
    with pytest.raises(HeaderDrift, match=r"missing or doubled: \['Tax'\]"):
        workbook.read(file, ORDER_REPORT)
    table = workbook.read(file, with_column(ORDER_REPORT, "tax", optional=True))
    assert set(table.rows["tax"]) == {None}
    assert "tax" not in table.claims.sums


def test_a_columns_other_name_is_known_but_not_both_names_at_once(tmp_path: Path) -> None:
    report = with_column(GST_REPORT, "customer_name", aliases=("Client", "Buyer"))
    table = workbook.read(changed(tmp_path, renamed), report)
    assert list(table.rows["customer_name"]) == list(workbook.read(UC_SAMPLE, GST_REPORT).rows["customer_name"])
    assert table.extra_headers == ()
    with pytest.raises(HeaderDrift, match=r"missing or doubled: \['Customer Name'\]; not known: \[\]"):
        workbook.read(changed(tmp_path, lambda cells: cells[0].append("Client")), report)


def with_column(report: Report, name: str, **changes: Any) -> Report:
    columns = (replace(column, **changes) if column.name == name else column for column in report.columns)
    return replace(report, columns=tuple(columns))


def test_headers_may_hold_spaces_of_any_kind(tmp_path: Path) -> None:
    def spread(cells: Cells) -> None:
        cells[0] = [f" {header.replace(' ', chr(10))}\u00a0" for header in cells[0]]

    assert workbook.read(changed(tmp_path, spread), GST_REPORT).headers == workbook.read(UC_SAMPLE, GST_REPORT).headers


def test_every_unknown_column_that_holds_anything_is_kept_by_a_name_of_its_own(tmp_path: Path) -> None:
    def add(cells: Cells) -> None:
        for number, row in enumerate(cells):
            row += [
                "Coupon (15)" if number == 0 else None,
                "Coupon" if number == 0 else "one",
                "Coupon" if number == 0 else "two",
                None if number == 0 else "three",
                None,
                "column 17" if number == 0 else "four",
            ]

    table = workbook.read(changed(tmp_path, add), GST_REPORT)
    assert len(set(table.extra_headers)) == 5
    assert table.rows["_extra"][0] == {
        "Coupon (15)": None,
        "Coupon": "one",
        "Coupon (16)": "two",
        "column 17 (17)": "three",
        "column 17": "four",
    }


def test_blank_rows_before_the_header_and_after_the_data_do_not_count_but_one_between_does(tmp_path: Path) -> None:
    def spread(cells: Cells) -> None:
        cells[:] = [[], [" "], cells[0], cells[1], [None] * 13, *cells[2:], [" ", "\u00a0"], [""], [None]]

    original = workbook.read(UC_SAMPLE, GST_REPORT).rows
    rows = workbook.read(changed(tmp_path, spread), GST_REPORT).rows
    assert list(rows["row_number"]) == list(range(4, 5 + len(original)))
    assert rows.iloc[1].drop("row_number").isna().all()
    assert list(rows["booking_id"]) == [original["booking_id"][0], None, *original["booking_id"][1:]]


def test_the_content_has_a_fingerprint_of_its_own_whatever_the_bytes(tmp_path: Path) -> None:
    original = workbook.read(UC_SAMPLE, GST_REPORT).content_md5
    same = changed(tmp_path, lambda cells: None)
    assert same.read_bytes() != UC_SAMPLE.read_bytes()
    assert workbook.read(same, GST_REPORT).content_md5 == original

    def pay(cells: Cells) -> None:
        cells[1][6] = "paid in shells"

    assert workbook.read(changed(tmp_path, pay), GST_REPORT).content_md5 != original
