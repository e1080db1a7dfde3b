"""A month: when sensors are asked, when the machine is off, when a person comes; and what there was at its end.

Moments between which nothing can change are passed over, so that thirty days take minutes. What is asked, run and loaded is the
product's doing (``daemon.py``, ``worker.py``); what came of it is judged in ``verdict.py``.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial

from crm_assets.model import IST, AccountState, Purpose, Store
from crm_assets.pipeline.health import health
from crm_assets.pipeline.journal import AccountLedger
from crm_assets.pipeline.reports import sources
from crm_assets.slots import offset_of
from crm_assets.warehouse import sessions
from crm_assets.warehouse.connection import connect
from crm_assets_tests.fixtures.dagster import Pipeline
from crm_assets_tests.simulation.agenda import Agenda
from crm_assets_tests.simulation.daemon import Daemon
from crm_assets_tests.simulation.weather import Weather
from crm_assets_tests.simulation.worker import Worker

PERSON_COMES = time(9, 45)
A_MOMENT = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Which stores (``td/a668``) were said to be late at a moment."""

    at: datetime
    late: frozenset[str]


@dataclass(slots=True, kw_only=True)
class Month:
    """``look_every``: how long nobody looks at most. ``answered``: when a person helped which store."""

    pipeline: Pipeline
    daemon: Daemon
    first: datetime
    last: datetime
    weather: Weather
    look_every: timedelta
    answered: list[tuple[Store, datetime]] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)

    @property
    def agenda(self) -> Agenda:
        return self.daemon.agenda

    def go(self) -> None:
        """From the first moment to the last."""
        for crm in self.daemon.sources:
            for moment, purpose in self._moments(crm):
                self.agenda.at(moment + A_MOMENT, partial(self.daemon.tick, crm, purpose))
        for times in range((self.last - self.first) // self.look_every + 1):
            self.agenda.at(self.first + times * self.look_every, self._look)
        for off in self.weather.machine_off:
            self.agenda.at(off.first, self.daemon.switch_off)
            self.agenda.at(off.last, self.daemon.switch_on)
        for day in self._days():
            self.agenda.at(datetime.combine(day, PERSON_COMES, IST), self._person_comes)
        self.agenda.run_until(self.last)

    def _moments(self, crm: str) -> Iterator[tuple[datetime, Purpose]]:
        """When something becomes due by the clock alone."""
        source, stores = self.daemon.sources[crm], self.pipeline.settings.stores(crm)
        for day in self._days():
            for place, store in enumerate(stores):
                late = offset_of(place, len(stores), source.crm.spread_minutes)
                for slot in source.crm.slots_of(store.code):
                    yield datetime.combine(day, slot, IST) + late, Purpose.REFRESH
                yield datetime.combine(day, source.crm.settle_at, IST) + late, Purpose.SETTLING

    def _days(self) -> Iterator[date]:
        for ahead in range((self.last.date() - self.first.date()).days + 1):
            yield self.first.date() + timedelta(days=ahead)

    def _look(self) -> None:
        """Every so often all sensors are asked, and ``crm_download status`` is."""
        now = self.agenda.clock()
        with connect(self.pipeline.url) as conn:
            found = health(conn, self.pipeline.settings, now)
        self.looks.append(Look(at=now, late=frozenset(str(one.store) for one in found if one.is_late)))
        for crm in self.daemon.sources:
            self.daemon.tick(crm)

    def _person_comes(self) -> None:
        """Somebody signs in where an account has been waiting for a person, as ``crm_download bootstrap`` does it."""
        book = AccountLedger(url=self.pipeline.url, holder="a person", wait_seconds=1, clock=self.agenda.clock)
        with connect(self.pipeline.url) as conn:
            waiting = [one for one in sessions.accounts(conn) if one.state is AccountState.NEEDS_PERSON]
        for account in waiting:
            store = self.pipeline.settings.store(account.crm, account.store)
            book.record(store, AccountState.OK, signed_in=True)
            self.answered.append((store, self.agenda.clock()))
            self.daemon.tick(store.crm)


@contextmanager
def new_month(
    pipeline: Pipeline, first: datetime, last: datetime, weather: Weather, look_every: timedelta
) -> Iterator[Month]:
    """A month that can go, on an installation where nothing was fetched yet; its clock is the sandbox's."""
    clock, settings = pipeline.sandbox.clock, pipeline.settings
    clock.set(first)
    with asyncio.Runner() as loop:
        worker = Worker(
            settings=settings, url=pipeline.url, sold=pipeline.sandbox.books, clock=clock, weather=weather, loop=loop
        )
        daemon = Daemon(
            instance=pipeline.instance,
            settings=settings,
            sources={source.crm_code: source for source in sources(settings)},
            agenda=Agenda(clock=clock),
            worker=worker,
        )
        try:
            yield Month(
                pipeline=pipeline, daemon=daemon, first=first, last=last, weather=weather, look_every=look_every
            )
        finally:
            daemon.switch_off()
