"""How long things take, without waiting for them."""

import asyncio

from crm_assets.sandbox.pace import Pace


async def generation_seconds(pace: Pace) -> list[float]:
    now = asyncio.get_running_loop().time()
    return [pace.deadline("generation") - now for _ in range(50)]


def test_at_the_real_pace_a_report_takes_from_five_to_ninety_seconds() -> None:
    seconds = asyncio.run(generation_seconds(Pace("real", "demo")))
    assert 5 <= min(seconds) < 20
    assert 60 < max(seconds) <= 91


def test_at_the_instant_pace_nothing_takes_time() -> None:
    assert max(asyncio.run(generation_seconds(Pace("instant", "demo")))) < 1


def test_pages_look_for_news_often_or_as_the_portal_does() -> None:
    assert Pace("instant", "demo").poll_milliseconds <= 200
    assert Pace("real", "demo").poll_milliseconds == 5000


def test_each_store_and_kind_of_wait_has_a_sequence_of_its_own_that_can_begin_anew() -> None:
    async def drawn(pace: Pace, looks: int) -> list[float]:
        now = asyncio.get_running_loop().time()
        for _ in range(looks):
            pace.deadline("list", "td/a668")
        return [round(pace.deadline("generation", store) - now, 2) for store in ("td/a668", "td/a817")]

    pace = Pace("real", "demo")
    first = asyncio.run(drawn(pace, 0))
    assert asyncio.run(drawn(pace, 0)) != first
    pace.begin_anew()
    assert asyncio.run(drawn(pace, 7)) == first
    assert first[0] != first[1]
