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
_WITHOUT_PHONE = (0, 1)
_WITH_DIGITS_MISSING = (2,)
_WITH_LONG_ADDRESS = (3, 4, 5)


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
        address=_address(index, chance),
        phone=_phone(series.store, index, chance),
    )


def _address(index: int, chance: Random) -> str:
    near = f"House {chance.randint(1, 400)}, Block {chance.choice('ABC')}, Sample Nagar, New Delhi"
    if index not in _WITH_LONG_ADDRESS:
        return near
    return (
        f"{near}, second floor, beside the invented water tank & opposite the 'Example' sweet shop,"
        " ring the <upper> bell twice and wait at the green gate"
    )


def _phone(store: str, index: int, chance: Random) -> str:
    """Ten digits, but for the placeholder of who gave no phone and for who left digits out."""
    if index in _WITHOUT_PHONE:
        return f"{store.upper()}--{chance.randint(1000, 9999)}"
    digits = 8 if index in _WITH_DIGITS_MISSING else 10
    return "9" + "".join(chance.choices("0123456789", k=digits - 1))
