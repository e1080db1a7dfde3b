"""Timeliness: how soon after each slot a store's data was there, how far behind it ever was, and what was fetched needlessly."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from crm_assets.model import IST, Purpose, Store
from crm_assets.slots import offset_of
from crm_assets_tests.simulation.month import Look, Month

AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An export that was loaded, for the first time at ``loaded_at``: a retried run may load one again."""

    purpose: Purpose
    started_at: datetime
    requested_at: datetime
    loaded_at: datetime
    to_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeliness:
    """``late``: minutes from each slot until data of that moment was loaded, None for never. ``oldest``: the longest that the
    newest data ever was behind. ``doubles``: refreshes of one slot, and settlings of one night, beyond the first good one.
    ``causes``: what the last attempt met in the hour after a slot that was not served by then. ``misjudged``: when it was
    said to be late and was not, or the other way round.
    """

    late: tuple[float | None, ...]
    oldest: timedelta
    doubles: int
    causes: Counter[str]
    misjudged: tuple[datetime, ...]


def timeliness(month: Month, store: Store) -> Timeliness:
    exports, crm = _exports(month, store), month.daemon.sources[store.crm].crm
    stores = month.pipeline.settings.stores(store.crm)
    offset = offset_of(stores.index(store), len(stores), crm.spread_minutes)
    slots, nights = (_moments(month, times, offset) for times in (crm.slots_of(store.code), [crm.settle_at]))
    judged = [slot for slot in slots if slot < month.last - AN_HOUR]
    late = [_minutes_late(slot, exports) for slot in judged]
    missed = [slot for slot, minutes in zip(judged, late, strict=True) if minutes is None or minutes > 60]
    return Timeliness(
        late=tuple(late),
        oldest=_oldest(month, exports),
        doubles=_doubles(slots, exports, Purpose.REFRESH) + _doubles(nights, exports, Purpose.SETTLING),
        causes=Counter(_met_last(month, store, slot) for slot in missed),
        misjudged=tuple(look.at for look in month.looks if _misjudged(look, str(store), slots, exports)),
    )


def _exports(month: Month, store: Store) -> list[Loaded]:
    found = month.pipeline.rows(
        """
        SELECT purpose, ledger.started_at, requested_at, loaded_at, ledger.to_date
        FROM download_ledger AS ledger JOIN LATERAL (
            SELECT min(finished_at) AS loaded_at FROM ingest_audit
            WHERE ingest_audit.ledger_id = ledger.ledger_id AND ingest_audit.status IN ('ok', 'empty', 'unchanged')
        ) AS first_load ON loaded_at IS NOT NULL
        WHERE crm = %s AND store = %s ORDER BY loaded_at
        """,
        store.crm,
        store.code,
    )
    return [Loaded(**row | {"purpose": Purpose(row["purpose"])}) for row in found]


def _moments(month: Month, times: Sequence[time], offset: timedelta) -> list[datetime]:
    """Every moment of the month at one of these times of day."""
    days = (month.first.date() + timedelta(days=ahead) for ahead in range((month.last - month.first).days + 2))
    moments = (datetime.combine(day, at, IST) + offset for day in days for at in times)
    return [moment for moment in moments if month.first <= moment <= month.last]


def _minutes_late(slot: datetime, exports: Sequence[Loaded]) -> float | None:
    served = (each for each in exports if each.requested_at >= slot and each.to_date >= slot.date())
    first = next(served, None)
    return (first.loaded_at - slot).total_seconds() / 60 if first else None


def _oldest(month: Month, exports: Sequence[Loaded]) -> timedelta:
    """The data of a day in business reaches to when it was asked for; settling brings none of that day."""
    reached, oldest = month.first, timedelta()
    for each in exports:
        if each.to_date >= each.requested_at.astimezone(IST).date():
            oldest = max(oldest, each.loaded_at - reached)
            reached = max(reached, each.requested_at)
    return max(oldest, month.last - reached)


def _doubles(moments: Sequence[datetime], exports: Sequence[Loaded], purpose: Purpose) -> int:
    served = Counter(bisect_right(moments, each.started_at) for each in exports if each.purpose is purpose)
    return sum(times - 1 for times in served.values())


def _met_last(month: Month, store: Store, slot: datetime) -> str:
    """What the last run met that had begun within an hour of the slot."""
    runs = [
        run
        for run in month.daemon.runs
        if run.work.store == store
        and run.purpose is Purpose.REFRESH
        and run.begun_at
        and slot <= run.begun_at < slot + AN_HOUR
    ]
    return str(runs[-1].ending) if runs else "no run"


def _misjudged(look: Look, store: str, slots: Sequence[datetime], exports: Sequence[Loaded]) -> bool:
    """By the exports that were loaded then: whether the newest slot that is an hour old was served."""
    due = max((slot for slot in slots if slot <= look.at - AN_HOUR), default=None)
    if due is None:
        return False
    there = (each for each in exports if each.loaded_at <= look.at and each.to_date >= due.date())
    return (store in look.late) == any(each.requested_at >= due for each in there)
