"""The verdict on a month: what it holds, how timely it was, and whether a run was left alone or a login asked twice."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_assets.errors import NeedsPerson, codes_of, heals_by_itself, may_be_an_accident
from crm_assets.model import Purpose, Store, Window
from crm_assets.pipeline.attempts import WANT_TAG
from crm_assets.pipeline.wants import ACCIDENTS
from crm_assets_tests.simulation.daemon import Run
from crm_assets_tests.simulation.equality import LoadedDay, loaded_days
from crm_assets_tests.simulation.month import Month
from crm_assets_tests.simulation.timeliness import Timeliness, timeliness

SOON = timedelta(minutes=50)  # the longest pause of a refresh and of settling, and what runs take
PATIENCE = {Purpose.REFRESH: SOON, Purpose.SETTLING: SOON, Purpose.CATCH_UP: timedelta(hours=31)}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreMonth:
    """One store at the end: the days from its first to yesterday, and those of them that no settling reads again."""

    store: Store
    days: int
    loaded: tuple[LoadedDay, ...]
    settled: tuple[LoadedDay, ...]
    timeliness: Timeliness

    @property
    def complete(self) -> int:
        return sum(day.is_final for day in self.loaded)

    @property
    def equal(self) -> int:
        return sum(not day.difference for day in self.loaded)


def store_months(month: Month) -> list[StoreMonth]:
    """Every store's end."""
    return [_store_month(month, store) for crm in month.daemon.sources for store in month.pipeline.settings.stores(crm)]


def _store_month(month: Month, store: Store) -> StoreMonth:
    source, yesterday = month.daemon.sources[store.crm], month.last.date() - timedelta(days=1)
    loaded = [day for day in loaded_days(month.pipeline, source.report, store) if day.day <= yesterday]
    return StoreMonth(
        store=store,
        days=(yesterday - store.first_day).days + 1,
        loaded=tuple(loaded),
        settled=tuple(day for day in loaded if day.day <= yesterday - timedelta(days=source.crm.settle_days)),
        timeliness=timeliness(month, store),
    )


def endings(month: Month, purpose: Purpose) -> Counter[str]:
    """How the runs of a purpose ended."""
    return Counter(run.ending or "at work" for run in month.daemon.runs if run.purpose is purpose)


def left_alone(month: Month) -> list[Run]:
    """The runs that failed of what heals, and that nobody tried again although nothing stood in the way."""
    return [
        run for run in month.daemon.runs if _heals(month, run) and _could_be(month, run) and not _followed(month, run)
    ]


def asked_twice(month: Month) -> int:
    """Logins that were tried after the portal had refused one, and before a person had come."""
    return sum(
        refused_at < at < _answered(month, store, refused_at)
        for refused, refused_at in _refusals(month)
        for store, at in month.daemon.worker.logins
        if store == refused
    )


def _refusals(month: Month) -> list[tuple[Store, datetime]]:
    return [
        (run.work.store, run.ended_at)
        for run in month.daemon.runs
        if run.ended_at and run.ending in codes_of(NeedsPerson)
    ]


def _answered(month: Month, refused: Store, refused_at: datetime) -> datetime:
    """When the person came who settled it."""
    return min((at for store, at in month.answered if store == refused and at >= refused_at), default=month.last)


def _heals(month: Month, run: Run) -> bool:
    """Whether it is to be tried again: what may be an accident is no more once it was met so often at one slot."""
    so_far = [
        other
        for other in month.daemon.runs
        if other.failed and other.work.tags[WANT_TAG] == run.work.tags[WANT_TAG] and other.queued_at <= run.queued_at
    ]
    is_spent = may_be_an_accident(run.ending) and run.purpose is not Purpose.CATCH_UP and len(so_far) >= ACCIDENTS
    return run.failed and heals_by_itself(run.ending) and not is_spent


def _could_be(month: Month, run: Run) -> bool:
    """Whether there was time, and neither a switched-off machine nor an account that waits for a person stood in the way."""
    begun, until = run.begun_at or month.last, _patience_ends(month, run)
    off = any(off.first <= until and off.last >= begun for off in month.weather.machine_off)
    waits = any(
        store == run.work.store and refused_at <= until and begun <= _answered(month, store, refused_at)
        for store, refused_at in _refusals(month)
    )
    return until < month.last and not off and not waits


def _followed(month: Month, run: Run) -> bool:
    """Whether another run of the store did the work soon: of the same purpose, or of any that covers it."""
    begun, until = run.begun_at or month.last, _patience_ends(month, run)
    return any(
        other.work.store == run.work.store
        and other.begun_at is not None
        and begun < other.begun_at <= until
        and (other.purpose is run.purpose or _covers(other.work.window, run.work.window))
        for other in month.daemon.runs
    )


def _patience_ends(month: Month, run: Run) -> datetime:
    return (run.ended_at or month.last) + PATIENCE[run.purpose]


def _covers(wide: Window, narrow: Window) -> bool:
    return narrow.first in wide and narrow.last in wide
