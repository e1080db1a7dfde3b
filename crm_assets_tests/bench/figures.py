"""Figures: what a bench found, beside what is wanted, as a table for people or one JSON object a line."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Column, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """``reference`` is what it was elsewhere; ``ours`` is ok up to ``target`` where it is ``at_most``, else from it on."""

    name: str
    unit: str
    ours: float | None
    reference: float | None = None
    target: float | None = None
    at_most: bool = False

    @property
    def ratio(self) -> float | None:
        return round(self.ours / self.reference, 3) if self.reference and self.ours is not None else None

    @property
    def ok(self) -> bool | None:
        """None where nothing is wanted of it."""
        if self.target is None or self.ours is None:
            return None
        return self.ours <= self.target if self.at_most else self.ours >= self.target

    def line(self) -> str:
        return json.dumps(
            {
                "name": self.name,
                "unit": self.unit,
                "ours": self.ours,
                "reference": self.reference,
                "ratio": self.ratio,
                "target": self.target,
                "ok": self.ok,
            }
        )


def table(figures: Iterable[Figure]) -> Table:
    """All of them for a terminal."""
    drawn = Table(Column(no_wrap=True), "unit", "ours", "reference", "target", "", box=None)
    for one in figures:
        target = "" if one.target is None else f"{'≤' if one.at_most else '≥'} {one.target:g}"
        verdict = {None: "", True: "ok", False: "NOT OK"}[one.ok]
        drawn.add_row(one.name, one.unit, _shown(one.ours), _shown(one.reference), target, verdict)
    return drawn


def show(console: Console, figures: Iterable[Figure], *, as_json: bool) -> None:
    if not as_json:
        console.print(table(figures))
        return
    for one in figures:
        console.out(one.line(), highlight=False)


def _shown(number: float | None) -> str:
    return "" if number is None else f"{number:,.3f}".rstrip("0").rstrip(".")
