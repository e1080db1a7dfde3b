"""Rows: texts become values by the column table, and nothing is guessed."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from crm_assets import workbook
from crm_assets.model import IST, Column, Kind, Report
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets.rows import TypedRows, business_day_of, read_rows, read_value
from crm_assets_tests.sheets import TD_SAMPLE, UC_SAMPLE

THE_DAY = date(2025, 11, 12)


def texts(report: Report) -> pd.DataFrame:
    """The rows of the report's sample."""
    file = TD_SAMPLE if report is ORDER_REPORT else UC_SAMPLE
    return workbook.read(file, report).rows.assign(business_day=THE_DAY)


def typed_with(report: Report, **first_row: str | None) -> TypedRows:
    """The sample with other texts in its first row, typed."""
    rows = texts(report)
    for name, text in first_row.items():
        rows.at[0, name] = text
    return read_rows(rows, report)


@pytest.mark.parametrize("report", [ORDER_REPORT, GST_REPORT], ids=str)
def test_every_row_of_a_sample_is_readable(report: Report) -> None:
    typed = read_rows(texts(report), report)
    assert (len(typed.rows), typed.rejects, typed.warnings) == (len(texts(report)), (), 0)
    assert list(typed.rows.columns) == [*(column.name for column in report.fact_columns), "business_day"]
    assert "serial_number" not in typed.rows.columns


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.TEXT, "NA", "NA"),
        (Kind.TEXT, "  Rohan Demo ", "Rohan Demo"),
        (Kind.TEXT, "   ", None),
        (Kind.INTEGER, "14", 14),
        (Kind.INTEGER, "14.0", 14),
        (Kind.INTEGER, "14.5", None),
        (Kind.INTEGER, "fourteen", None),
        (Kind.INTEGER, "99999999999", None),
        (Kind.NUMBER, "0.5", Decimal("0.5")),
        (Kind.NUMBER, "NaN", None),
        (Kind.NUMBER, "Infinity", None),
        (Kind.MONEY, "238.5", Decimal("238.50")),
        (Kind.MONEY, "-20", Decimal("-20.00")),
        (Kind.MONEY, "0", Decimal("0.00")),
        (Kind.MONEY, "1,200", None),
        (Kind.MONEY, "₹ 12", None),
        (Kind.MONEY, "1E+40", None),
        (Kind.MONEY, "", None),
    ],
)
def test_a_text_is_read_by_the_kind_of_its_column_or_not_at_all(kind: Kind, text: str, value: Any) -> None:
    found = read_value(text, Column(name="a", header="A", kind=kind))
    assert (found, type(found)) == (value, type(value))


def test_an_empty_cell_is_nothing() -> None:
    assert all(read_value(None, Column(name="a", header="A", kind=kind)) is None for kind in Kind)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("01/02/2026", date(2026, 2, 1)),
        ("31/12/2025", date(2025, 12, 31)),
        ("12/31/2025", None),
        ("2026-02-01", None),
        ("30/02/2026", None),
        ("01 Feb 2026", None),
    ],
)
def test_a_gst_date_is_day_first_or_unreadable(text: str, day: date | None) -> None:
    assert business_day_of(text, GST_REPORT) == day


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("24 Nov 2025 11:18:03 AM", datetime(2025, 11, 24, 11, 18, 3, tzinfo=IST)),
        ("24 Nov 2025 11:18 PM", datetime(2025, 11, 24, 23, 18, tzinfo=IST)),
        ("24 Nov 2025 12:00:00 AM", datetime(2025, 11, 24, tzinfo=IST)),
        ("24 Nov 2025 13:18:03 PM", None),
        ("24 Nov 2025", None),
        ("24/11/2025 11:18:03 AM", None),
    ],
)
def test_a_moment_is_read_with_or_without_seconds_in_kolkata(text: str, moment: datetime | None) -> None:
    assert read_value(text, ORDER_REPORT.column("ordered_at")) == moment
    assert business_day_of(text, ORDER_REPORT) == (moment.date() if moment else None)


def test_an_unreadable_required_value_rejects_its_row_with_each_broken_rule() -> None:
    typed = typed_with(GST_REPORT, invoiced_on="11/13/2025", booking_id=None, invoice_number="  ")
    (reject,) = typed.rejects
    assert [(problem.column, problem.rule, problem.value) for problem in reject.problems] == [
        ("booking_id", "not empty", None),
        ("invoice_number", "not empty", "  "),
        ("invoiced_on", "a date as %d/%m/%Y", "11/13/2025"),
    ]
    assert (reject.day, reject.row_number) == (THE_DAY, 2)
    assert reject.raw["invoiced_on"] == "11/13/2025"
    assert set(reject.raw) == {column.name for column in GST_REPORT.columns}
    assert len(typed.rows) == len(texts(GST_REPORT)) - 1


def test_the_rows_beside_a_rejected_one_stay_as_they_are() -> None:
    whole = read_rows(texts(ORDER_REPORT), ORDER_REPORT).rows
    typed = typed_with(ORDER_REPORT, ordered_at="yesterday")
    assert typed.rows.equals(whole.iloc[1:].reset_index(drop=True))
    (problem,) = typed.rejects[0].problems
    assert problem.rule == "a date as %d %b %Y %I:%M:%S %p or %d %b %Y %I:%M %p"


def test_an_unreadable_optional_value_is_null_and_counted() -> None:
    typed = typed_with(ORDER_REPORT, pieces="a few", due_on="soon", customer_phone="A817--7461")
    assert (typed.rejects, typed.warnings) == ((), 2)
    first = typed.rows.iloc[0]
    assert (first["pieces"], first["due_on"]) == (None, None)
    assert first["customer_phone"] == "A817--7461"


def test_an_empty_optional_value_is_null_and_not_counted() -> None:
    typed = typed_with(ORDER_REPORT, pieces=None, last_activity_at=None)
    assert (typed.rows.iloc[0]["pieces"], typed.warnings) == (None, 0)


@pytest.mark.parametrize("report", [ORDER_REPORT, GST_REPORT], ids=str)
def test_no_rows_are_no_rows(report: Report) -> None:
    typed = read_rows(texts(report).iloc[:0], report)
    assert (len(typed.rows), typed.rejects, typed.warnings) == (0, (), 0)
    assert "business_day" in typed.rows.columns
