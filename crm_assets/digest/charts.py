"""Thirty days of a store as a small picture: a bar for each day, none where nothing was sold, a band where it was never fetched.

Drawn by matplotlib as SVG, which stands in the page itself and takes its colours from it, so that it follows light and dark. The
same figures give the same bytes.
"""

import io
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from html import escape
from typing import Any

from crm_assets.digest.words import rupees, short_day

BAR, TODAY, GAP = "#020202", "#030303", "#040404"
"""Stand for the page's colours until the picture is done."""
COLOURS = {BAR: "var(--bar)", TODAY: "var(--accent)", GAP: "var(--gap)"}
SIZE = (3.6, 0.7)  # inches; the page stretches it to its column
SETTINGS: dict[Any, Any] = {"svg.hashsalt": "crm_assets", "svg.fonttype": "none"}


def days_svg(days: Sequence[tuple[date, Decimal | None]], label: str) -> str:
    """The picture as an SVG element with its words for who does not see it; ``label`` says what it shows."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(SETTINGS):
        figure = Figure(figsize=SIZE)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        highest = float(max((amount for _, amount in days if amount), default=Decimal(1)))
        for at, (_, amount) in enumerate(days):
            if amount is None:
                axes.bar(at, highest, width=0.9, color=GAP, clip_on=False)
            else:
                colour = TODAY if at == len(days) - 1 else BAR
                axes.bar(at, float(amount), width=0.72, color=colour, clip_on=False)
        axes.set_xlim(-0.6, len(days) - 0.4)
        axes.set_ylim(0, highest * 1.05)
        axes.axis("off")
        written = io.BytesIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(written.getvalue().decode(), f"{label}. {words(days)}")


def best_day(days: Sequence[tuple[date, Decimal | None]]) -> tuple[Decimal, date] | None:
    """The highest bar, which gives the picture its scale; the newest of equal ones."""
    return max(((amount, day) for day, amount in days if amount and amount > 0), default=None)


def words(days: Sequence[tuple[date, Decimal | None]]) -> str:
    """What the picture shows, said."""
    unknown = sum(amount is None for _, amount in days)
    quiet = sum(amount == 0 for _, amount in days)
    told = [f"{len(days)} days up to {short_day(days[-1][0])}"]
    if best := best_day(days):
        told.append(f"best day {rupees(best[0])} on {short_day(best[1])}")
    if quiet:
        told.append(f"{quiet} without a sale")
    if unknown:
        told.append(f"{unknown} never fetched")
    return ", ".join(told)


def _inline(svg: str, label: str) -> str:
    """The element alone, in the page's colours, as wide as its place; a page has several, so none brings ids or styles."""
    element = svg[svg.index("<svg") :]
    for stand_in, colour in COLOURS.items():
        element = element.replace(stand_in, colour)
    element = re.sub(r"<(metadata|defs)>.*?</\1>\s*", "", element, flags=re.DOTALL)
    element = re.sub(r'\sid="[^"]*"', "", element)
    element = re.sub(r'\s(?:width|height)="[\d.]+pt"', "", element, count=2)
    return element.replace("<svg", f'<svg role="img" aria-label="{escape(label)}" preserveAspectRatio="none"', 1)
