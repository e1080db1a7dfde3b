"""Invented reports, written by two writers: what is read, proven and typed is what was written."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from crm_assets import workbook
from crm_assets.model import IST, NOT_PLAIN, Claims, Kind, Report, Store, Window
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets.proof import prove, refuse_bad_rows
from crm_assets.rows import read_rows
from crm_assets.sandbox import layouts
from crm_assets.sandbox.workbooks import footer
from crm_assets.sandbox.workbooks import workbook as sheetjs_workbook

pytestmark = pytest.mark.no_cover  # so many turns of the same lines: what counts them would take longer than they do

MODEST = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no defect
)
UC = Store(crm="uc", code="sector56", name="Sector 56", first_day=date(2025, 11, 1), booking_prefix="UC567")
TD = Store(crm="td", code="a668", name="Uttam Nagar", first_day=date(2025, 11, 1))
NOVEMBER = Window(first=date(2025, 11, 1), last=date(2025, 11, 30))
DAYS = list(NOVEMBER.days())

type Row = dict[str, Any]
type Writer = Callable[[layouts.Layout, list[Row]], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A report of one portal: how it is read, how it looks, and whose it is."""

    report: Report
    layout: layouts.Layout
    store: Store


ORDERS = Book(report=ORDER_REPORT, layout=layouts.ORDER_REPORT, store=TD)
INVOICES = Book(report=GST_REPORT, layout=layouts.GST_REPORT, store=UC)


def may_stand_in_a_cell(text: str) -> bool:
    """XML cannot hold some control signs, a spreadsheet reads ``_x0041_`` as a sign, and ours an error's name as an error."""
    return (
        not ILLEGAL_CHARACTERS_RE.search(text)
        and "_x" not in text
        and text.strip() not in NOT_PLAIN
        and "\r" not in text
    )


TEXTS = st.none() | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=30
).filter(may_stand_in_a_cell)
PAISE = st.integers(-99_999_999, 99_999_999).map(lambda paise: Decimal(paise) / 100) | st.integers(0, 9_999).map(
    Decimal
)


@st.composite
def rows_of(draw: st.DrawFn, report: Report) -> list[Row]:
    """Values by column name: any texts, amounts and days, keys that count up."""
    count = draw(st.integers(1, 6))
    return [
        {column.name: draw(_value(column.name, column.kind, number)) for column in report.columns}
        for number in range(count)
    ]


def _value(name: str, kind: Kind, number: int) -> st.SearchStrategy[Any]:
    fixed = {
        "serial_number": number + 1,
        "booking_id": f"UC567-{number + 1}",
        "invoice_number": f"UC567-2025-26-{number + 1}",
        "order_number": f"T{number + 1}",
    }
    if name in fixed:
        return st.just(fixed[name])
    days = st.sampled_from(DAYS)
    match kind:
        case Kind.DAY:
            return days if name == "invoiced_on" else st.none() | days
        case Kind.MOMENT:
            moments = st.builds(
                lambda day, second: datetime.combine(day, time(), IST) + timedelta(seconds=second),
                days,
                st.integers(0, 86_399),
            )
            return moments if name == "ordered_at" else st.none() | moments
        case Kind.INTEGER:
            return st.none() | st.integers(0, 999)
        case Kind.NUMBER | Kind.MONEY:
            return st.none() | PAISE
    return TEXTS


def as_shown(rows: list[Row], report: Report) -> list[Row]:
    """The cells by header, as the portal writes them: dates as text, amounts as numbers."""
    return [{column.header: _cell(row[column.name], column.formats) for column in report.columns} for row in rows]


def _cell(value: Any, formats: tuple[str, ...]) -> Any:
    if isinstance(value, date):
        return value.strftime(formats[0])
    return float(value) if isinstance(value, Decimal) else value


def as_typed(rows: list[Row], report: Report) -> list[Row]:
    """The values as they must come out: amounts to the paisa, texts without the spaces around them."""
    return [{column.name: _typed(row[column.name]) for column in report.fact_columns} for row in rows]


def _typed(value: Any) -> Any:
    return (value.strip() or None) if isinstance(value, str) else value


def openpyxl_workbook(layout: layouts.Layout, rows: list[Row]) -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = layout.title
    lines = [list(layout.headers), *([row[header] for header in layout.headers] for row in rows)]
    if layout.footer_label:
        lines.append(list(footer(layout, rows).values()))
    for number, line in enumerate(lines, start=1):
        for column, value in enumerate(line, start=1):
            cell = page.cell(number, column, value)
            if isinstance(value, str):
                cell.data_type = "s"  # also one that begins with "="
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        return file.read()


def comes_back(book: Book, rows: list[Row], write: Writer, *, shown: list[Row] | None = None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.xlsx"
        file.write_bytes(write(book.layout, shown or as_shown(rows, book.report)))
        table = workbook.read(file, book.report)
    sums = (
        {}
        if book.report.footer
        else {"taxable_value": sum((row["taxable_value"] or Decimal(0) for row in rows), Decimal(0))}
    )
    typed = read_rows(prove(table, book.report, book.store, NOVEMBER, Claims(rows=len(rows), sums=sums)), book.report)
    refuse_bad_rows(typed, book.report, str(book.store), limit=0)
    assert typed.rejects == ()
    assert typed.rows.drop(columns=["warnings", "business_day"]).to_dict("records") == as_typed(rows, book.report)
    assert list(typed.rows["business_day"]) == [business_day(row[book.report.day]) for row in rows]


def business_day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


@MODEST
@given(rows_of(ORDER_REPORT))
def test_orders_written_by_sheetjs_come_back(rows: list[Row]) -> None:
    comes_back(ORDERS, rows, sheetjs_workbook)


@MODEST
@given(rows_of(GST_REPORT))
def test_invoices_written_by_sheetjs_come_back(rows: list[Row]) -> None:
    comes_back(INVOICES, rows, sheetjs_workbook)


@settings(MODEST, max_examples=25)
@given(rows_of(ORDER_REPORT))
def test_orders_written_by_openpyxl_come_back(rows: list[Row]) -> None:
    comes_back(ORDERS, rows, openpyxl_workbook)


@MODEST
@given(rows_of(GST_REPORT))
def test_invoices_written_by_openpyxl_come_back(rows: list[Row]) -> None:
    comes_back(INVOICES, rows, openpyxl_workbook)


@MODEST
@given(rows_of(GST_REPORT))
def test_dates_that_openpyxl_writes_as_dates_come_back(rows: list[Row]) -> None:
    shown = [
        cells | {"Invoice Date": row["invoiced_on"]}
        for cells, row in zip(as_shown(rows, GST_REPORT), rows, strict=True)
    ]
    comes_back(INVOICES, rows, openpyxl_workbook, shown=shown)
