"""TumbleDry's payments: they are what the orders were paid with, by the day of the payment, and never change."""

import re
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta

import pytest

from crm_assets.model import IST, Window, system_clock
from crm_assets.sandbox.books import Books
from crm_assets.sandbox.layouts import SALES_AND_DELIVERY, Row
from crm_assets.sandbox.workbooks import footer

MONTHS = Window(first=date(2026, 1, 1), last=date(2026, 3, 31))
NOW = datetime(2026, 3, 31, 18, tzinfo=IST)
KEY = ("Order Number", "Payment Date", "Payment Mode")
MOMENT = "%d %b %Y %I:%M:%S %p"


@pytest.fixture(scope="module")
def books() -> Books:
    return Books("demo", system_clock, lambda _store, _day: False)


def paid_at(row: Row) -> datetime:
    return datetime.strptime(str(row["Payment Date"]), MOMENT).replace(tzinfo=IST)


@pytest.fixture(scope="module")
def payments(books: Books) -> list[Row]:
    return books.td_payments("a817", MONTHS, NOW)


def test_what_an_order_has_paid_is_the_sum_of_its_payments_at_every_moment(books: Books) -> None:
    for moment in (NOW - timedelta(days=40), NOW - timedelta(days=3, hours=7), NOW):
        received: defaultdict[object, int] = defaultdict(int)
        for row in books.td_payments("a817", MONTHS, moment):
            received[row["Order Number"]] += row["Payment Received"]  # type: ignore[operator]
        orders = books.td_orders("a817", MONTHS, moment)
        assert {row["Order No."]: received[row["Order No."]] for row in orders} == {
            row["Order No."]: row["Paid"] for row in orders
        }


def test_the_day_is_that_of_the_payment_and_the_order_may_be_older(books: Books, payments: list[Row]) -> None:
    days = [paid_at(row).date() for row in payments]
    assert days == sorted(days)
    assert {*days} <= {*MONTHS.days()}
    assert any(str(row["Order Date"]).endswith("2025") for row in payments)
    one_day = Window(first=days[200], last=days[200])
    assert books.td_payments("a817", one_day, NOW) == [
        row for row, day in zip(payments, days, strict=True) if day == days[200]
    ]


def test_a_payment_once_made_stays_as_it_is(books: Books, payments: list[Row]) -> None:
    earlier = NOW - timedelta(days=30)
    seen_then = books.td_payments("a817", MONTHS, earlier)
    assert seen_then == [row for row in payments if paid_at(row) <= earlier] != []


def test_nothing_is_paid_before_its_order_or_after_the_moment_asked(books: Books, payments: list[Row]) -> None:
    booked = {row["Order No."]: str(row["Order Date / Time"]) for row in books.td_orders("a817", MONTHS, NOW)}
    for row in payments:
        assert paid_at(row) <= NOW
        assert datetime.strptime(str(row["Order Date"]), "%d %b %Y").replace(tzinfo=IST) <= paid_at(row)
        if at := booked.get(row["Order Number"]):
            assert datetime.strptime(at, MOMENT).replace(tzinfo=IST) <= paid_at(row)


def test_some_orders_are_paid_in_two_parts_and_none_in_more(payments: list[Row]) -> None:
    parts = Counter(row["Order Number"] for row in payments if row["Payment Received"])
    assert {*parts.values()} == {1, 2}
    assert 0.02 < sum(count == 2 for count in parts.values()) / len(parts) < 0.12


def test_no_two_payments_share_order_time_and_mode(payments: list[Row]) -> None:
    assert max(Counter(tuple(row[name] for name in KEY) for row in payments).values()) == 1


def test_returns_pay_money_back_under_a_number_of_their_own(payments: list[Row]) -> None:
    returns = [row for row in payments if row["Type"] == "SRN-Garment Return"]
    assert 0.005 < len(returns) / len(payments) < 0.05
    numbers = [str(row["Order Number"]) for row in returns]
    assert all(number.startswith("SRN") for number in numbers) and len({*numbers}) == len(numbers)
    assert not {number.removeprefix("SRN") for number in numbers} & {
        str(row["Order Number"]).removeprefix("T") for row in payments if row not in returns
    }
    assert all(row["Payment Received"] < 0 for row in returns)  # type: ignore[operator]
    assert all(row["Payment Received"] >= 0 for row in payments if row not in returns)  # type: ignore[operator]


def test_nothing_received_has_no_mode(payments: list[Row]) -> None:
    assert {row["Payment Mode"] for row in payments if not row["Payment Received"]} == {None}
    modes = {row["Payment Mode"] for row in payments if row["Payment Received"]}
    assert modes == {"Cash", "Paytm", "PhonePe", "Google Pay", "Credit Card/Debit Card", "Package"}


def test_texts_are_spelled_as_the_portal_spells_them(payments: list[Row]) -> None:
    spelled = {
        "Order Date": r"\d{2} [A-Z][a-z]{2} \d{4}",
        "Payment Date": r"\d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} [AP]M",
        "Order Number": r"(T|SRN)\d+",
        "Customer Code": r"Cust\d+",
        "Accept By": "Store Manager",
        "Payment Made At": " Walk in Customer|Mobile POS|Payment Link",
        "Type": "Order|SRN-Garment Return",
    }
    for row in payments:
        assert tuple(row) == SALES_AND_DELIVERY.headers
        assert {name: row[name] for name, form in spelled.items() if not re.fullmatch(form, str(row[name]))} == {}
    transactions = [str(row["Online TransactionID"]) for row in payments if row["Online TransactionID"]]
    assert 0 < len(transactions) < len(payments) * 0.15
    assert all(re.fullmatch(r"\d{35}", number) for number in transactions)


def test_the_footer_counts_under_the_order_number(payments: list[Row]) -> None:
    closing = {name: value for name, value in footer(SALES_AND_DELIVERY, payments).items() if value is not None}
    assert closing == {
        "Order Date": "Total Order",
        "Order Number": len(payments),
        "Payment Received": sum(row["Payment Received"] for row in payments),  # type: ignore[misc]
        "Adjustments": 0,
    }
