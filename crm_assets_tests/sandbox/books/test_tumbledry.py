"""TumbleDry's orders: their numbers, their money, their life."""

import math
import re
from datetime import date, datetime, timedelta
from statistics import median, quantiles

import pytest

from crm_assets.model import IST, Window
from crm_assets.sandbox.books.tumbledry import Order, order_row, orders_on
from crm_assets.sandbox.layouts import ORDER_REPORT, Row
from crm_assets.sandbox.stores import SandboxStore, find_store

YEAR = Window(first=date(2025, 2, 1), last=date(2026, 1, 31))
LATER = datetime(2027, 1, 1, tzinfo=IST)


def store() -> SandboxStore:
    found = find_store("td", "a817")
    assert found
    return found


@pytest.fixture(scope="module")
def orders() -> list[Order]:
    return [order for day in YEAR.days() for order in orders_on("demo", store(), day)]


@pytest.fixture(scope="module")
def rows(orders: list[Order]) -> list[Row]:
    return [order_row(order, LATER) for order in orders]


def test_numbers_run_on_from_day_to_day_and_begin_with_three_digits(orders: list[Order]) -> None:
    numbers = [order.number for order in orders]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[0] < 1000 < numbers[-1]


def test_days_have_about_eight_orders_and_never_more_than_eighteen() -> None:
    counts = [len(orders_on("demo", store(), day)) for day in YEAR.days()]
    assert 7 < sum(counts) / len(counts) < 8.2
    assert max(counts) <= 18
    assert min(counts) == 0


def test_rows_hold_every_column_of_the_report_in_order(rows: list[Row]) -> None:
    assert all(tuple(row) == ORDER_REPORT.headers for row in rows)


def test_every_amount_adds_up_at_every_age(orders: list[Order]) -> None:
    for order in orders:
        for days in (0, 1, 5, 20, 80):
            row = {header: value or 0 for header, value in order_row(order, order.at + timedelta(days=days)).items()}
            assert row["Net Amount"] == math.floor(row["Gross Amount"] - row["Discount"] + 0.5)  # type: ignore[operator]
            assert row["Paid"] + row["Balance"] + row["Adjustment"] == row["Net Amount"]  # type: ignore[operator]
            assert row["Balance"] >= 0  # type: ignore[operator]
            assert row["Tax"] == 0


def test_orders_are_delivered_as_slowly_as_in_production(orders: list[Order]) -> None:
    days = [(order.steps[-1][0] - order.at) / timedelta(days=1) for order in orders]
    assert 5.2 < median(days) < 6.2
    assert 13 < quantiles(days, n=10)[-1] < 15.5
    assert 35 < quantiles(days, n=100)[-1] < 65


def test_an_order_moves_from_unprocessed_to_delivered_and_gets_paid(orders: list[Order]) -> None:
    order = next(order for order in orders if order.money.net > 0 and order.payments[-1:][0][0] >= order.steps[-1][0])
    moments = [order.at, *(moment for moment, _ in order.steps), LATER]
    life = [order_row(order, moment) for moment in moments]
    assert [row["Order Status"] for row in life] == ["Unprocessed", "Inprocessing", "Ready", "Delivered", "Delivered"]
    assert life[0]["Last Activity"] is None
    assert life[1]["Last Activity"] == order.steps[0][0].strftime("%d %b %Y %I:%M:%S %p")
    assert (life[0]["Paid"], life[0]["Balance"]) == (0, order.money.net)
    assert (life[-1]["Adjustment"], life[-1]["Balance"]) == (order.money.adjustment, 0)


def test_rarities_are_there_and_rare(rows: list[Row]) -> None:
    odd = {
        "placeholder phone": [row for row in rows if re.fullmatch(r"A817--\d{4}", str(row["Phone"]))],
        "short phone": [row for row in rows if re.fullmatch(r"\d{8}", str(row["Phone"]))],
        "no price": [row for row in rows if row["Net Amount"] == 0],
        "a preference": [row for row in rows if row["Preference"] != "NA"],
        "adjusted": [row for row in rows if row["Adjustment"]],
    }
    assert {name: 0 < len(found) < len(rows) * 0.04 for name, found in odd.items()} == dict.fromkeys(odd, True)
