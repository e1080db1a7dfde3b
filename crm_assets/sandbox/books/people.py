"""The invented customers: names, addresses and phones that belong to nobody.

A store has a few hundred who come again. What they bring is drawn elsewhere.
"""

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from crm_assets.sandbox.books.series import Series

_FIRST_NAMES = ("Arjun", "Asha", "Divya", "Isha", "Karan", "Meera", "Neha", "Pooja", "Ravi", "Rohan", "Sahil", "Vikram")
_LAST_NAMES = ("Demo", "Example", "Placeholder", "Sample", "Specimen")
_REGULARS = 300
_RARE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A person at the counter, as a portal stores them."""

    code: str
    name: str
    address: str
    phone: str


def customer(series: Series, chance: Random) -> Customer:
    """One of the store's regulars."""
    return _regular(series, chance.randrange(_REGULARS))


@lru_cache(maxsize=5_000)
def _regular(series: Series, index: int) -> Customer:
    chance = series.draw("customer", index)
    return Customer(
        code=f"Cust{chance.randint(200_000, 9_999_999)}",
        name=f"{chance.choice(_FIRST_NAMES)} {chance.choice(_LAST_NAMES)}",
        address=_address(chance),
        phone=_phone(series.store, chance),
    )


def _address(chance: Random) -> str:
    near = f"House {chance.randint(1, 400)}, Block {chance.choice('ABC')}, Sample Nagar, New Delhi"
    if chance.random() > _RARE:
        return near
    return (
        f"{near}, second floor, beside the invented water tank & the 'Example' sweet shop, ring the <upper> bell twice"
    )


def _phone(store: str, chance: Random) -> str:
    """Ten digits, but for the placeholder of a customer without a phone and the rare one with digits missing."""
    lot = chance.random()
    if lot < _RARE / 2:
        return f"{store.upper()}--{chance.randint(1000, 9999)}"
    digits = 8 if lot < _RARE else 10
    return "9" + "".join(chance.choices("0123456789", k=digits - 1))
