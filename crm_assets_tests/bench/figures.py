"""Figures: what a bench found, beside what it is compared with and what is wanted; a table, or one JSON object a line."""

import json
import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Column, Table

type Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """``reference`` is what it was elsewhere in the same run. The ratio of both, where ``of_ratio``, or else
    ``ours`` is ok up to ``target`` where it is ``at_most``, from it on where not. ``ours`` and ``reference`` are medians where
    something was repeated, beside the least and the most.
    """

    name: str
    unit: str
    ours: float | None
    reference: float | None = None
    target: float | None = None
    at_most: bool = False
    of_ratio: bool = False
    our_range: Range | None = None
    reference_range: Range | None = None

    @property
    def ratio(self) -> float | None:
        return round(self.ours / self.reference, 3) if self.reference and self.ours is not None else None

    @property
    def ok(self) -> bool | None:
        """None where nothing is wanted of it."""
        judged = self.ratio if self.of_ratio else self.ours
        if self.target is None or judged is None:
            return None
        return judged <= self.target if self.at_most else judged >= self.target

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

    def cells(self) -> tuple[str, ...]:
        """What, ours, reference, ratio, target, verdict; as texts."""
        target = (
            "" if self.target is None else f"{'≤' if self.at_most else '≥'} {self.target:g}{' times' * self.of_ratio}"
        )
        return (
            self.name,
            _shown(self.ours, self.unit, self.our_range),
            _shown(self.reference, self.unit, self.reference_range),
            "" if self.ratio is None else f"{self.ratio:.2f}",
            target,
            {None: "", True: "ok", False: "NOT OK"}[self.ok],
        )


HEADINGS = ("what", "ours", "reference", "ratio", "target", "")


def measured(
    name: str, ours: Sequence[float], reference: Sequence[float] = (), *, unit: str = "s", **wanted: object
) -> Figure:
    """Of repeated measurements the medians, the least and the most."""
    return Figure(
        name=name,
        unit=unit,
        ours=median(ours),
        our_range=(min(ours), max(ours)),
        reference=median(reference) if reference else None,
        reference_range=(min(reference), max(reference)) if reference else None,
        **wanted,  # type: ignore[arg-type]
    )


def machine() -> str:
    """What this was measured on."""
    info = Path("/proc/cpuinfo")
    models = re.findall(r"model name\s*: (.*)", info.read_text()) if info.exists() else []
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores of {models[0] if models else platform.machine()}, {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def table(figures: Iterable[Figure]) -> Table:
    """All of them for a terminal."""
    drawn = Table(
        *(Column(heading, no_wrap=not at) for at, heading in enumerate(HEADINGS)), box=None, caption=machine()
    )
    for one in figures:
        drawn.add_row(*one.cells())
    return drawn


def show(console: Console, figures: Iterable[Figure], *, as_json: bool) -> None:
    if not as_json:
        console.print(table(figures))
        return
    for one in figures:
        console.out(one.line(), highlight=False)


def _shown(number: float | None, unit: str, within: Range | None) -> str:
    if number is None:
        return ""
    return f"{_rounded(number)} {unit}" + (f" ({_rounded(within[0])} to {_rounded(within[1])})" if within else "")


def _rounded(number: float) -> str:
    """Three digits, and all of those before the point."""
    digits = 2 if abs(number) < 10 else 1 if abs(number) < 100 else 0
    text = f"{number:,.{max(digits, 3) if abs(number) < 1 else digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
