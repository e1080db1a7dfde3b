"""The weather: what befalls the attempts of a month, and when nobody is at home.

The kinds of mishap and their shares are those of production: 64 of 100 runs went without one. What a mishap does to a run is
``worker.py``'s business.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from random import Random

from crm_assets.errors import (
    BrowserFroze,
    CrmError,
    ExportFailed,
    ExportTimedOut,
    LoginRejected,
    OtpRequired,
    OverdueOrders,
    PortalChanged,
    PortalUnavailable,
    SessionDropped,
)
from crm_assets.model import IST, Store


class Step(IntEnum):
    """How far a run has come."""

    BEGINS = 0
    STARTED = 1
    LANDED = 2
    STAGED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """``error`` is raised after ``seconds``; ``damage`` is done to the file; or the process is killed at ``dies_at``."""

    name: str
    error: type[CrmError] | None = None
    seconds: int = 45
    damage: str | None = None
    dies_at: Step | None = None


def _fails(error: type[CrmError], seconds: int = 45) -> Mishap:
    return Mishap(name=error.__name__, error=error, seconds=seconds)


UNREACHABLE, OVERDUE = _fails(PortalUnavailable), _fails(OverdueOrders, 6)
ASKS_FOR_OTP, REFUSES_LOGIN = _fails(OtpRequired, 8), _fails(LoginRejected, 8)
TIMES_OUT = _fails(ExportTimedOut, 300)
HTML, TRUNCATED = Mishap(name="HTML page", damage="html"), Mishap(name="truncated file", damage="truncated")
OTHER_WINDOW = Mishap(name="file of other days", damage="other window")
BANNER_DIFFERS = Mishap(name="banner before the data", damage="banner")
NEVER_BEGINS = Mishap(name="killed before it began", dies_at=Step.BEGINS)
KILLED = {step: Mishap(name=f"killed when {step.name.lower()}", dies_at=step) for step in list(Step)[1:]}

EVERYWHERE: dict[Mishap, float] = {
    UNREACHABLE: 9,
    _fails(SessionDropped): 4,
    _fails(PortalChanged): 2,
    _fails(ExportFailed): 2,
    _fails(BrowserFroze, 300): 3,
    TIMES_OUT: 4,
    HTML: 3,
    TRUNCATED: 1.5,
    OTHER_WINDOW: 1,
    KILLED[Step.STARTED]: 2,
    KILLED[Step.LANDED]: 1,
    KILLED[Step.STAGED]: 1,
    NEVER_BEGINS: 1,
    REFUSES_LOGIN: 0.2,
}
OF_100: Mapping[str, Mapping[Mishap, float]] = {
    "td": EVERYWHERE | {ASKS_FOR_OTP: 0.4},
    "uc": EVERYWHERE | {BANNER_DIFFERS: 1.5},
}
"""Of a hundred attempts, how many meet each mishap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """From a moment until another."""

    first: datetime
    last: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.first <= moment < self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A mishap that every attempt meets for a while: of a CRM, of a store (``a668``), or of all."""

    during: Stretch
    mishap: Mishap
    crm: str | None = None
    store: str | None = None

    def concerns(self, store: Store, moment: datetime) -> bool:
        return self.crm in (None, store.crm) and self.store in (None, store.code) and moment in self.during


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """``machine_off``: neither daemon nor runs. From ``calm_from`` on nothing befalls by chance."""

    seed: str
    calm_from: datetime
    spells: tuple[Spell, ...] = ()
    machine_off: tuple[Stretch, ...] = ()

    def befalls(self, store: Store, moment: datetime) -> Mishap | None:
        """What an attempt that begins now will meet."""
        spells = [spell.mishap for spell in self.spells if spell.concerns(store, moment)]
        return spells[0] if spells else self._by_chance(store, moment)

    def chance(self, *subject: object) -> Random:
        """Chance bound to a subject: the same in every run of the simulation."""
        return Random("/".join(map(str, (self.seed, *subject))))  # noqa: S311 - no secret

    def _by_chance(self, store: Store, moment: datetime) -> Mishap | None:
        drawn = self.chance(store, moment).uniform(0, 100)
        for mishap, share in OF_100[store.crm].items() if moment < self.calm_from else ():
            if (drawn := drawn - share) < 0:
                return mishap
        return None


def stretch(day: date, first: time, hours: float) -> Stretch:
    """So many hours from a time of day in Kolkata."""
    begin = datetime.combine(day, first, IST)
    return Stretch(first=begin, last=begin + timedelta(hours=hours))


def ordinary_weather(seed: str, first: date, days: int, calm_from: datetime) -> Weather:
    """A month as production had it: mishaps by chance, and for each two weeks an outage of each kind."""
    chance = Random(f"{seed}/spells")  # noqa: S311 - no secret
    spells, off = list[Spell](), list[Stretch]()
    for begin in range(0, days, 15):
        fortnight = [first + timedelta(days=begin + ahead) for ahead in range(1, min(15, days - begin) - 1)]
        if fortnight:
            spells += _spells(chance, fortnight)
            off.append(stretch(chance.choice(fortnight), time(13), 6))
    if days >= 15:
        off.append(stretch(first + timedelta(days=days // 2), time(20), 36))
    return Weather(seed=seed, calm_from=calm_from, spells=tuple(spells), machine_off=tuple(off))


def _spells(chance: Random, days: list[date]) -> Iterator[Spell]:
    """An hour without DNS at a slot, a portal that is down for a morning, a store that must clear its overdue orders."""
    yield Spell(during=stretch(chance.choice(days), chance.choice([time(14, 20), time(18, 20)]), 1), mishap=UNREACHABLE)
    yield Spell(during=stretch(chance.choice(days), time(8), 5), mishap=UNREACHABLE, crm=chance.choice(["td", "uc"]))
    overdue = stretch(chance.choice(days), time(11), 24)
    yield Spell(during=overdue, mishap=OVERDUE, crm="td", store=chance.choice(["a668", "a817"]))
