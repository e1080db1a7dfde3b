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
_RETURNS, _DELIVERIES = 0.025, 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row to be."""

    number: str
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
    chance = Series(seed=seed, store=store.code, mean=0, most=0).draw(order.number, "payments")
    delivered = order.steps[-1][0]
    paid = [(at, rupees) for at, rupees in order.payments if rupees]
    shown = not any(at == delivered for at, _ in paid) and chance.random() < _DELIVERIES
    unpaid = [(delivered, 0)] if shown else []
    entries = [_entry(order, chance, at, rupees) for at, rupees in (*paid, *unpaid)]
    if paid and chance.random() < _RETURNS:
        entries.append(_returned(order, chance, max(at for at, _ in paid), sum(rupees for _, rupees in paid)))
    return tuple(entries)


def as_listed(entry: Entry) -> tuple[date, int, datetime]:
    """The report's order: by day, then by order, then by time."""
    return entry.at.date(), int(entry.number.lstrip("TSRN")), entry.at


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
        at=at,
        rupees=rupees,
        mode=mode,
        transaction=f"37{chance.randrange(10**33):033}" if rupees and chance.random() < 0.08 else None,
        place=chance.choice(_PLACES),
        kind=kind,
        ordered_on=order.at.date(),
        customer=order.customer,
    )


def _returned(order: Order, chance: Random, paid_at: datetime, paid: int) -> Entry:
    at = paid_at + timedelta(days=chance.uniform(0.5, 6))
    back = chance.randint(1, max(1, paid // 3))
    return _entry(order, chance, at, -back, number=f"SRN{order.number}", kind="SRN-Garment Return")
