"""Slots: the times of day at which a store is refreshed, in Kolkata, whatever the machine's own zone is.

Which stores have which slots stands in ``stores.yaml``; what is asked for at a slot belongs to ``pipeline/wants.py``.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from crm_assets.model import IST


def latest_slot(now: datetime, slots: Sequence[time], offset: timedelta = timedelta(0)) -> datetime | None:
    """The newest slot that is not after ``now`` (aware), ``offset`` later than its time of day; None without slots."""
    today = now.astimezone(IST).date()
    begun = [slot for slot in _slots_of(today - timedelta(days=2), today, slots, offset) if slot <= now]
    return max(begun, default=None)


def next_slot(now: datetime, slots: Sequence[time], offset: timedelta = timedelta(0)) -> datetime | None:
    """The first slot after ``now`` (aware); None without slots."""
    today = now.astimezone(IST).date()
    coming = [
        slot for slot in _slots_of(today - timedelta(days=1), today + timedelta(days=1), slots, offset) if slot > now
    ]
    return min(coming, default=None)


def offset_of(position: int, stores: int, spread_minutes: int) -> timedelta:
    """How much later than the slot the store at this position begins, so that ``stores`` of them do not begin together."""
    return timedelta(seconds=spread_minutes * 60 * position // stores)


def _slots_of(first: date, last: date, slots: Sequence[time], offset: timedelta) -> Iterator[datetime]:
    for ahead in range((last - first).days + 1):
        for slot in slots:
            yield datetime.combine(first + timedelta(days=ahead), slot, IST) + offset
