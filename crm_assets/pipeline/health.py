"""Health: for each store and report whether its data is as fresh as its slots promise, and what stands in the way.

Read by ``crm_download status``, by the freshness checks and by the alerts alike. No Dagster here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_assets.errors import DataLate, NeedsPerson, StoreSkipped, advice, error_class
from crm_assets.model import IST, AccountState, Store
from crm_assets.pipeline.reports import Source, sources
from crm_assets.pipeline.wants import last_due_day
from crm_assets.settings import Settings
from crm_assets.slots import latest_slot, next_slot, offset_of
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.freshness import Freshness, freshness

GRACE = timedelta(hours=1)  # after a slot, for the queue, the portal, and a few tries


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHealth:
    """One store and report. ``due_at`` is the slot that should have been served by now, None for a store that opened later.

    ``fresh`` is what the warehouse says; ``next_at`` is the next slot, None where there are none.
    """

    store: Store
    report: str
    fresh: Freshness
    due_at: datetime | None
    next_at: datetime | None

    @property
    def is_late(self) -> bool:
        return self.due_at is not None and (self.fresh.refreshed_at is None or self.fresh.refreshed_at < self.due_at)

    @property
    def state(self) -> str:
        """In one word or two, the gravest first."""
        if self.fresh.state == AccountState.NEEDS_PERSON:
            return "needs a person"
        if self.fresh.error_code and issubclass(error_class(self.fresh.error_code), StoreSkipped):
            return "skipped"
        if self.is_late:
            return "late"
        return "days missing" if self.fresh.missing_days else "good"

    @property
    def sentence(self) -> str | None:
        """What is wrong and what to do, for a late store; None otherwise."""
        if not self.is_late or self.due_at is None:
            return None
        last = self.fresh.refreshed_at
        since = f"the last good one is of {last.astimezone(IST):%Y-%m-%d %H:%M}" if last else "there was none so far"
        why = self.fresh.error_message or "no attempt was made since: see that script/server, or cron, is running"
        return (
            f"{self.store}: expected a refresh of {self.report} at {self.due_at.astimezone(IST):%Y-%m-%d %H:%M}, but {since}. "
            f"{why.removeprefix(f'{self.store}: ')}"
        )

    @property
    def code(self) -> str:
        return DataLate.__name__

    @property
    def reason(self) -> str | None:
        """The code of what stands in the way: the last attempt's error, or that a person, or simply data, is awaited."""
        if self.fresh.error_code:
            return self.fresh.error_code
        if self.fresh.state == AccountState.NEEDS_PERSON:
            return NeedsPerson.__name__
        return self.code if self.is_late else None

    @property
    def told(self) -> tuple[str, ...]:
        """What stands in the way and what to do about it, a line each; nothing where all is well."""
        words = self.sentence or self.fresh.error_message or f"{self.store}: {self.state}"
        words = words if words.startswith(str(self.store)) else f"{self.store}: {words}"
        return (words, *self.advice) if self.reason else ()

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do about it, as every channel says it."""
        said = self.sentence or self.fresh.error_message or ""
        return advice(self.reason, said, str(self.store)) if self.reason else ()


def health(conn: Connection, settings: Settings, now: datetime) -> list[StoreHealth]:
    """Every store of every report, by CRM."""
    return [each for source in sources(settings) for each in health_of(conn, settings, source, now)]


def health_of(conn: Connection, settings: Settings, source: Source, now: datetime) -> Iterator[StoreHealth]:
    """Every store of one report."""
    stores: Sequence[Store] = settings.stores(source.crm_code)
    times = [
        (source.crm.slots_of(store.code), offset_of(place, len(stores), source.crm.spread_minutes))
        for place, store in enumerate(stores)
    ]
    due = [latest_slot(now - GRACE, *slots) for slots in times]
    due_days = [at.date() if at else None for at in due]
    found = freshness(conn, source.report, stores, last_due_day(source, now), due_days, now)
    for store, fresh, at, slots in zip(stores, found, due, times, strict=True):
        yield StoreHealth(
            store=store,
            report=source.report.name,
            fresh=fresh,
            due_at=at if at and at.date() >= store.first_day else None,
            next_at=next_slot(now, *slots),
        )
