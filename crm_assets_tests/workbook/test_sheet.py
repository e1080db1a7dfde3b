"""The sheet: rows and cells in order, each once; formulas and merges in words; nothing too far away."""

from pathlib import Path

import pytest

from crm_assets import workbook
from crm_assets.errors import BadReport, NotAWorkbook, TooLarge
from crm_assets.workbook import sheet
from crm_assets_tests.sheets import MAIN, SHEET, TINY, raw

ROWS = "".join(
    f'<row r="{row}"><c r="A{row}" t="str"><v>T{row}</v></c><c r="C{row}"><v>{row}</v></c></row>' for row in (2, 3, 4)
)


def grid(file: Path) -> list[list[str | None]]:
    rows = workbook.read(file, TINY).rows
    return [list(row) for row in rows[["key", "day", "amount"]].itertuples(index=False)]


def test_cells_without_a_place_stand_beside_the_one_before(tmp_path: Path) -> None:
    rows = '<row><c t="str"><v>T2</v></c><c/><c><v>2</v></c></row><row r="4"><c r="C4"><v>4</v></c></row>'
    assert grid(raw(tmp_path, rows)) == [["T2", None, "2"], [None, None, None], [None, None, "4"]]


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="2"/><row r="2"/>',
        '<row r="1"/>',
        '<row r="0"/>',
        '<row r="x"/>',
        '<row r="\u0662"/>',
        '<row r="2"><c r="B2"/><c r="A2"/></row>',
        '<row r="2"><c r="A2"/><c r="A2"/></row>',
        '<row r="2"><c r="A3"/></row>',
        '<row r="2"><c r="a2"/></row>',
        '<row r="2"><c r="A"/></row>',
        '<row r="2"><c r="$A$2"/></row>',
        '<c r="A2"/>',
        '<row r="2"><row r="3"/></row>',
        '<row r="2"><c r="A2"><c r="B2"/></c></row>',
        '<row r="2"><v>1</v></row>',
        '<row r="2"><o:c xmlns:o="urn:other" r="A2"/></row>',
        '<other><row r="2"/></other>',
        "some text",
        '<row r="2">some text</row>',
        "<sheetData/>",
        "</sheetData><sheetData>",
        '</sheetData><row r="2"/><sheetData>',
    ],
)
def test_anything_but_rows_and_cells_in_order_is_refused(tmp_path: Path, rows: str) -> None:
    with pytest.raises(NotAWorkbook, match="expected"):
        workbook.read(raw(tmp_path, rows), TINY)


def test_a_row_or_cell_anywhere_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAWorkbook, match="found another element"):
        workbook.read(raw(tmp_path, "", beside='<extra><row r="2"><c r="A2"><v>1</v></c></row></extra>'), TINY)
    with pytest.raises(NotAWorkbook, match="expected a worksheet's cells once, found them 0 times"):
        workbook.read(raw(tmp_path, "", parts={SHEET: f"<worksheet {MAIN}/>"}), TINY)


def test_what_a_sheet_holds_beside_its_cells_is_of_no_interest(tmp_path: Path) -> None:
    beside = (
        '<sheetPr><tabColor rgb="1"/></sheetPr><hyperlinks><hyperlink ref="A2"/></hyperlinks><pageMargins left="1"/>'
    )
    assert grid(raw(tmp_path, ROWS, beside=beside)) == grid(raw(tmp_path, ROWS))


def test_a_merge_shows_in_every_cell_but_its_first(tmp_path: Path) -> None:
    merged = '<mergeCells><mergeCell ref="A2:B3"/><mergeCell ref="C4"/><mergeCell ref="C5:C6"/></mergeCells>'
    assert grid(raw(tmp_path, ROWS, beside=merged)) == [
        ["T2", "#MERGED!", "2"],
        ["#MERGED!", "#MERGED!", "3"],
        ["T4", None, "4"],
        [None, None, None],
        [None, None, "#MERGED!"],
    ]


@pytest.mark.parametrize("kind", ["array", "dataTable"])
def test_all_results_of_a_formula_with_many_show_as_formulas(tmp_path: Path, kind: str) -> None:
    rows = ROWS.replace('<c r="C2"><v>', f'<c r="C2"><f t="{kind}" ref="C2:C3">A1:A2</f><v>')
    assert [row[2] for row in grid(raw(tmp_path, rows))] == ["#FORMULA!", "#FORMULA!", "4"]


@pytest.mark.parametrize("ref", ["", "A", "B2:A2", "A3:A2", "A2:B", "2:3", "A:B"])
def test_a_merge_without_a_proper_area_is_refused(tmp_path: Path, ref: str) -> None:
    with pytest.raises(NotAWorkbook, match="expected"):
        workbook.read(raw(tmp_path, ROWS, beside=f'<mergeCells><mergeCell ref="{ref}"/></mergeCells>'), TINY)


@pytest.mark.parametrize(
    "place", ["XFD1048576", "XFD2", "A1048576", "KO2", f"A{sheet.ROWS + 1}", f"KN{sheet.ROWS}", "AZ9999999"]
)
def test_a_cell_far_away_is_refused_before_any_room_is_made_for_it(tmp_path: Path, place: str) -> None:
    row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    with pytest.raises(
        TooLarge, match="expected a sheet of at most 50000 rows, 300 columns and 500000 cells, found one at"
    ):
        workbook.read(raw(tmp_path, f'<row r="{row}"><c r="{place}"><v>1</v></c></row>'), TINY)


@pytest.mark.parametrize("ref", ["A1:XFD1048576", "A2:A50001", "A2:KO2", "A2:KN50000"])
def test_a_merge_far_away_is_refused(tmp_path: Path, ref: str) -> None:
    with pytest.raises(TooLarge, match="expected merges within 300 columns, 50000 rows and 500000 cells"):
        workbook.read(raw(tmp_path, ROWS, beside=f'<mergeCells><mergeCell ref="{ref}"/></mergeCells>'), TINY)


def test_merges_are_refused_by_what_they_cover_together(tmp_path: Path) -> None:
    """The same area again and again once took a second each."""
    merged = "<mergeCells>" + '<mergeCell ref="A2:J20001"/>' * 100_000 + "</mergeCells>"
    with pytest.raises(TooLarge, match="expected merges"):
        workbook.read(raw(tmp_path, ROWS, beside=merged), TINY)


def test_the_dimension_that_a_sheet_claims_makes_no_room(tmp_path: Path) -> None:
    claimed = f'<worksheet {MAIN}><dimension ref="A1:XFD1048576"/><sheetData/></worksheet>'
    with pytest.raises(BadReport, match="found 0 of them"):
        workbook.read(raw(tmp_path, "", parts={SHEET: claimed}), TINY)


def test_a_tag_or_a_text_of_half_a_megabyte_is_refused(tmp_path: Path) -> None:
    longest = "x" * 32_767
    row = '<row r="2"><c r="A2" t="str"><v>{}</v></c></row>'
    assert grid(raw(tmp_path, row.format(longest)))[0][0] == longest
    for long in (row.format("x" * 2**20), "<row " + "".join(f'a{n}="" ' for n in range(100_000)) + "/>"):
        with pytest.raises(TooLarge, match="found one of more than 512 kB"):
            workbook.read(raw(tmp_path, long), TINY)
