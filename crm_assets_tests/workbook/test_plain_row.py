"""Plain rows: taken at once, and never otherwise than the parser reads them cell by cell."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm_assets.errors import BadReport
from crm_assets.workbook import sheet
from crm_assets.workbook.book import EPOCH, Book
from crm_assets.workbook.plain_row import ROW_BYTES, PlainRow, places_of_rows, plain_row
from crm_assets_tests.sheets import MAIN

DECLARED = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
PLAIN = '<c r="A2" t="str"><v>T1 é</v></c><c r="C2"><v>1.5</v></c>'
OTHER = 'xmlns="urn:other"'
PLACES = st.sampled_from(["A", "B", "C", "AA", "ZZ", "AAA", ""])
VALUES = st.sampled_from(
    [
        "1",
        "2.50",
        "",
        " 3 ",
        "a b",
        "_x0041_",
        "é",
        "1\n2",
        "&amp;",
        "]]>",
        ">",
        "\r",
        "\x01",
        "\ufffe",
        "<b/>",
        "x" * 70_000,
        "<![CDATA[1]]>",
        "<!-- 1 -->",
        "<?pi 1?>",
        "99999",
    ]
)
CELLS = st.builds(
    '<{c} r{eq}"{place}{number}"{attributes}>{v}{value}</{end}></{c}>'.format,
    c=st.sampled_from(["c"] * 9 + ["o:c", "d"]),
    eq=st.sampled_from(["="] * 9 + [" = "]),
    place=PLACES,
    number=st.sampled_from([2] * 9 + [3, "02", ""]),
    attributes=st.sampled_from(
        [
            "",
            ' t="str"',
            ' s="0"',
            ' s="1" t="n"',
            ' t="s"',
            ' t="b"',
            ' t="inlineStr"',
            ' t="zz"',
            ' t="str" s="0"',
            ' s="9"',
            ' t="e"',
            ' xml:space="preserve"',
            f" {OTHER}",
        ]
    ),
    v=st.sampled_from(["<v>"] * 9 + ["<f>", "<v >", '<v a="1">', "<v/><v>"]),
    value=VALUES,
    end=st.sampled_from(["v"] * 9 + ["f", "v "]),
)
ROWS = st.builds(
    "{before}<{row}{attributes}>{cells}</{end}>{after}".format,
    before=st.sampled_from([""] * 9 + ["<!-- ", '<row r="1"><!-- ', '<row\tr="2"><?pi ', "<o:row>", "text"]),
    row=st.sampled_from(["row "] * 9 + ["row\t", "o:row ", f"row {OTHER} "]),
    attributes=st.sampled_from(['r="2"'] * 9 + ['r="3"', 'r="2" ht="15.5"', 'r="2" a="b>c"', 'r="2"/', ""]),
    cells=st.lists(CELLS, max_size=4).map("".join),
    end=st.sampled_from(["row"] * 9 + ["row ", "c"]),
    after=st.sampled_from([""] * 9 + [" -->", "?>", "<row/>", "\n"]),
)


def book_of(part: bytes) -> Book:
    return Book(sheet=part, strings=["a string"], date_styles=[False, True], epoch=EPOCH)


def sheet_of(rows: str, *, beginning: str = DECLARED) -> bytes:
    return f'{beginning}<worksheet {MAIN} xmlns:o="urn:other"><sheetData>{rows}</sheetData></worksheet>'.encode()


def outcome(part: bytes) -> object:
    try:
        return sheet.read_sheet(book_of(part))
    except BadReport as error:
        return type(error)


def cell_by_cell(part: bytes) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheet, "places_of_rows", lambda _: iter(()))
        return outcome(part)


def taken(part: bytes) -> Iterator[PlainRow | None]:
    return (plain_row(part[begin:end], "2") for begin, end in places_of_rows(part))


@pytest.mark.parametrize("beginning", [DECLARED, "", '<?xml version="1.0"?>', "<?xml version='1.0'?>"])
def test_a_row_as_the_portals_write_it_is_taken(beginning: str) -> None:
    part = sheet_of(f'<row r="2">{PLAIN}</row>', beginning=beginning)
    row = PlainRow(columns=(1, 3), types=["str", None], styles=[None, None], values=["T1 é", "1.5"])
    assert list(taken(part)) == ([row] if "'" not in beginning else [])
    assert outcome(part) == [[None, None, None], ["T1 é", None, "1.5"]]


@pytest.mark.parametrize(
    "content",
    [
        '<c r="A3"><v>1</v></c>',
        '<c r="B2"><v>1</v></c><c r="A2"><v>1</v></c>',
        '<c r="A2"><v>1</v></c><c r="A2"><v>1</v></c>',
        '<c r="A2"><v>a &amp; b</v></c>',
        '<c r="A2"><f>1+1</f><v>2</v></c>',
        '<c r="A2"><v>1</v></c>text',
        '<c r="A2"/>',
        '<c r="AAA2"><v>1</v></c>',
        '<c r="A2"><v>]]></v></c>',
        '<c r="A2"><v>\x01</v></c>',
        '<c r="A2"><v>1\r2</v></c>',
    ],
)
def test_any_other_row_is_left_to_the_parser(content: str) -> None:
    assert plain_row(content.encode(), "2") is None


def test_bytes_that_are_no_text_are_left_to_the_parser() -> None:
    assert plain_row(b'<c r="A2" t="str"><v>\xff</v></c>', "2") is None


@pytest.mark.parametrize(
    "part",
    [
        sheet_of(f'<!-- --><row r="2">{PLAIN}</row>'),
        sheet_of(f'<?pi?><row r="2">{PLAIN}</row>'),
        sheet_of(f'<row r="2">{PLAIN}</row>', beginning='<?xml version="1.0" encoding="latin-1"?>'),
        b"\xef\xbb\xbf" + sheet_of(f'<row r="2">{PLAIN}</row>'),
        sheet_of(f'<row r="2">{" " * ROW_BYTES}{PLAIN}</row>'),
    ],
)
def test_no_row_is_looked_for_where_something_may_only_look_like_one(part: bytes) -> None:
    assert list(taken(part)) == []
    assert outcome(part) == cell_by_cell(part)


@given(st.lists(ROWS, min_size=1, max_size=3).map("".join))
@example(f'<row\tr="2"><!-- <row r="3">{PLAIN}</row> --></row>')
@example(f'<row r="2" a="b><row r="3">{PLAIN}</row>"></row>')
@example(f'<row r="2"/><row r="3">{PLAIN}</row>')
@example('<row r="2"><c r="A2" s="1"><v>2.50</v></c><c r="B2" t="s"><v>0</v></c><c r="D2" t="b"><v>1</v></c></row>')
@example('<row r="2"><c r="A2"><v>1</v></c><c r="ZZ2"><v>1</v></c></row>')
@example(f'<row r="2"/></sheetData><o:x><row xmlns="urn:other" r="2">{PLAIN}</row></o:x><sheetData xmlns="urn:other">')
@example(f'<row r="2">{PLAIN}</row ><row r="3"></row>')
def test_what_is_taken_is_what_the_parser_reads(rows: str) -> None:
    assert outcome(sheet_of(rows)) == cell_by_cell(sheet_of(rows))
