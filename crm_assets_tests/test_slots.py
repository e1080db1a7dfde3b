"""The times of day at which stores are refreshed: Kolkata's, whatever the machine's zone and the turn of the calendar."""

import os
import time as machine
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_assets.model import IST
from crm_assets.slots import latest_slot, next_slot, offset_of

DAY = timedelta(days=1)
NONE = timedelta(0)
USUAL = (time(10, 30), time(14, 30), time(18, 30), time(21, 30))


def ist(text: str) -> datetime:
    """``2025-11-24 10:30`` in Kolkata."""
    return datetime.fromisoformat(text).replace(tzinfo=IST)


@pytest.mark.parametrize(
    ("now", "latest", "following"),
    [
        ("2025-11-24 10:29:59", "2025-11-23 21:30", "2025-11-24 10:30"),
        ("2025-11-24 10:30", "2025-11-24 10:30", "2025-11-24 14:30"),
        ("2025-11-24 18:00", "2025-11-24 14:30", "2025-11-24 18:30"),
        ("2025-11-24 23:59:59", "2025-11-24 21:30", "2025-11-25 10:30"),
        ("2025-11-25 00:00", "2025-11-24 21:30", "2025-11-25 10:30"),
        ("2025-12-01 09:00", "2025-11-30 21:30", "2025-12-01 10:30"),
        ("2025-12-31 22:00", "2025-12-31 21:30", "2026-01-01 10:30"),
        ("2026-01-01 00:00", "2025-12-31 21:30", "2026-01-01 10:30"),
        ("2028-02-29 03:00", "2028-02-28 21:30", "2028-02-29 10:30"),
        ("2028-03-01 03:00", "2028-02-29 21:30", "2028-03-01 10:30"),
        ("2027-02-28 22:00", "2027-02-28 21:30", "2027-03-01 10:30"),
    ],
)
def test_the_slot_that_has_begun_and_the_one_to_come(now: str, latest: str, following: str) -> None:
    for at in (ist(now), ist(now).astimezone(UTC)):
        assert latest_slot(at, USUAL) == ist(latest)
        assert next_slot(at, USUAL) == ist(following)


@pytest.mark.parametrize(
    ("now", "latest", "following"),
    [
        ("2026-01-01 00:04", "2025-12-31 00:05", "2026-01-01 00:05"),
        ("2026-01-01 00:05", "2026-01-01 00:05", "2026-01-02 00:05"),
        ("2025-12-31 23:56", "2025-12-31 00:05", "2026-01-01 00:05"),
    ],
)
def test_a_slot_whose_offset_crosses_midnight_is_of_the_new_day(now: str, latest: str, following: str) -> None:
    slots, offset = [time(23, 55)], timedelta(minutes=10)
    assert latest_slot(ist(now), slots, offset) == ist(latest)
    assert next_slot(ist(now), slots, offset) == ist(following)


def test_without_slots_there_is_none() -> None:
    assert latest_slot(ist("2025-11-24 10:30"), ()) is None
    assert next_slot(ist("2025-11-24 10:30"), ()) is None


@pytest.fixture(params=["America/New_York", "Europe/Berlin", "Pacific/Auckland", "UTC"])
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """The machine lives in this zone meanwhile."""
    before = os.environ.get("TZ")
    try:
        os.environ["TZ"] = request.param
        machine.tzset()
        yield request.param
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        machine.tzset()


@pytest.mark.parametrize("change", ["2026-03-08", "2026-11-01", "2026-03-29", "2026-10-25"])
def test_the_machines_zone_and_its_summer_time_make_no_difference(zone: str, change: str) -> None:
    """Every half hour around the nights on which clocks in America and Europe change."""
    begin = datetime.fromisoformat(change).replace(tzinfo=UTC) - DAY
    for halves in range(96):
        now = begin + timedelta(minutes=30 * halves)
        local = now.astimezone()  # as the machine itself would say it
        today = now.astimezone(IST).date()
        every = [datetime.combine(today + n * DAY, slot, IST) for n in (-1, 0, 1) for slot in USUAL]
        assert latest_slot(local, USUAL) == max(slot for slot in every if slot <= now)
        assert next_slot(local, USUAL) == min(slot for slot in every if slot > now)
        assert latest_slot(local, USUAL) == latest_slot(now, USUAL)


MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is given apart
SLOTS = st.lists(st.times().map(lambda at: at.replace(second=0, microsecond=0)), min_size=1, max_size=6, unique=True)
OFFSETS = st.integers(0, 120 * 60).map(lambda seconds: timedelta(seconds=seconds))


@settings(max_examples=80, derandomize=True, deadline=None)
@given(now=MOMENTS, slots=SLOTS, offset=OFFSETS)
def test_now_lies_between_the_two_and_no_other_slot_does(now: datetime, slots: list[time], offset: timedelta) -> None:
    latest, following = latest_slot(now, slots, offset), next_slot(now, slots, offset)
    assert latest is not None
    assert following is not None
    assert latest <= now < following
    today = now.astimezone(IST).date()
    every = [datetime.combine(today + n * DAY, slot, IST) + offset for n in range(-3, 4) for slot in slots]
    assert {latest, following} <= set(every)
    assert [slot for slot in every if latest < slot < following] == []


def test_the_stores_of_a_crm_begin_one_after_the_other_within_the_spread() -> None:
    offsets = [offset_of(place, 200, 10) for place in range(200)]
    assert offsets[0] == NONE
    assert offsets == sorted(set(offsets))
    assert {later - earlier for earlier, later in pairwise(offsets)} == {timedelta(seconds=3)}
    assert offsets[-1] < timedelta(minutes=10)
    assert offset_of(0, 1, 10) == NONE
    assert {offset_of(place, 5, 0) for place in range(5)} == {NONE}
