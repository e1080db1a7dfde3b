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
    "page": "a page: td home, td report page, report app",
    "list": "a td request list",
    "request": "asking td for a report",
    "download": "a td workbook",
    "export": "a uc export: the GET, the POST, or the panel's button",
    "api": "any other uc API call",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """``times`` is how many answers it spoils by default; ``None`` lasts until cleared, 0 happens at once and is over.

    ``crm`` is the only portal that has such days, ``at`` the kinds of answer it spoils unless told, ``word`` what it then says.
    """

    does: str
    times: int | None
    crm: str | None = None
    at: frozenset[str] = frozenset()
    word: str = ""


FAULTS: Mapping[str, FaultKind] = {
    "slow": FaultKind(does="each answer takes `seconds` longer", times=None),
    "502": FaultKind(does="the answer is a gateway's 502 page: login, pages, lists, downloads, exports, API", times=1),
    "down": FaultKind(does="the connection is cut without an answer", times=None),
    "locked": FaultKind(does="a login, right or wrong, is told that the account is locked", times=None),
    "html_instead_of_xlsx": FaultKind(does="the workbook offered is an HTML login page under its .xlsx name", times=1),
    "other_store": FaultKind(
        does="the store's session shows another store of its portal: td report page, downloads, exports, uc API calls",
        times=None,
        at=frozenset({"page", "download", "export", "api"}),
    ),
    "session_expired": FaultKind(does="every session of the store is over until its next login", times=0),
    "otp": FaultKind(does="the store's trusted browsers are forgotten: a login needs a code", times=0, crm="td"),
    "licence": FaultKind(does="a licence notice stands before home, once a session", times=1, crm="td"),
    "overdue": FaultKind(does="home is covered by a list of overdue orders", times=None, crm="td"),
    "modal": FaultKind(does="home is covered by a promotion that can be closed", times=1, crm="td"),
    "bounce": FaultKind(does="after a right login home shows, then leaves for the login form", times=1, crm="td"),
    "stuck": FaultKind(does="requested reports stay at Processing", times=None, crm="td", at=frozenset({"list"})),
    "request_fails": FaultKind(
        does="a requested report ends as `word`, Failed unless told",
        times=1,
        crm="td",
        at=frozenset({"request"}),
        word="Failed",
    ),
    "gone": FaultKind(
        does="a call is there no more: it answers `word`, which is 404, 403, html, or json that is no rows",
        times=None,
        crm="uc",
        at=frozenset({"export"}),
        word="404",
    ),
    "429": FaultKind(
        does="the answer is 429, which asks to wait `seconds`", times=1, crm="uc", at=frozenset({"api", "export"})
    ),
    "empty_export": FaultKind(does="the workbook holds its headers alone", times=1, crm="uc", at=frozenset({"export"})),
    "pages_overlap": FaultKind(
        does="pages of the tax report after the first begin `word` rows too early, as when invoices came meanwhile",
        times=None,
        crm="uc",
        at=frozenset({"api"}),
        word="1",
    ),
    "close_days": FaultKind(
        does="the panel's calendars let nobody choose days from `first` to `last`",
        times=None,
        crm="uc",
        at=frozenset({"page"}),
    ),
    "token_refused": FaultKind(does="a good token is answered 401", times=1, crm="uc", at=frozenset({"api"})),
    "moved": FaultKind(does="the old front sends its visitors to the new one, or to `host`", times=None, crm="uc"),
    "no_business": FaultKind(does="nothing was sold from `first` to `last`, or ever", times=None),
}


class FaultWords(TypedDict, total=False):
    """For whom and for what a fault is asked; a word left out means every one, or the kind's own measure."""

    crm: str | None
    store: str | None
    at: Iterable[str]
    times: int | None
    seconds: float
    host: str | None
    word: str | None
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
    host: str | None
    word: str
    first: date
    last: date

    def concerns(self, crm: str, store: str | None, at: str | None) -> bool:
        return self.crm in (None, crm) and self.store in (None, store) and (at is None or not self.at or at in self.at)


def fault_of(name: str, **words: Unpack[FaultWords]) -> Fault:
    """The fault as it is asked for by name, lasting as its kind lasts unless told."""
    if name not in FAULTS:
        raise ValueError(f"unknown fault {name!r}; there are {', '.join(FAULTS)}")
    kind = FAULTS[name]
    crm, code = words.get("crm") or kind.crm, words.get("store")
    if kind.crm not in (None, crm):
        raise ValueError(f"{name!r} is unknown to {crm}; only {kind.crm} has such days")
    if not stores_of(crm, code):
        raise ValueError(f"unknown store {crm}/{code}; there are {', '.join(map(str, STORES))}")
    at = frozenset(words.get("at", ())) or kind.at
    if unknown := at - ANSWERS.keys():
        raise ValueError(f"unknown answers {sorted(unknown)}; there are {', '.join(ANSWERS)}")
    return Fault(
        name=name,
        crm=crm,
        store=code,
        at=at,
        left=words.get("times", kind.times),
        seconds=words.get("seconds", 3.0),
        host=words.get("host"),
        word=words.get("word") or kind.word,
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
