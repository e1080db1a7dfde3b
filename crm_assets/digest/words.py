"""Rupees, growth and times as people in India read them: ``₹1,20,345``, ``+12 %``, ``26 Nov, 18:04``."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from crm_assets.digest.figures import Sums
from crm_assets.model import IST

MINUS = "\N{MINUS SIGN}"
NOT_FETCHED = "\N{EN DASH}"


def rupees(amount: Decimal) -> str:
    """Whole rupees, grouped by lakh and crore."""
    whole = int(abs(amount).quantize(Decimal(1), ROUND_HALF_UP))
    return (MINUS if amount < 0 and whole else "") + "₹" + grouped(whole)


def grouped(number: int) -> str:
    """``12,03,450``: the last three digits, then twos."""
    digits = str(number)
    head, tail = digits[:-3], digits[-3:]
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)][::-1]
    return ",".join([*pairs, tail])


def known_rupees(sums: Sums) -> str:
    """``₹1,20,345``; with a star where days of it were never fetched, a dash where all of them were not."""
    if sums.is_missing:
        return NOT_FETCHED
    return rupees(sums.amount) + "*" * sums.is_partial


def orders(count: int) -> str:
    """``1 order``, ``1,204 orders``."""
    return f"{grouped(count)} order{'s' * (count != 1)}"


def growth(share: Decimal | None) -> str:
    """``+12 %``; ``new`` where nothing was sold before."""
    if share is None:
        return "new"
    percent = int((share * 100).quantize(Decimal(1), ROUND_HALF_UP))
    return f"{'+' if percent > 0 else MINUS if percent < 0 else '±'}{abs(percent)} %"


def moment(at: datetime | None) -> str:
    """``26 Nov, 18:04`` in Kolkata."""
    return f"{at.astimezone(IST):%d %b, %H:%M}" if at else "never"


def day_text(day: date) -> str:
    """``Thursday, 26 November 2026``."""
    return f"{day:%A}, {day.day} {day:%B %Y}"


def short_day(day: date) -> str:
    """``26 Nov``."""
    return f"{day.day} {day:%b}"


def month_text(month: date) -> str:
    """``Nov 2026``."""
    return f"{month:%b %Y}"
