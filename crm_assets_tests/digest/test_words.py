"""Rupees, growth and times as people read them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crm_assets.digest import words
from crm_assets.digest.figures import Sums


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "₹0"),
        ("999", "₹999"),
        ("1000", "₹1,000"),
        ("120345", "₹1,20,345"),
        ("12345678.5", "₹1,23,45,679"),
        ("-846.4", f"{words.MINUS}₹846"),
        ("-0.4", "₹0"),
    ],
)
def test_rupees_are_whole_and_grouped_by_lakh_and_crore(amount: str, text: str) -> None:
    assert words.rupees(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [("0.123", "+12 %"), ("-0.055", f"{words.MINUS}6 %"), ("0.001", "±0 %"), ("-0.004", "±0 %"), ("3", "+300 %")],
)
def test_growth_has_its_sign(share: str, text: str) -> None:
    assert words.growth(Decimal(share)) == text


def test_nothing_before_is_new() -> None:
    assert words.growth(None) == "new"


def test_times_are_kolkatas() -> None:
    assert words.moment(datetime(2026, 11, 26, 19, 0, tzinfo=UTC)) == "27 Nov, 00:30"
    assert words.moment(None) == "never"
    assert words.day_text(date(2026, 11, 6)) == "Friday, 6 November 2026"


def test_what_was_not_fetched_is_a_dash_and_in_part_a_star() -> None:
    some = Sums(amount=Decimal(1200), fetched=3, unfetched=1)
    assert words.known_rupees(some) == "₹1,200*"
    assert words.known_rupees(Sums(unfetched=4)) == words.NOT_FETCHED
    assert words.known_rupees(Sums(fetched=4)) == "₹0"
    assert [words.orders(count) for count in (0, 1, 1204)] == ["0 orders", "1 order", "1,204 orders"]
