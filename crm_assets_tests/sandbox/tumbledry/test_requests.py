"""The request desk: when a request is ready, and the history that stands before it."""

import asyncio
from datetime import date, datetime, timedelta

from crm_assets.model import IST, Window
from crm_assets.sandbox.pace import Pace
from crm_assets.sandbox.stores import STORES
from crm_assets.sandbox.tumbledry.requests import DOWNLOAD, PROCESSING, SHOWN, RequestDesk

NOW = datetime(2026, 2, 14, 12, 30, tzinfo=IST)
STORE = STORES[0]
WINDOW = Window(first=date(2026, 2, 1), last=date(2026, 2, 3))


def looks(pace: Pace, count: int, *, ends_as: str = DOWNLOAD, stuck: bool = False) -> list[str]:
    """What our request's status was at each look into the list."""

    async def look() -> list[str]:
        desk = RequestDesk(pace)
        desk.ask(STORE, WINDOW, NOW, ends_as=ends_as)
        lists = [desk.listed(STORE, NOW, stuck=stuck) for _ in range(count)]
        return [status for listed in lists for request, status in listed if request.window == WINDOW]

    return asyncio.run(look())


def test_at_the_instant_pace_a_request_is_processing_at_one_look() -> None:
    assert looks(Pace("instant", "demo"), 3) == [PROCESSING, DOWNLOAD, DOWNLOAD]
    assert looks(Pace("instant", "demo"), 3, ends_as="Failed") == [PROCESSING, "Failed", "Failed"]
    assert looks(Pace("instant", "demo"), 3, stuck=True) == [PROCESSING] * 3


def test_at_the_real_pace_a_request_is_still_processing_at_the_second_look() -> None:
    assert looks(Pace("real", "demo"), 3) == [PROCESSING] * 3


def test_requests_stand_newest_first_before_the_history_and_are_each_stores_own() -> None:
    async def listed() -> tuple[list[datetime], int]:
        desk = RequestDesk(Pace("instant", "demo"))
        desk.ask(STORE, WINDOW, NOW)
        desk.ask(STORE, WINDOW, NOW + timedelta(minutes=3))
        ours = [request.requested_at for request, _ in desk.listed(STORE, NOW + timedelta(minutes=5))]
        return ours, sum(request.window == WINDOW for request, _ in desk.listed(STORES[1], NOW))

    times, at_the_other_store = asyncio.run(listed())
    assert times[:3] == [NOW + timedelta(minutes=3), NOW, NOW.replace(hour=12, minute=4)]
    assert times == sorted(times, reverse=True)
    assert len(times) == SHOWN
    assert at_the_other_store == 0


def test_the_history_does_not_know_the_future() -> None:
    async def newest(now: datetime) -> datetime:
        return RequestDesk(Pace("instant", "demo")).listed(STORE, now)[0][0].requested_at

    just_after_midnight = datetime(2026, 2, 14, 0, 0, 30, tzinfo=IST)
    assert asyncio.run(newest(just_after_midnight)) == datetime(2026, 2, 13, 18, 4, tzinfo=IST)
