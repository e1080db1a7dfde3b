"""Bad days, one table: each fault's name, what it does, and for how many answers it lasts unless told.

A fault is switched on for a CRM, a store and a kind of answer, or for all of them. The apps ask the board at the one place
where each kind of answer is made (``world``); what a fault looks like on a page is theirs. A new fault is one entry here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypedDict, Unpack

from crm_assets.sandbox.stores import STORES, stores_of

ANSWERS: Mapping[str, str] = {
    "login": "the answer to a login form or login call",
    "page": "a page: td home, order report page, report app",
    "list": "a td request list",
    "request": "asking td for a report",
    "download": "a td workbook",
    "export": "a uc export: the GET, the POST, or the panel's button",
    "api": "any other uc API call",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """``times`` is how many answers it spoils by default; ``None`` lasts until cleared, 0 happens at once and is over."""

    does: str
    times: int | None


FAULTS: Mapping[str, FaultKind] = {
    "slow": FaultKind(does="each answer takes `seconds` longer", times=None),
    "502": FaultKind(does="the answer is a gateway's 502 page: login, pages, lists, downloads, exports, API", times=1),
    "html_instead_of_xlsx": FaultKind(does="the workbook offered is an HTML login page under its .xlsx name", times=1),
    "session_expired": FaultKind(does="every session of the store is over until its next login", times=0),
    "no_business": FaultKind(does="nothing was sold from `first` to `last`, or ever", times=None),
}


class FaultWords(TypedDict, total=False):
    """For whom and for what a fault is asked; a word left out means every one, or the kind's own measure."""

    crm: str | None
    store: str | None
    at: Iterable[str]
    times: int | None
    seconds: float
    first: date
    last: date


@dataclass(slots=True, kw_only=True)
class Fault:
    """A fault that is on. What is ``None`` or empty means every one."""

    name: str
    crm: str | None
    store: str | None
    at: frozenset[str]
    left: int | None
    seconds: float
    first: date
    last: date

    def concerns(self, crm: str, store: str | None, at: str | None) -> bool:
        return self.crm in (None, crm) and self.store in (None, store) and (at is None or not self.at or at in self.at)


def fault_of(name: str, **words: Unpack[FaultWords]) -> Fault:
    """The fault as it is asked for by name, lasting as its kind lasts unless told."""
    if name not in FAULTS:
        raise ValueError(f"unknown fault {name!r}; there are {', '.join(FAULTS)}")
    if not stores_of(words.get("crm"), words.get("store")):
        raise ValueError(
            f"unknown store {words.get('crm')}/{words.get('store')}; there are {', '.join(map(str, STORES))}"
        )
    at = frozenset(words.get("at", ()))
    if unknown := at - ANSWERS.keys():
        raise ValueError(f"unknown answers {sorted(unknown)}; there are {', '.join(ANSWERS)}")
    return Fault(
        name=name,
        crm=words.get("crm"),
        store=words.get("store"),
        at=at,
        left=words.get("times", FAULTS[name].times),
        seconds=words.get("seconds", 3.0),
        first=words.get("first", date.min),
        last=words.get("last", date.max),
    )


class FaultBoard:
    """The faults that are on."""

    def __init__(self) -> None:
        self._standing: list[Fault] = []

    @property
    def standing(self) -> tuple[Fault, ...]:
        return tuple(self._standing)

    def put(self, fault: Fault) -> None:
        self._standing.append(fault)

    def clear(self) -> None:
        self._standing.clear()

    def take(self, name: str, crm: str, store: str | None, at: str) -> Fault | None:
        """The fault that spoils this answer, used up by one."""
        fault = next((each for each in self._standing if each.name == name and each.concerns(crm, store, at)), None)
        if fault and fault.left is not None:
            fault.left -= 1
            if fault.left <= 0:
                self._standing.remove(fault)
        return fault

    def is_quiet(self, crm: str, store: str, day: date) -> bool:
        """Whether ``no_business`` empties this store's day."""
        return any(
            fault.name == "no_business" and fault.concerns(crm, store, None) and fault.first <= day <= fault.last
            for fault in self._standing
        )
