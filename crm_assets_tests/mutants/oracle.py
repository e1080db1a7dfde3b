"""The oracle: what a file holds by openpyxl's reading of it, and what each text means by rules of its own."""

import io
import re
import warnings
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
from openpyxl.cell.cell import MergedCell
from openpyxl.utils.cell import range_boundaries
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula
from openpyxl.worksheet.worksheet import Worksheet

from crm_assets.model import NOT_PLAIN, Kind, Report
from crm_assets_tests.mutants.subjects import Texts

type Grid = list[list[str | None]]


def grid_of(file: Path, sheet: str) -> Grid:
    """Every cell's text by openpyxl's reading. Raises whatever openpyxl does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        page = openpyxl.load_workbook(io.BytesIO(file.read_bytes()))[sheet]
    assert isinstance(page, Worksheet)
    grid = [[_shown(cell) for cell in row] for row in page.iter_rows(min_row=1, min_col=1)]
    for cell in (cell for row in page.iter_rows() for cell in row):
        if isinstance(cell.value, ArrayFormula):
            left, top, right, bottom = (edge or 0 for edge in range_boundaries(cell.value.ref))
            for row in grid[top - 1 : bottom]:
                row[left - 1 : right] = ["#FORMULA!"] * len(row[left - 1 : right])
    return grid


def _shown(cell: Any) -> str | None:
    if isinstance(cell, MergedCell):
        return "#MERGED!"
    value = cell.value
    if cell.data_type == "f" or isinstance(value, ArrayFormula | DataTableFormula):
        return "#FORMULA!"
    if cell.data_type == "e":
        return value if value in NOT_PLAIN else "#VALUE!"
    return text_of(value)


def text_of(value: Any) -> str | None:
    """A plain value's text."""
    match value:
        case None | "":
            return None
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value == int(value) and abs(value) < 1e15:
            return f"{value:.0f}".replace("-0", "0") if value == 0 else f"{value:.0f}"
        case datetime() | time():
            return value.isoformat()
        case date():
            return f"{value}T00:00:00"
    return str(value)


def rows_of(grid: Grid, report: Report) -> Texts:
    """The data rows by the headers of the first row that holds anything, without blank rows at the end and the footer."""
    full = [any((text or "").strip() for text in row) for row in grid]
    if True not in full:
        return []
    at, end = full.index(True), len(full) - full[::-1].index(True)
    headers = [" ".join((text or "").split()) for text in grid[at]]
    data = [(number, grid[number - 1]) for number in range(at + 2, end + 1 - bool(report.footer))]
    places = {column.name: headers.index(column.header) for column in report.columns}
    return [{name: row[place] for name, place in places.items()} | {"row_number": number} for number, row in data]


def meaning_of(texts: dict[str, Any], report: Report) -> dict[str, Any] | None:
    """The row's values; None where it cannot be a fact."""
    values = dict[str, Any]()
    for column in report.fact_columns:
        text = (texts[column.name] or "").strip()
        value = _value(text, column.kind, column.formats)
        wrong_number = bool(text) and value is None and column.kind in (Kind.INTEGER, Kind.NUMBER, Kind.MONEY)
        wrong_key = column.required and (value is None or not re.fullmatch(column.pattern or ".*", text))
        if text in NOT_PLAIN or wrong_number or wrong_key:
            return None
        values[column.name] = value
    return values


def _value(text: str, kind: Kind, formats: Sequence[str]) -> Any:
    match kind:
        case Kind.TEXT:
            return text or None
        case Kind.DAY | Kind.MOMENT:
            return _date(text, kind, formats)
    plain = text.removeprefix("₹").strip()
    if re.fullmatch(r"-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    if (
        not re.fullmatch(r"-?[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?", plain, re.IGNORECASE)
        or abs(number := Decimal(plain)) >= 10**9
    ):
        return None
    if kind is Kind.INTEGER:
        return int(number) if number == int(number) else None
    return number if kind is Kind.NUMBER else number.quantize(Decimal("0.01"), ROUND_HALF_EVEN)


def _date(text: str, kind: Kind, formats: Sequence[str]) -> date | None:
    for pattern in ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", *formats):
        try:
            moment = datetime.strptime(text, pattern).replace(tzinfo=ZoneInfo("Asia/Kolkata"))
        except ValueError:
            continue
        if kind is Kind.MOMENT:
            return moment
        return moment.date() if moment.time() == time() else None
    return None
