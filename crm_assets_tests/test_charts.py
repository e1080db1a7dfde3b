"""The catalogue's pictures: real PNGs, small, and what they show can be found in them."""

import io
from datetime import date, timedelta

from PIL import Image

from crm_assets.charts import MARKS, NEWEST, UNKNOWN, Coverage, coverage_png, days_png

FIRST = date(2026, 10, 28)


def colours(png: bytes) -> set[str]:
    image = Image.open(io.BytesIO(png)).convert("RGB")
    counted = image.getcolors(100_000)
    assert counted
    return {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in counted}  # type: ignore[misc]


def test_thirty_days_are_a_few_kilobytes() -> None:
    days = [(FIRST + timedelta(days=at), None if at == 3 else float(at * 1000)) for at in range(30)]
    png = days_png(days)
    assert png.startswith(b"\x89PNG")
    assert len(png) < 4_000
    assert {NEWEST, UNKNOWN} <= colours(png)
    assert days_png(days) == png


def test_days_without_anything_are_drawn_too() -> None:
    assert days_png([]).startswith(b"\x89PNG")
    assert UNKNOWN not in colours(days_png([(FIRST, 0.0), (FIRST, 0.0)]))


def test_every_state_has_a_colour_of_its_own_and_a_mark_beside_it() -> None:
    png = coverage_png({"td/a668 order_report": [*Coverage, *Coverage]}, FIRST)
    assert {colour for colour, _ in MARKS.values()} <= colours(png)
    assert len({mark for _, mark in MARKS.values()} - {""}) == 3
    assert len(coverage_png({f"td/a{at:03} order_report": [Coverage.GOOD] * 60 for at in range(60)}, FIRST)) < 30_000
