"""Small pictures for Dagster's catalogue, as PNG: the last days of a store, and which days of which store are there.

Every event that shows one holds it, so they are small: bars and squares, few colours. What they show is decided elsewhere. The
digest's charts are ``digest/charts.py``'s.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT, MARGIN = 640, 140, 16
PAPER, INK, LINE, BAR, NEWEST, UNKNOWN = "#ffffff", "#4a525c", "#d8dce2", "#9db4d6", "#1f5fbf", "#b9ac8a"


class Coverage(StrEnum):
    """What is there of a store's day."""

    GOOD = "good"
    EMPTY = "empty"
    FAILED = "failed"
    HOLE = "hole"
    NOT_DUE = "not due"


# Okabe and Ito's colours, which nobody's eyes confuse; and a shape each, so that nothing rests on colour alone.
COLOURS: Mapping[Coverage, str] = {
    Coverage.GOOD: "#009e73",
    Coverage.EMPTY: "#56b4e9",
    Coverage.FAILED: "#d55e00",
    Coverage.HOLE: "#e69f00",
    Coverage.NOT_DUE: "#cfd3d9",
}
SQUARE, GAP, LABEL, LETTER = 13, 2, 168, 6  # pixels; a letter's is its width


def days_png(days: Sequence[tuple[date, float | None]]) -> bytes:
    """A bar for each day, the newest in another colour; hatched where the day is not known (None), a stump below the line where
    more was paid back than taken. The highest bar's value is written at its height; Mondays have a tick.
    """
    picture, draw = _blank(WIDTH, HEIGHT)
    highest, foot = max((value for _, value in days if value and value > 0), default=0.0), HEIGHT - MARGIN
    step = WIDTH / max(1, len(days))
    for at, (day, value) in enumerate(days):
        left, right = round(at * step + 2), round((at + 1) * step - 2)
        if value is None:
            _hatched(draw, left, MARGIN, right, foot)
        elif value:
            top = foot - round(value / highest * (foot - MARGIN)) if value > 0 else foot + 3
            ends = (left, min(top, foot), right, max(top, foot))
            draw.rectangle(ends, fill=NEWEST if at == len(days) - 1 else BAR)
        if day.weekday() == 0:
            draw.line((left, foot, left, foot + 3), fill=INK)
    draw.line((0, foot, WIDTH, foot), fill=INK)
    draw.line((0, MARGIN, WIDTH, MARGIN), fill=LINE)
    draw.text((2, 2), f"{highest:,.0f}", fill=INK)
    if days:
        draw.text((2, foot + 4), f"{days[0][0]:%d %b}", fill=INK)
        draw.text((WIDTH - 2, foot + 4), f"{days[-1][0]:%d %b %Y}", fill=INK, anchor="ra")
    return _written(picture)


def coverage_png(rows: Mapping[str, Sequence[Coverage]], first: date) -> bytes:
    """A line for each store's report, a square for each day from ``first`` on, Mondays dated; below, what the squares mean."""
    days, pitch = max(map(len, rows.values()), default=0), SQUARE + GAP
    width = LABEL + max(days * pitch, _legend_width())
    picture, draw = _blank(width, pitch * (len(rows) + 3) + GAP)
    for at in range(days):
        day, left = first + timedelta(days=at), LABEL + at * pitch
        if day.weekday() == 0 and left + 6 * LETTER < width:
            draw.text((left, 0), f"{day:%d %b}", fill=INK)
            draw.line((left - GAP, 2, left - GAP, pitch * (len(rows) + 1)), fill=LINE)
    for line, (name, states) in enumerate(rows.items(), start=1):
        draw.text((0, line * pitch), name[: LABEL // LETTER], fill=INK)
        for at, state in enumerate(states):
            _square(draw, LABEL + at * pitch, line * pitch, state)
    for state, left in _legend():
        top = pitch * (len(rows) + 2) - SQUARE // 2
        _square(draw, left, top, state)
        draw.text((left + pitch + GAP, top), state.value, fill=INK)
    return _written(picture)


def _legend() -> Iterator[tuple[Coverage, int]]:
    """Each state with its place from the left."""
    left = LABEL
    for state in Coverage:
        yield state, left
        left += SQUARE + LETTER * (len(state.value) + 4)


def _legend_width() -> int:
    state, left = list(_legend())[-1]
    return left - LABEL + SQUARE + LETTER * (len(state.value) + 2)


def _square(draw: "ImageDraw", left: int, top: int, state: Coverage) -> None:
    """Full; half full; full with a white cross; a ring; a dash."""
    right, foot, colour = left + SQUARE - 1, top + SQUARE - 1, COLOURS[state]
    match state:
        case Coverage.GOOD:
            draw.rectangle((left, top, right, foot), fill=colour)
        case Coverage.EMPTY:
            draw.rectangle((left, top, right, foot), outline=colour)
            draw.rectangle((left, top + SQUARE // 2, right, foot), fill=colour)
        case Coverage.FAILED:
            draw.rectangle((left, top, right, foot), fill=colour)
            draw.line((left + 3, top + 3, right - 3, foot - 3), fill=PAPER, width=2)
            draw.line((left + 3, foot - 3, right - 3, top + 3), fill=PAPER, width=2)
        case Coverage.HOLE:
            draw.ellipse((left + 1, top + 1, right - 1, foot - 1), outline=colour, width=3)
        case Coverage.NOT_DUE:
            draw.line((left + 3, top + SQUARE // 2, right - 3, top + SQUARE // 2), fill=colour, width=2)


def _hatched(draw: "ImageDraw", left: int, top: int, right: int, foot: int) -> None:
    for height in range(top + 6, foot, 6):
        draw.line((left, height, right, height - 5), fill=UNKNOWN)


def _blank(width: int, height: int) -> "tuple[Image, ImageDraw]":
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (width, height), PAPER)
    return picture, ImageDraw.Draw(picture)


def _written(picture: "Image") -> bytes:
    """In a palette: half of the bytes."""
    stream = io.BytesIO()
    picture.quantize(64).save(stream, format="PNG", optimize=True)
    return stream.getvalue()
