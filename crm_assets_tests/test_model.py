"""The nouns: windows and days, stores and their names, reports and their tables."""

from datetime import UTC, date, datetime, timedelta

import pytest

from crm_assets.model import Column, Kind, Report, Store, Window, business_day, system_clock
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets_tests.fixtures.sandbox import days


def test_a_business_day_is_a_date_in_kolkata() -> None:
    """Half past six in the evening in London is past midnight there."""
    assert business_day(lambda: datetime(2026, 2, 13, 18, 29, tzinfo=UTC)) == date(2026, 2, 13)
    assert business_day(lambda: datetime(2026, 2, 13, 18, 30, tzinfo=UTC)) == date(2026, 2, 14)


def test_the_machines_clock_is_aware() -> None:
    assert system_clock().utcoffset() == timedelta()


def test_a_window_holds_both_its_ends_and_tells_its_days() -> None:
    window = days("2026-02-27", "2026-03-02")
    assert [day.day for day in window.days()] == [27, 28, 1, 2]
    assert [
        day in window for day in map(date.fromisoformat, ("2026-02-26", "2026-02-27", "2026-03-02", "2026-03-03"))
    ] == [
        False,
        True,
        True,
        False,
    ]
    assert str(window) == "2026-02-27 to 2026-03-02"


def test_a_window_cannot_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="the window ends before it begins: 2026-02-02 to 2026-02-01"):
        Window(first=date(2026, 2, 2), last=date(2026, 2, 1))


def test_days_are_joined_into_windows_that_hold_exactly_them() -> None:
    wanted = [date(2026, 2, day) for day in (9, 3, 1, 2, 4, 9, 8)]
    assert Window.joining(wanted, 3) == [
        days("2026-02-01", "2026-02-03"),
        days("2026-02-04"),
        days("2026-02-08", "2026-02-09"),
    ]
    assert Window.joining([], 90) == []


def test_ninety_days_fit_one_window_and_ninety_one_do_not() -> None:
    first = date(2025, 11, 1)
    many = [first + timedelta(days=offset) for offset in range(91)]
    assert [len(list(window.days())) for window in Window.joining(many[:90], 90)] == [90]
    assert [len(list(window.days())) for window in Window.joining(many, 90)] == [90, 1]


def test_a_store_is_named_by_crm_and_code_and_in_files_by_letters_and_digits() -> None:
    store = Store(crm="uc", code="sector56", name="Sector 56, Gurugram", first_day=date(2025, 11, 1))
    assert (str(store), store.file_name_part) == ("uc/sector56", "Sector56Gurugram")


@pytest.mark.parametrize("report", [ORDER_REPORT, GST_REPORT], ids=str)
def test_a_reports_table_of_columns_is_consistent(report: Report) -> None:
    names = [column.name for column in report.columns]
    assert len(set(names)) == len({column.header for column in report.columns}) == len(names)
    for needed in (report.key, report.day):
        assert report.column(needed).required
    dates = [column for column in report.columns if column.kind in (Kind.DAY, Kind.MOMENT)]
    assert all(column.formats for column in dates)
    assert not any(column.formats for column in report.columns if column not in dates)
    assert all(column.description for column in report.columns)
    if report.footer:
        assert {report.footer.count, *report.footer.sums} <= set(names)


def test_a_report_names_its_asset_and_its_history_after_itself() -> None:
    assert ORDER_REPORT.raw_asset == "td_order_report_xlsx"
    assert ORDER_REPORT.history_table == "fact_td_orders_history"
    assert len(ORDER_REPORT.columns) == 42


def test_what_describes_the_export_is_not_in_the_fact() -> None:
    in_fact: tuple[Column, ...] = GST_REPORT.fact_columns
    assert {column.name for column in GST_REPORT.columns} - {column.name for column in in_fact} == {"serial_number"}
