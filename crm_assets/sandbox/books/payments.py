"""TumbleDry's payments: every entry that an order will ever have in Sales & Delivery, drawn apart from the order itself.

What an order has paid at a moment is the sum of its entries until then; a return is an entry of its own and pays money back.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random

from crm_assets.sandbox.books.people import Customer
from crm_assets.sandbox.books.series import Series
from crm_assets.sandbox.books.tumbledry import Order, moment_text
from crm_assets.sandbox.layouts import SALES_AND_DELIVERY, Row
from crm_assets.sandbox.stores import SandboxStore

LONGEST_DAYS = 220
"""So long after its booking an order may still be paid for."""

_MODES = {"Credit Card/Debit Card": 57, "Package": 54, "Paytm": 47, "Cash": 45, "PhonePe": 45, "Google Pay": 41}
_PLACES = (" Walk in Customer", "Mobile POS", "Payment Link")
_DELIVERIES = 0.3
_ORDERS_A_RETURN = 40
_LAST_RETURN_DAYS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row to be. ``number`` is the order's or the return's own; ``order`` is where the row stands among a day's rows."""

    number: str
    order: int
    at: datetime
    rupees: int
    mode: str | None
    transaction: str | None
    place: str
    kind: str
    ordered_on: date
    customer: Customer


@lru_cache(maxsize=20_000)
def entries_of(seed: str, store: SandboxStore, order: Order) -> tuple[Entry, ...]:
    """The order's payments, now and then its delivery where nothing was paid at it, and its return, if it has one."""
    series = Series(seed=seed, store=store.code, mean=0, most=0)
    chance = series.draw(order.number, "payments")
    delivered = order.steps[-1][0]
    paid = [(at, rupees) for at, rupees in order.payments if rupees]
    shown = not any(at == delivered for at, _ in paid) and chance.random() < _DELIVERIES
    unpaid = [(delivered, 0)] if shown else []
    entries = [_entry(order, chance, at, rupees) for at, rupees in (*paid, *unpaid)]
    run, place = divmod(order.number, _ORDERS_A_RETURN)
    if paid and place == _brought_back(series, run):
        entries.append(_returned(order, chance, max(at for at, _ in paid), sum(rupees for _, rupees in paid)))
    return tuple(entries)


def over_on(order: Order) -> date:
    """The last day on which the order, or its return, can have a row."""
    last = max(at for at, _ in (order.steps[-1], *order.payments))
    return (last + timedelta(days=_LAST_RETURN_DAYS)).date()


def as_listed(entry: Entry) -> tuple[date, int, datetime]:
    """The report's order: by day, then by order, a return where its order would stand, then by time."""
    return entry.at.date(), entry.order, entry.at


def entry_row(entry: Entry) -> Row:
    """The entry as the report writes it."""
    return {
        **dict.fromkeys(SALES_AND_DELIVERY.headers),
        "Order Date": f"{entry.ordered_on:%d %b %Y}",
        "Payment Date": moment_text(entry.at),
        "Order Number": entry.number,
        "Customer Code": entry.customer.code,
        "Customer Name": entry.customer.name,
        "Customer Address": entry.customer.address,
        "Customer Mobile No.": entry.customer.phone,
        "Payment Received": entry.rupees,
        "Adjustments": 0,
        "Balance": 0,
        "Accept By": "Store Manager",
        "Payment Mode": entry.mode,
        "Online TransactionID": entry.transaction,
        "Payment Made At": entry.place,
        "Type": entry.kind,
    }


def _entry(order: Order, chance: Random, at: datetime, rupees: int, *, number: str = "", kind: str = "Order") -> Entry:
    """Nothing received has no mode."""
    mode = chance.choices(tuple(_MODES), weights=tuple(_MODES.values()))[0] if rupees else None
    return Entry(
        number=number or f"T{order.number}",
        order=order.number,
        at=at,
        rupees=rupees,
        mode=mode,
        transaction=f"37{chance.randrange(10**33):033}" if rupees and chance.random() < 0.08 else None,
        place=chance.choice(_PLACES),
        kind=kind,
        ordered_on=order.at.date(),
        customer=order.customer,
    )


@lru_cache(maxsize=1_000)
def _brought_back(series: Series, run: int) -> int:
    """The one of forty orders in a row that is brought back; so returns are numbered through, in a sequence of their own."""
    return series.draw(run, "return").randrange(_ORDERS_A_RETURN)


def _returned(order: Order, chance: Random, paid_at: datetime, paid: int) -> Entry:
    at = paid_at + timedelta(days=chance.uniform(0.5, _LAST_RETURN_DAYS))
    back = chance.randint(1, max(1, paid // 3))
    return _entry(order, chance, at, -back, number=f"SRN{order.number // _ORDERS_A_RETURN}", kind="SRN-Garment Return")
