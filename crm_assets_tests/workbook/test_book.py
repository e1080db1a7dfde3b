"""The book: the one sheet that was asked for, wherever its part lies; strings and styles as its links say."""

from pathlib import Path

import pytest

from crm_assets import workbook
from crm_assets.errors import BadReport, HeaderDrift, NotAWorkbook, TooLarge
from crm_assets.workbook import book
from crm_assets_tests.sheets import BOOK, LINKS, MAIN, PARTS, SHEET, STRINGS, STYLES, TINY, raw

ROW = '<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" s="3"><v>45973</v></c></row>'


def keys(file: Path) -> list[str | None]:
    return list(workbook.read(file, TINY).rows["key"])


@pytest.mark.parametrize("target", ["worksheets/other.xml", "/xl/worksheets/other.xml", "/other.xml"])
def test_the_sheet_is_the_one_that_the_workbooks_link_names(tmp_path: Path, target: str) -> None:
    place = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    changed = {
        LINKS: PARTS[LINKS].replace("worksheets/sheet1.xml", target),
        place: f'<worksheet {MAIN}><sheetData><row r="1"><c r="A1" t="str"><v>Other</v></c></row></sheetData></worksheet>',
    }
    with pytest.raises(HeaderDrift, match="found 0 of them"):
        workbook.read(raw(tmp_path, ROW, parts=changed), TINY)


@pytest.mark.parametrize(
    "target",
    ["xl/worksheets/sheet1.xml", "worksheets/SHEET1.xml", "worksheets\\sheet1.xml", "../xl/worksheets/sheet1.xml", ""],
)
def test_a_link_that_another_reader_might_follow_somewhere_else_is_not_followed(tmp_path: Path, target: str) -> None:
    with pytest.raises(NotAWorkbook, match="found a zip without"):
        workbook.read(raw(tmp_path, ROW, parts={LINKS: PARTS[LINKS].replace("worksheets/sheet1.xml", target)}), TINY)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (BOOK, "<sheet ", '<sheet name="Tiny" sheetId="2" r:id="rId9"/><sheet '),
        (LINKS, "</Rel", '<Relationship Id="rId1" Type="x" Target="worksheets/other.xml"/></Rel'),
        (LINKS, "</Rel", '<Relationship Id="rId9" Type="x/styles" Target="other.xml"/></Rel'),
        (LINKS, 'Id="rId1"', 'Id="rId8"'),
        (BOOK, "<sheets>", "<sheets"),
        (BOOK, f"<workbook {MAIN}", f"<!DOCTYPE a><workbook {MAIN}"),
    ],
    ids=["two sheets of a name", "two links of an id", "two parts of styles", "no link", "no XML", "a DOCTYPE"],
)
def test_an_outline_that_can_be_read_in_two_ways_is_refused(tmp_path: Path, name: str, old: str, new: str) -> None:
    assert keys(raw(tmp_path, ROW)) == ["shared"]
    with pytest.raises(NotAWorkbook):
        workbook.read(raw(tmp_path, ROW, parts={name: PARTS[name].replace(old, new, 1)}), TINY)


def test_another_sheet_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(HeaderDrift, match=r"expected a sheet named 'Tiny', found \['Other'\]"):
        workbook.read(raw(tmp_path, ROW, parts={BOOK: PARTS[BOOK].replace("Tiny", "Other")}), TINY)


def test_names_may_stand_under_any_prefix_and_in_the_strict_namespace(tmp_path: Path) -> None:
    strict = {
        name: PARTS[name].replace("http://schemas.openxmlformats.org/spreadsheetml/2006/main", book_namespace)
        for name in (BOOK, STYLES, STRINGS)
        for book_namespace in ("http://purl.oclc.org/ooxml/spreadsheetml/main",)
    }
    assert keys(raw(tmp_path, ROW, parts=strict)) == ["shared"]
    prefixed = (
        PARTS[STRINGS].replace("xmlns=", "xmlns:x=").replace("</", "</x:").replace("<", "<x:").replace("<x:/x:", "</x:")
    )
    assert keys(raw(tmp_path, ROW, parts={STRINGS: prefixed})) == ["shared"]
    foreign = PARTS[STRINGS].replace("/spreadsheetml/", "/other/")
    with pytest.raises(NotAWorkbook, match="expected a shared string or style below 0"):
        keys(raw(tmp_path, ROW, parts={STRINGS: foreign}))


