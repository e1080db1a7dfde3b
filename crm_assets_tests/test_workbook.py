"""Workbooks: what is read from the portals' own files, and how a file that is not the report says so."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from crm_assets import workbook
from crm_assets.errors import ChecksumMismatch, HeaderDrift, NotAWorkbook
from crm_assets.model import Report
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets_tests.sheets import TD_EMPTY, TD_SAMPLE, UC_EMPTY, UC_SAMPLE, Cells, cells_of, written

SAMPLES = [(TD_SAMPLE, ORDER_REPORT), (UC_SAMPLE, GST_REPORT)]


def shown(cell: object) -> str | None:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return None if cell is None else str(cell)


@pytest.mark.parametrize(("file", "report"), SAMPLES)
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


@pytest.mark.parametrize(("file", "report", "rows"), [(TD_EMPTY, ORDER_REPORT, 0), (UC_EMPTY, GST_REPORT, None)])
def test_headers_without_rows_are_an_empty_report(file: Path, report: Report, rows: int | None) -> None:
    table = workbook.read(file, report)
    assert (len(table.rows), table.claims.rows) == (0, rows)
    assert {column.name for column in report.columns} < set(table.rows.columns)


def test_na_is_a_text_and_an_empty_cell_is_none() -> None:
    rows = workbook.read(TD_SAMPLE, ORDER_REPORT).rows
    assert "NA" in set(rows["preference"])
    assert set(rows["coupon_code"]) == {None}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file of 0 bytes that begins b''"),
        (b"<!DOCTYPE html><html>Login</html>", "an HTML page of 33 bytes that begins b'<!DOCTYPE html>"),
        (b"\n  <html></html>", "an HTML page of 16 bytes"),
        (b'{"data": []}', "something else of 12 bytes"),
    ],
)
def test_a_file_that_is_no_workbook_is_told_by_its_first_bytes(tmp_path: Path, content: bytes, kind: str) -> None:
    file = tmp_path / "report.xlsx"
    file.write_bytes(content)
    with pytest.raises(NotAWorkbook) as refused:
        workbook.read(file, GST_REPORT)
    assert f"expected an .xlsx workbook, found {kind}" in str(refused.value)


@pytest.mark.parametrize("kept", [10, 1_000, 10_000, -30])
def test_a_truncated_workbook_is_a_damaged_one(tmp_path: Path, kept: int) -> None:
    file = tmp_path / "report.xlsx"
    file.write_bytes(TD_SAMPLE.read_bytes()[:kept])
    with pytest.raises(NotAWorkbook, match="found a damaged one"):
        workbook.read(file, ORDER_REPORT)


def test_a_workbook_of_another_report_is_told_by_its_sheet() -> None:
    with pytest.raises(HeaderDrift, match=r"expected a sheet named 'GST Report', found \['Sheet 1'\]"):
        workbook.read(TD_SAMPLE, GST_REPORT)


def changed(folder: Path, change: Callable[[Cells], object], file: Path = UC_SAMPLE) -> Path:
    cells = cells_of(file)
    change(cells)
    return written(folder, cells, sheet=openpyxl.load_workbook(file).sheetnames[0])


def without_column(cells: Cells) -> None:
    for row in cells:
        del row[4]


def renamed(cells: Cells) -> None:
    cells[0][4] = "Client"


def doubled(cells: Cells) -> None:
    cells[0].append("Customer Name")


@pytest.mark.parametrize(
    ("change", "found"),
    [(without_column, "[]"), (renamed, "['Client']"), (doubled, "[]")],
    ids=["missing", "renamed", "doubled"],
)
def test_a_missing_renamed_or_doubled_header_fails_with_expected_and_found(
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
    def turn_round(cells: Cells) -> None:
        cells[:] = [row[::-1] for row in cells]

    table = workbook.read(changed(tmp_path, turn_round), GST_REPORT)
    assert table.rows.equals(workbook.read(UC_SAMPLE, GST_REPORT).rows)


def test_a_sheet_without_its_totals_row_is_cut_short(tmp_path: Path) -> None:
    with pytest.raises(ChecksumMismatch, match="expected the totals row 'Total order' at the end of the sheet"):
        workbook.read(changed(tmp_path, lambda cells: cells.pop(), TD_SAMPLE), ORDER_REPORT)
    with pytest.raises(ChecksumMismatch, match="found nothing: the file is cut short"):
        workbook.read(changed(tmp_path, lambda cells: cells.pop(), TD_EMPTY), ORDER_REPORT)


@pytest.mark.parametrize("total", [None, "n/a", "NaN", "Infinity"])
def test_a_totals_row_without_a_number_is_refused(tmp_path: Path, total: str | None) -> None:
    def spoil(cells: Cells) -> None:
        cells[-1][9] = total

    with pytest.raises(ChecksumMismatch, match="expected a number in the totals row, found"):
        workbook.read(changed(tmp_path, spoil, TD_SAMPLE), ORDER_REPORT)


def test_the_content_has_a_fingerprint_of_its_own_whatever_the_bytes(tmp_path: Path) -> None:
    original = workbook.read(UC_SAMPLE, GST_REPORT).content_md5
    same = changed(tmp_path, lambda cells: None)
    assert same.read_bytes() != UC_SAMPLE.read_bytes()
    assert workbook.read(same, GST_REPORT).content_md5 == original

    def pay(cells: Cells) -> None:
        cells[1][6] = "paid in shells"

    assert workbook.read(changed(tmp_path, pay), GST_REPORT).content_md5 != original
