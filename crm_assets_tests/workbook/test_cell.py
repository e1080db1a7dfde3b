"""Cells: what each type of cell shows, and the errors that a wrong value is."""

from pathlib import Path

import pytest

from crm_assets import workbook
from crm_assets.errors import NotAWorkbook
from crm_assets_tests.sheets import TINY, raw


def text_of(folder: Path, cell: str) -> str | None:
    """What the cell, as XML without its place, shows."""
    row = '<row r="2"><c r="A2" t="str"><v>T1</v></c>' + cell.replace("<c", '<c r="C2"', 1) + "</row>"
    text: str | None = workbook.read(raw(folder, row), TINY).rows["amount"][0]
    return text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<c><v>9876543210</v></c>", "9876543210"),
        ("<c><v>842</v></c>", "842"),
        ("<c><v>842.0</v></c>", "842"),
        ("<c><v>8.42E2</v></c>", "842"),
        ("<c><v>-0</v></c>", "0"),
        ("<c><v> 5 </v></c>", "5"),
        ("<c><v>5&#48;3.28</v></c>", "503.28"),
        ("<c><v>5<!-- -->03</v></c>", "503"),
        ("<c><v><![CDATA[503]]></v></c>", "503"),
        ('<c t="&#110;"><v>503</v></c>', "503"),
        ("<c><v>45.299999999999997</v></c>", "45.3"),
        ("<c><v>0.00001</v></c>", "1e-05"),
        ("<c><v>12345678901234567890123456789012345</v></c>", "12345678901234567890123456789012345"),
        ("<c><v>999999999999999</v></c>", "999999999999999"),
        ("<c><v>1E+20</v></c>", "1e+20"),
        ("<c><v>1E+999</v></c>", "#VALUE!"),
        ("<c><v/></c>", None),
        ("<c/>", None),
        ('<c s="4"><v>5</v></c>', "5"),
        ('<c t="str"><v>00842</v></c>', "00842"),
        ('<c t="str"><v>12345678901234567890123456789012345</v></c>', "12345678901234567890123456789012345"),
        ('<c t="str"><v xml:space="preserve"> T1  </v></c>', " T1  "),
        ('<c t="str"><v>NA</v></c>', "NA"),
        ('<c t="str"><v></v></c>', None),
        ('<c t="str"><v>a&amp;b &lt;&#x1F600;&gt;</v></c>', "a&b <\U0001f600>"),
        ('<c t="str"><v>a\r\nb</v></c>', "a\nb"),
        ('<c t="str"><v>a_x000D_b_x0041_</v></c>', "a\rbA"),
        ('<c t="str"><v>_x005F_x0041_ _xZZZZ_ _x41_</v></c>', "_x0041_ _xZZZZ_ _x41_"),
        ('<c t="str"><v>nul_x0000_</v></c>', "nul\u2400"),
        ('<c t="str"><v>_xD83D__xDE00_</v></c>', "\U0001f600"),
        ('<c t="str"><v>half _xD83D_</v></c>', "half \ufffd"),
        ('<c t="s"><v>0</v></c>', "shared"),
        ('<c t="s"><v>1</v></c>', "rich"),
        ('<c t="inlineStr"><is><t>in</t></is></c>', "in"),
        ('<c t="inlineStr"><is><r><rPr><b/></rPr><t>ri</t></r><r><t>ch</t></r><rPh><t>no</t></rPh></is></c>', "rich"),
        ('<c t="b"><v>1</v></c>', "TRUE"),
        ('<c t="b"><v>0</v></c>', "FALSE"),
        ('<c t="b"><v/></c>', None),
        ('<c t="e"><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c t="e"><v>#SPILL!</v></c>', "#VALUE!"),
        ('<c t="e"/>', "#VALUE!"),
        ('<c s="1"><v>45973</v></c>', "2025-11-12T00:00:00"),
        ('<c s="2"><v>45973.5</v></c>', "2025-11-12T12:00:00"),
        ('<c s="2"><v>0.5</v></c>', "12:00:00"),
        ('<c s="1"><v>1</v></c>', "1900-01-01T00:00:00"),
        ('<c s="1"><v>59</v></c>', "1900-02-28T00:00:00"),
        ('<c s="1"><v>61</v></c>', "1900-03-01T00:00:00"),
        ('<c s="1"><v>2958465</v></c>', "9999-12-31T00:00:00"),
        ('<c s="1"><v>2958466</v></c>', "#VALUE!"),
        ('<c s="1"><v>2958465.9999999999</v></c>', "#VALUE!"),
        ('<c s="1"><v>-1</v></c>', "#VALUE!"),
        ('<c s="1"><v>1E999</v></c>', "#VALUE!"),
        ('<c s="1" t="str"><v>45973</v></c>', "45973"),
        ('<c t="d"><v>2025-11-12</v></c>', "2025-11-12T00:00:00"),
        ('<c t="d"><v>2025-11-12T09:30:00Z</v></c>', "2025-11-12T09:30:00"),
        ("<c><f>1+1</f></c>", "#FORMULA!"),
        ("<c><f>1+1</f><v>2</v></c>", "#FORMULA!"),
        ('<c t="str"><f>A2</f><v>T1</v></c>', "#FORMULA!"),
        ('<c t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#FORMULA!"),
        ('<c><f t="shared" si="0"/><v>2</v></c>', "#FORMULA!"),
    ],
)
def test_a_cell_shows_its_value_as_text(tmp_path: Path, cell: str, text: str | None) -> None:
    assert text_of(tmp_path, cell) == text


@pytest.mark.parametrize(
    "cell",
    [
        "<c><v>a lot</v></c>",
        "<c><v>nan</v></c>",
        "<c><v>inf</v></c>",
        "<c><v>1_000</v></c>",
        "<c><v>1,5</v></c>",
        "<c><v>\u0967\u0968</v></c>",
        "<c><v>0x10</v></c>",
        '<c t="s"><v>2</v></c>',
        '<c t="s"><v>-1</v></c>',
        '<c t="s"><v>first</v></c>',
        '<c t="b"><v>maybe</v></c>',
        '<c t="d"><v>12/11/2025</v></c>',
        '<c t="x"><v>1</v></c>',
        '<c t=""><v>1</v></c>',
        '<c s="5"><v>1</v></c>',
        '<c s="-1"><v>1</v></c>',
        "<c><v>1</v><v>2</v></c>",
        "<c><is><t>1</t></is></c>",
        '<c t="str"><is><t>1</t></is></c>',
        '<c t="inlineStr"><v>1</v></c>',
        '<c t="inlineStr"><is><t>1</t></is><v>2</v></c>',
        "<c><x><v>1</v></x></c>",
        "<c><v><x>1</x></v></c>",
        "<c>1</c>",
        '<c xmlns:o="urn:other"><o:v>1</o:v></c>',
        "<c><v>&nbsp;</v></c>",
    ],
)
def test_a_value_that_is_not_of_its_cells_type_refuses_the_file_without_showing_it(tmp_path: Path, cell: str) -> None:
    with pytest.raises(NotAWorkbook, match="expected") as refused:
        text_of(tmp_path, cell)
    assert "a lot" not in str(refused.value)
