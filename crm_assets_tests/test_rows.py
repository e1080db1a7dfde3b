"""Rows: texts become values by the column table, and nothing is guessed."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from crm_assets import workbook
from crm_assets.model import IST, NOT_PLAIN, Column, Kind, Problem, Report
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


@pytest.mark.parametrize("report", [ORDER_REPORT, GST_REPORT], ids=lambda report: report.name)
def test_every_row_of_a_sample_is_readable(report: Report) -> None:
    typed = read_rows(texts(report), report)
    assert (len(typed.rows), typed.rejects, typed.warnings) == (len(texts(report)), (), 0)
    assert list(typed.rows.columns) == [*(column.name for column in report.fact_columns), "business_day", "warnings"]
    assert set(typed.rows["warnings"]) == {None}
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
        (Kind.MONEY, "1,200", Decimal("1200.00")),
        (Kind.MONEY, "1,20,000.50", Decimal("120000.50")),
        (Kind.MONEY, "12,34,567", Decimal("1234567.00")),
        (Kind.MONEY, "120,000.5", Decimal("120000.50")),
        (Kind.MONEY, "1,234,567", Decimal("1234567.00")),
        (Kind.MONEY, "-1,200.00", Decimal("-1200.00")),
        (Kind.MONEY, "1 200", Decimal("1200.00")),
        (Kind.MONEY, "1\u00a0200.5", Decimal("1200.50")),
        (Kind.MONEY, "\u00a0 1200\u00a0", Decimal("1200.00")),
        (Kind.MONEY, "₹ 12", Decimal("12.00")),
        (Kind.MONEY, "₹1,20,000.50", Decimal("120000.50")),
        (Kind.MONEY, "Rs. 1,200/-", Decimal("1200.00")),
        (Kind.MONEY, "rs 12", Decimal("12.00")),
        (Kind.MONEY, "INR 12", Decimal("12.00")),
        (Kind.MONEY, "-₹12", Decimal("-12.00")),
        (Kind.MONEY, "- ₹\u00a012", Decimal("-12.00")),
        (Kind.MONEY, "₹-12", Decimal("-12.00")),
        (Kind.MONEY, "- 12", Decimal("-12.00")),
        (Kind.MONEY, "12 ₹", Decimal("12.00")),
        (Kind.MONEY, "+12", Decimal("12.00")),
        (Kind.MONEY, ".5", Decimal("0.50")),
        (Kind.MONEY, "5.", Decimal("5.00")),
        (Kind.MONEY, "1E2", Decimal("100.00")),
        (Kind.MONEY, "1e-05", Decimal("0.00")),
        (Kind.MONEY, "999999999.99", Decimal("999999999.99")),
        (Kind.INTEGER, "1,200", 1200),
        (Kind.MONEY, "1,5", None),
        (Kind.MONEY, "1,20", None),
        (Kind.MONEY, "0,500", None),
        (Kind.MONEY, "1,2345", None),
        (Kind.MONEY, "1,234,56", None),
        (Kind.MONEY, "1,23,456,789", None),
        (Kind.MONEY, ",500", None),
        (Kind.MONEY, "1.200,50", None),
        (Kind.MONEY, "12 5", None),
        (Kind.MONEY, "1_000", None),
        (Kind.MONEY, "\u0967\u0968", None),
        (Kind.MONEY, "--5", None),
        (Kind.MONEY, "5-", None),
        (Kind.MONEY, "(5)", None),
        (Kind.MONEY, "$ 5", None),
        (Kind.MONEY, "₹", None),
        (Kind.MONEY, "/-", None),
        (Kind.MONEY, "-", None),
        (Kind.MONEY, "1000000000", None),
        (Kind.MONEY, "1E+40", None),
        (Kind.MONEY, "1E+999999999", None),
        (Kind.MONEY, "", None),
        (Kind.MONEY, "TRUE", None),
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
        ("2026-02-01T00:00:00", date(2026, 2, 1)),
        ("2026-02-01T00:00:01", None),
        ("2026-13-01T00:00:00", None),
        ("1/2/2026 ", date(2026, 2, 1)),
        ("01/02/26", None),
        ("46054", None),
        ("", None),
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
        ("2025-11-24T23:18:00", datetime(2025, 11, 24, 23, 18, tzinfo=IST)),
        ("2025-11-24T23:18:00.500000", datetime(2025, 11, 24, 23, 18, 0, 500_000, tzinfo=IST)),
        ("2025-11-24T24:18:00", None),
        ("23:18:00", None),
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
        ("invoiced_on", "a date as 24/11/2025", "11/13/2025"),
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
    assert problem.rule == "a date as 24 Nov 2025 11:18:03 AM or 24 Nov 2025 11:18 AM"


@pytest.mark.parametrize("text", ["a few", "1,5", "1.5", "NA", "-"])
def test_an_unreadable_number_rejects_its_row(text: str) -> None:
    typed = typed_with(ORDER_REPORT, pieces=text, due_on="soon")
    (reject,) = typed.rejects
    assert reject.problems == (Problem(column="pieces", rule="a whole number", value=text),)
    assert len(typed.rows) == len(texts(ORDER_REPORT)) - 1


def test_an_unreadable_optional_date_phone_or_tax_number_is_a_warning_on_its_row() -> None:
    typed = typed_with(ORDER_REPORT, due_on="soon", customer_phone="A817--7461", customer_gstin="none")
    assert (typed.rejects, typed.warnings) == ((), 3)
    first = typed.rows.iloc[0]
    assert (first["due_on"], first["customer_phone"], first["customer_gstin"]) == (None, "A817--7461", "none")
    assert first["warnings"] == (
        Problem(column="customer_phone", rule="a phone number of 10 digits", value="A817--7461"),
        Problem(column="due_on", rule="a date as 24 Nov 2025", value="soon"),
        Problem(column="customer_gstin", rule="a GST number of 15 signs", value="none"),
    )
    assert set(typed.rows["warnings"][1:]) == {None}


@pytest.mark.parametrize(
    ("text", "warns"),
    [
        ("9876543210", False),
        ("+91 9876543210", False),
        ("919876543210", False),
        ("09876543210", False),
        ("  9876543210  ", False),
        (None, False),
        ("   ", False),
        ("987654321", True),
        ("98765 43210", True),
        ("TRUE", True),
    ],
)
def test_a_phone_number_has_ten_digits_or_a_warning(text: str | None, warns: bool) -> None:
    typed = typed_with(GST_REPORT, customer_phone=text)
    assert (len(typed.rejects), typed.warnings) == (0, int(warns))
    assert typed.rows["customer_phone"][0] == ((text or "").strip() or None)


@pytest.mark.parametrize("sign", sorted(NOT_PLAIN))
@pytest.mark.parametrize("name", ["invoice_number", "customer_name", "taxable_value", "invoiced_on"])
def test_an_error_a_formula_or_a_merge_rejects_its_row_in_any_column_of_the_facts(name: str, sign: str) -> None:
    (reject,) = typed_with(GST_REPORT, **{name: sign}).rejects
    assert reject.problems == (
        Problem(column=name, rule="a plain value, no error, formula or merged cell", value=sign),
    )
    assert typed_with(GST_REPORT, serial_number=sign).rejects == ()


def test_a_key_of_other_signs_rejects_its_row() -> None:
    (reject,) = typed_with(GST_REPORT, invoice_number="uc610 340").rejects
    assert reject.problems == (
        Problem(column="invoice_number", rule="capital letters, digits, - and / only", value="uc610 340"),
    )


def test_a_blank_row_is_rejected_by_its_key_and_its_day() -> None:
    rows = texts(GST_REPORT)
    rows.loc[1, [column.name for column in GST_REPORT.columns]] = None
    (reject,) = read_rows(rows, GST_REPORT).rejects
    assert [problem.column for problem in reject.problems] == ["booking_id", "invoice_number", "invoiced_on"]
    assert reject.row_number == 3


def test_a_column_that_was_unknown_when_its_row_was_staged_is_taken_from_beside_it() -> None:
    column = replace(GST_REPORT.column("customer_name"), aliases=("Client", "Buyer"))
    report = replace(
        GST_REPORT, columns=tuple(column if old.name == column.name else old for old in GST_REPORT.columns)
    )
    rows = texts(report)
    rows["customer_name"] = None
    beside = [{"Buyer": " Neha Example "}, {"Client": "Asha Demo", "Other": "x"}, {"Other": "x"}, None]
    rows["_extra"] = pd.Series(beside, dtype=object)
    assert list(read_rows(rows, report).rows["customer_name"]) == ["Neha Example", "Asha Demo", None, None]


def test_an_empty_optional_value_is_null_and_not_counted() -> None:
    typed = typed_with(ORDER_REPORT, pieces=None, last_activity_at=None)
    assert (typed.rows.iloc[0]["pieces"], typed.warnings) == (None, 0)


@pytest.mark.parametrize("report", [ORDER_REPORT, GST_REPORT], ids=lambda report: report.name)
def test_no_rows_are_no_rows(report: Report) -> None:
    typed = read_rows(texts(report).iloc[:0], report)
    assert (len(typed.rows), typed.rejects, typed.warnings) == (0, (), 0)
    assert "business_day" in typed.rows.columns
