"""Workbooks made for a test: a sheet's cells as the portals write them, changed where the test wants it."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import openpyxl

from crm_assets.model import Column, Kind, Report

SAMPLES = Path(__file__).parent / "fixtures" / "workbooks"
TD_SAMPLE = SAMPLES / "td_order_report_a668_2025-11-12_to_2025-11-12.xlsx"
TD_EMPTY = SAMPLES / "td_order_report_empty.xlsx"
UC_SAMPLE = SAMPLES / "uc_gst_report_uc610_2025-11-12_to_2025-11-12.xlsx"
UC_MONTH = SAMPLES / "uc_gst_report_uc567_2025-11-01_to_2025-11-30.xlsx"
UC_EMPTY = SAMPLES / "uc_gst_report_empty.xlsx"

SHEET, BOOK, LINKS = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
STYLES, STRINGS = "xl/styles.xml", "xl/sharedStrings.xml"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
PARTS = {
    BOOK: f'<workbook {MAIN} xmlns:r="{_OFFICE}"><sheets><sheet name="Tiny" sheetId="1" r:id="rId1"/></sheets></workbook>',
    LINKS: f'<Relationships xmlns="{_PACKAGE}">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    f'<Relationship Id="rId3" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    STYLES: f'<styleSheet {MAIN}><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy;@"/>'
    '<numFmt numFmtId="165" formatCode="[$-409]0.00&quot;days&quot;;[Red]-0.00"/></numFmts><cellXfs>'
    '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>',
    STRINGS: f"<sst {MAIN}><si><t>shared</t></si>"
    "<si><r><t>ri</t></r><r><rPr><b/></rPr><t>ch</t></r><rPh><t>no</t></rPh></si></sst>",
}
"""The parts of the smallest workbook; ``raw`` adds the sheet."""

TINY = Report(
    crm="tiny",
    name="report",
    file_prefix="Tiny",
    sheet="Tiny",
    columns=(
        Column(name="key", header="Key", required=True),
        Column(name="day", header="Day", kind=Kind.DAY, required=True, formats=("%d/%m/%Y",)),
        Column(name="amount", header="Amount", kind=Kind.MONEY),
    ),
    key="key",
    day="day",
    staging_table="stg_tiny",
    fact_table="fact_tiny",
    description="Three columns",
)
HEADERS = '<row r="1"><c r="A1" t="str"><v>Key</v></c><c r="B1" t="str"><v>Day</v></c><c r="C1" t="str"><v>Amount</v></c></row>'

type Cells = list[list[Any]]


def cells_of(file: Path) -> Cells:
    """Every cell of a workbook's sheet, headers first."""
    return [list(row) for row in openpyxl.load_workbook(file).worksheets[0].iter_rows(values_only=True)]


def written(folder: Path, cells: Cells, *, sheet: str) -> Path:
    """The cells as a workbook of one sheet."""
    book = openpyxl.Workbook()
    assert book.active
    book.active.title = sheet
    for row in cells:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    file = folder / "changed.xlsx"
    file.write_bytes(content.getvalue())
    return file


def raw(folder: Path, rows: str, *, beside: str = "", parts: Mapping[str, str | None] = {}) -> Path:
    """A workbook for the report TINY: its header row, then these rows as XML; ``parts`` replaces others, or takes them away."""
    sheet = f"<worksheet {MAIN}><sheetData>{HEADERS}{rows}</sheetData>{beside}</worksheet>"
    file = folder / "raw.xlsx"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (PARTS | {SHEET: sheet} | dict(parts)).items():
            if content is not None:
                archive.writestr(name, content)
    return file


def repacked(file: Path, change: Callable[[str, bytes], bytes]) -> bytes:
    """The workbook with its parts changed, by name and content, and their checksums right."""
    content = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(content, "w") as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name), change(name, source.read(name)))
    return content.getvalue()
