"""Workbooks made for a test: a sheet's cells as the portals write them, changed where the test wants it."""

import io
from pathlib import Path
from typing import Any

import openpyxl

SAMPLES = Path(__file__).parent / "fixtures" / "workbooks"
TD_SAMPLE = SAMPLES / "td_order_report_a668_2025-11-12_to_2025-11-12.xlsx"
TD_EMPTY = SAMPLES / "td_order_report_empty.xlsx"
UC_SAMPLE = SAMPLES / "uc_gst_report_uc610_2025-11-12_to_2025-11-12.xlsx"
UC_EMPTY = SAMPLES / "uc_gst_report_empty.xlsx"

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
