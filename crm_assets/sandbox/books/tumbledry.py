"""TumbleDry's orders: drawn once with everything that will happen to them, then shown as of a moment.

An order moves from Unprocessed to Delivered (median 5.7 days, a tail of weeks) and is paid before, at or after pickup.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random

from crm_assets.sandbox.books.people import Customer, customer
from crm_assets.sandbox.books.series import Series, count_before, times_on
from crm_assets.sandbox.layouts import ORDER_REPORT, Row
from crm_assets.sandbox.stores import SandboxStore

_FIRST_NUMBER = 100
_SERVICES = ("CL", "CL, SI", "SHC", "SI", "WF", "WLS", "WSI", "SI, CL", "PL", "WF, WSI")
_SOURCES = ("Walk in Customer", "Super Admin", "Mobile APP", "WhatsApp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What an order costs."""

    gross: float
    discount: float
    net: int
    adjustment: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order and its whole life: ``steps`` are the moments of the later statuses, ``payments`` moment and rupees."""

    number: int
    at: datetime
    customer: Customer
    due: date
    pieces: int
    weight: float
    money: Money
    steps: tuple[tuple[datetime, str], ...]
    payments: tuple[tuple[datetime, int], ...]
    words: tuple[tuple[str, str], ...]


@lru_cache(maxsize=5_000)
def orders_on(seed: str, store: SandboxStore, day: date) -> tuple[Order, ...]:
    """All orders the day will have had."""
    series = Series(seed=seed, store=store.code, mean=7.6, most=18)
    chance = series.draw(day, "orders")
    first = _FIRST_NUMBER + count_before(series, day)
    return tuple(_order(series, chance, first + index, at) for index, at in enumerate(times_on(series, day)))


def order_row(order: Order, now: datetime) -> Row:
    """The order as the report writes it at a moment."""
    steps = [step for step in order.steps if step[0] <= now]
    activity, status = steps[-1] if steps else (None, "Unprocessed")
    payments = [payment for payment in order.payments if payment[0] <= now]
    adjustment = order.money.adjustment if status == "Delivered" else 0
    paid = sum(rupees for _, rupees in payments)
    return {
        **dict.fromkeys(ORDER_REPORT.headers),
        **dict.fromkeys(ORDER_REPORT.sums, 0),
        "Order Date / Time": moment_text(order.at),
        "Order No.": f"T{order.number}",
        "Customer Code": order.customer.code,
        "Name": order.customer.name,
        "Address": order.customer.address,
        "Phone": order.customer.phone,
        "Due Date": order.due.strftime("%d %b %Y"),
        "Last Activity": moment_text(activity) if activity else None,
        "Pcs.": order.pieces,
        "Weight": order.weight,
        "Gross Amount": order.money.gross,
        "Discount": order.money.discount,
        "Net Amount": order.money.net,
        "Paid": paid,
        "Adjustment": adjustment,
        "Balance": order.money.net - paid - adjustment,
        "Order Status": status,
        **dict(order.words),
    }


def moment_text(moment: datetime) -> str:
    """``24 Nov 2025 11:18:03 AM``."""
    return moment.strftime("%d %b %Y %I:%M:%S %p")


def _order(series: Series, chance: Random, number: int, at: datetime) -> Order:
    money = _money(chance)
    steps = _steps(chance, at)
    return Order(
        number=number,
        at=at,
        customer=customer(series, chance),
        due=at.date() + timedelta(days=3 if chance.random() < 0.85 else chance.randint(1, 7)),
        pieces=chance.randint(1, 14),
        weight=0 if chance.random() < 0.74 else round(chance.uniform(0.5, 9.9), 1),
        money=money,
        steps=steps,
        payments=_payments(chance, money.net - money.adjustment, at, delivered=steps[-1][0]),
        words=_words(chance),
    )


def _money(chance: Random) -> Money:
    """Amounts to the half rupee; one order in a hundred is free, and a few are adjusted at the counter."""
    gross = 0 if chance.random() < 0.01 else chance.randint(150, 5000) / 2
    discount = round(gross * 0.2, 1) if chance.random() < 0.4 else 0
    net = math.floor(gross - discount + 0.5)
    adjustment = chance.randint(1, min(net, 40)) if net and chance.random() < 0.02 else 0
    return Money(gross=gross, discount=discount, net=net, adjustment=adjustment)


def _steps(chance: Random, at: datetime) -> tuple[tuple[datetime, str], ...]:
    days = _days_until_delivery(chance)
    shares = (chance.uniform(0.05, 0.3), chance.uniform(0.4, 0.9), 1.0)
    statuses = ("Inprocessing", "Ready", "Delivered")
    return tuple((at + timedelta(days=days * share), status) for share, status in zip(shares, statuses, strict=True))


def _days_until_delivery(chance: Random) -> float:
    """Two crowds: nearly everybody fetches within two weeks, three in a hundred forget for a month or two."""
    median, spread = (35, 0.45) if chance.random() < 0.03 else (5.5, 0.66)
    return chance.lognormvariate(math.log(median), spread)


def _payments(chance: Random, due: int, at: datetime, *, delivered: datetime) -> tuple[tuple[datetime, int], ...]:
    """Half pay at pickup, some at the counter, some later, some in two parts; a few never do."""
    later = delivered + timedelta(days=chance.uniform(0.5, 12))
    part = due // 2
    plans: dict[str, tuple[tuple[datetime, int], ...]] = {
        "at pickup": ((delivered, due),),
        "at the counter": ((at, due),),
        "later": ((later, due),),
        "in two parts": ((delivered, part), (later, due - part)),
        "never": (),
    }
    return plans[chance.choices(tuple(plans), weights=(55, 18, 18, 6, 3))[0]]


def _words(chance: Random) -> tuple[tuple[str, str], ...]:
    """The descriptive columns; those that are nearly always empty are filled now and then."""
    usual = {
        "Preference": "NA" if chance.random() < 0.995 else "Hanger",
        "Booked By": "Store Manager",
        "Home Delivery": chance.choice(("Yes", "No")),
        "Registration Source": chance.choice(_SOURCES),
        "Order From POS": "Yes" if chance.random() < 0.05 else "No",
        "Package": "No",
        "Primary Services": chance.choice(_SERVICES),
    }
    rare = {
        "Workshop Note": "Stain on the left cuff",
        "Order Note": "Call before delivery",
        "Area Location": "Sample Nagar",
        "Top Up/Extra Service": "SHC",
        "Coupon Code": "DEMO20",
    }
    return tuple((usual | {header: word for header, word in rare.items() if chance.random() < 0.02}).items())