def test_a_workbook_may_do_without_styles_and_shared_strings(tmp_path: Path) -> None:
    bare = {LINKS: PARTS[LINKS].replace("/styles", "/x").replace("/sharedStrings", "/y"), STYLES: None, STRINGS: None}
    file = raw(tmp_path, '<row r="2"><c r="A2" t="str" s="0"><v>T1</v></c></row>', parts=bare)
    assert keys(file) == ["T1"]
    with pytest.raises(NotAWorkbook, match="expected a shared string or style below 0"):
        keys(raw(tmp_path, ROW, parts=bare))


@pytest.mark.parametrize(
    ("code", "is_date"),
    [
        ("dd/mm/yyyy", True),
        ("[$-409]d-mmm-yy;@", True),
        ("[h]:mm:ss", True),
        ("mm:ss.0", True),
        ("General", False),
        ("0.00", False),
        ('0 "days"', False),
        ("[Red]0.00", False),
        (r"0\d", False),
        ("_d0", False),
        ("#,##0;[Red]d", False),
        ("@", False),
    ],
)
def test_a_style_shows_a_date_where_its_format_has_a_day_a_month_a_year_or_a_time(
    tmp_path: Path, code: str, is_date: bool
) -> None:
    styles = PARTS[STYLES].replace("dd/mm/yyyy;@", code.replace('"', "&quot;"))
    text = workbook.read(raw(tmp_path, ROW, parts={STYLES: styles}), TINY).rows["day"][0]
    assert text == ("2025-11-12T00:00:00" if is_date else "45973")


def test_a_file_of_the_old_macintosh_counts_its_days_from_1904(tmp_path: Path) -> None:
    changed = PARTS[BOOK].replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    assert workbook.read(raw(tmp_path, ROW.replace("45973", "44511"), parts={BOOK: changed}), TINY).rows["day"][0] == (
        "2025-11-12T00:00:00"
    )


@pytest.mark.parametrize("name", [BOOK, LINKS, STYLES])
def test_a_part_beside_the_sheet_is_small(tmp_path: Path, name: str) -> None:
    with pytest.raises(TooLarge, match=f"expected {name} to hold at most 1048576 bytes"):
        workbook.read(raw(tmp_path, ROW, parts={name: PARTS[name] + "<!-- -->" * (book.PART_BYTES // 8)}), TINY)


@pytest.mark.parametrize("name", [BOOK, LINKS, STYLES, STRINGS, SHEET])
@pytest.mark.parametrize("root", ["t", "v", "si", "c", "row", "sheet", "xf"])
def test_a_part_that_is_something_else_altogether_is_refused(tmp_path: Path, name: str, root: str) -> None:
    with pytest.raises(BadReport):
        workbook.read(raw(tmp_path, ROW, parts={name: f"<{root} {MAIN}>text</{root}>"}), TINY)


def test_only_the_strings_of_the_table_itself_count(tmp_path: Path) -> None:
    nested = PARTS[STRINGS].replace("<si>", "<other><si><t>lost</t></si></other><si>", 1)
    assert keys(raw(tmp_path, ROW, parts={STRINGS: nested})) == ["shared"]


def test_more_shared_strings_than_cells_are_refused(tmp_path: Path) -> None:
    many = f"<sst {MAIN}>" + "<si/>" * (book.STRINGS + 1) + "</sst>"
    with pytest.raises(TooLarge, match="expected at most 500000 shared strings"):
        workbook.read(raw(tmp_path, ROW, parts={STRINGS: many}), TINY)


@pytest.mark.parametrize("name", [BOOK, LINKS, STYLES, STRINGS, SHEET])
def test_xml_that_lies_very_deep_is_refused(tmp_path: Path, name: str) -> None:
    deep = f"<a {MAIN}>" + "<a>" * 100_000 + "</a>" * 100_001
    with pytest.raises(BadReport):
        workbook.read(raw(tmp_path, ROW, parts={name: deep}), TINY)
