"""The catalogue's pictures: real PNGs, small, and what they show can be found in them."""

import io
from datetime import date, timedelta

import pytest
from PIL import Image

from crm_assets.charts import (
    COLOURS,
    GAP,
    HEIGHT,
    LABEL,
    MARGIN,
    NEWEST,
    PAPER,
    SQUARE,
    UNKNOWN,
    WIDTH,
    Coverage,
    coverage_png,
    days_png,
)

FIRST = date(2026, 10, 28)


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def colours(png: bytes) -> set[str]:
    counted = opened(png).getcolors(100_000)
    assert counted
    return {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in counted}  # type: ignore[misc]


def square(states: list[Coverage], at: int) -> bytes:
    """One day's square in grey, as who sees no colours sees it: ink or paper."""
    left, top = LABEL + at * (SQUARE + GAP), SQUARE + GAP
    cut = opened(coverage_png({"td/a668 order_report": states}, FIRST)).crop((left, top, left + SQUARE, top + SQUARE))
    return bytes(pixel < 250 for pixel in cut.convert("L").tobytes())


def test_thirty_days_are_a_few_kilobytes() -> None:
    days = [(FIRST + timedelta(days=at), None if at == 3 else float(at * 1000)) for at in range(30)]
    png = days_png(days)
    assert png.startswith(b"\x89PNG")
    assert len(png) < 4_000
    assert {NEWEST, UNKNOWN} <= colours(png)
    assert days_png(days) == png


@pytest.mark.parametrize("days", [[], [(FIRST, 0.0), (FIRST, 0.0)]])
def test_days_without_anything_have_no_bar(days: list[tuple[date, float | None]]) -> None:
    assert not {NEWEST, UNKNOWN} & colours(days_png(days))


def test_a_day_on_which_more_was_paid_back_than_taken_is_a_stump_below_the_line() -> None:
    picture, foot = opened(days_png([(FIRST, -300.0)])), HEIGHT - MARGIN
    newest = tuple(int(NEWEST[at : at + 2], 16) for at in (1, 3, 5))
    assert [picture.getpixel((WIDTH // 2, foot + below)) == newest for below in (-20, 2, 8)] == [False, True, False]


def test_every_state_has_a_colour_and_a_shape_of_its_own() -> None:
    states = [*Coverage]
    png = coverage_png({"td/a668 order_report": states}, FIRST)
    assert {*COLOURS.values(), PAPER} <= colours(png)
    assert len({square(states, at) for at in range(len(states))}) == len(states)


def test_a_square_stands_at_its_day() -> None:
    states = [Coverage.GOOD] * 30
    holed = [*states[:17], Coverage.HOLE, *states[18:]]
    assert [square(holed, at) == square(states, at) for at in range(30)] == [at != 17 for at in range(30)]


def test_sixty_lines_of_sixty_days_are_small_enough_to_be_kept_every_hour() -> None:
    mixed = [[*Coverage][(at * at) % 5] for at in range(60)]
    assert len(coverage_png({f"td/a{at:03} order_report": mixed for at in range(60)}, FIRST)) < 30_000
