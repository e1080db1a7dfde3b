"""Small pictures for Dagster's catalogue, as PNG: the last days of a store, and which days of which store are there.

Every event that shows one holds it, so they are small: bars and squares, few colours. What they show is decided elsewhere. The
digest's charts are ``digest/charts.py``'s.
"""

import io
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT, MARGIN = 600, 120, 14
PAPER, INK, BAR, NEWEST, UNKNOWN = "#ffffff", "#5b6470", "#9db4d6", "#1f5fbf", "#e8e3d4"


class Coverage(StrEnum):
    """What is there of a store's day."""

    GOOD = "good"
    EMPTY = "empty"
    FAILED = "failed"
    HOLE = "hole"
    NOT_DUE = "not due"


# Okabe and Ito's colours, which nobody's eyes confuse, and a mark each, so that nothing rests on colour alone.
MARKS: Mapping[Coverage, tuple[str, str]] = {
    Coverage.GOOD: ("#009e73", ""),
    Coverage.EMPTY: ("#56b4e9", "."),
    Coverage.FAILED: ("#d55e00", "x"),
    Coverage.HOLE: ("#e69f00", "o"),
    Coverage.NOT_DUE: ("#e4e6ea", ""),
}
SQUARE, LABEL = 12, 150


def days_png(days: Sequence[tuple[date, float | None]]) -> bytes:
    """A bar for each day, the newest in another colour; a band where the day is not known (None)."""
    picture, draw = _blank(WIDTH, HEIGHT)
    highest = max((value for _, value in days if value), default=1.0)
    step = WIDTH / max(1, len(days))
    for at, (_, value) in enumerate(days):
        left, right = at * step + 1, (at + 1) * step - 1
        share = 1.0 if value is None else value / highest
        top = HEIGHT - MARGIN - share * (HEIGHT - MARGIN - 2)
        colour = UNKNOWN if value is None else NEWEST if at == len(days) - 1 else BAR
        if share > 0:
            draw.rectangle((left, top, right, HEIGHT - MARGIN), fill=colour)
    if days:
        draw.text((2, HEIGHT - MARGIN + 1), f"{days[0][0]}", fill=INK)
        draw.text((WIDTH - 64, HEIGHT - MARGIN + 1), f"{days[-1][0]}", fill=INK)
    return _written(picture)


def coverage_png(rows: Mapping[str, Sequence[Coverage]], first: date) -> bytes:
    """A line of squares for each store's report, a square for each day from ``first`` on; below them what they mean."""
    days = max(map(len, rows.values()), default=0)
    height = (len(rows) + 2) * (SQUARE + 2) + MARGIN
    picture, draw = _blank(LABEL + days * SQUARE + 4, height)
    for line, (name, states) in enumerate(rows.items()):
        top = line * (SQUARE + 2)
        draw.text((0, top), name, fill=INK)
        for at, state in enumerate(states):
            _square(draw, LABEL + at * SQUARE, top, state)
    top = len(rows) * (SQUARE + 2)
    draw.text((LABEL, top), f"{first}", fill=INK)
    left = LABEL
    for state in Coverage:
        _square(draw, left, top + SQUARE + 4, state)
        draw.text((left + SQUARE + 3, top + SQUARE + 4), state.value, fill=INK)
        left += SQUARE + 12 + 7 * len(state.value)
    return _written(picture)


def _square(draw: "ImageDraw", left: int, top: int, state: Coverage) -> None:
    colour, mark = MARKS[state]
    draw.rectangle((left, top, left + SQUARE - 2, top + SQUARE - 1), fill=colour)
    if mark:
        draw.text((left + 3, top - 1), mark, fill=PAPER if state is not Coverage.HOLE else "#000000")


def _blank(width: int, height: int) -> "tuple[Image, ImageDraw]":
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (width, height), PAPER)
    return picture, ImageDraw.Draw(picture)


def _written(picture: "Image") -> bytes:
    """In a palette: half of the bytes."""
    stream = io.BytesIO()
    picture.quantize(64).save(stream, format="PNG", optimize=True)
    return stream.getvalue()
