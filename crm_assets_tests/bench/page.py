"""The page docs/performance.md: the newest results of every bench, as they were kept when it ended."""

import inspect
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from types import ModuleType

from crm_assets.model import business_day, system_clock
from crm_assets.settings import PROJECT_ROOT
from crm_assets_tests.bench.figures import HEADINGS, Figure, machine

RESULTS = PROJECT_ROOT / ".local" / "bench" / "results"
PAGE = PROJECT_ROOT / "docs" / "performance.md"
HEAD = """# How fast it is

Measured by `script/bench NAME`, which sets up what it needs and compares within the same run; this page is written from the
results by `script/bench page`. Where something was repeated a figure is the median, with the least and the most behind it. A
target stands where one was set before measuring; **NOT OK** means that it is missed.
"""

TAIL = """## What misses its target, and why

- `load` at 100,000 rows: five times faster than pandas or dlt is more than the floor itself is. Beyond the floor, of each row the
  texts are staged, its values are typed twice (from the file, to prove it; from staging, to load it), a hash and a history are
  kept, and dates are read by `strptime`. A store's quarter has 800 rows, and no report may have more than 500,000 cells.

Planning a backfill has no target and is slow: Dagster writes an event for each asset, check and day of a run, each with a
connection of its own, and does so for one run after the other.
"""


def summary(bench: ModuleType) -> str:
    """The first sentence of what the bench says of itself."""
    text = inspect.cleandoc(bench.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    return text.partition(": ")[2] or text


def keep(name: str, found: Sequence[Figure]) -> None:
    """Keep what a bench found for the page."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    kept = {"machine": machine(), "day": str(business_day(system_clock)), "figures": [asdict(one) for one in found]}
    (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")


def word(bench: ModuleType) -> str:
    """The bench's name in commands."""
    return bench.__name__.rpartition(".")[2]


def write(benches: Sequence[ModuleType]) -> str:
    """Write the page from what is kept of these benches; returns its name."""
    kept = [bench for bench in benches if (RESULTS / f"{word(bench)}.json").exists()]
    sections = [HEAD, *map(_section, kept), TAIL]
    PAGE.write_text("\n".join(sections), encoding="utf-8")
    return PAGE.name


def _section(bench: ModuleType) -> str:
    kept = json.loads((RESULTS / f"{word(bench)}.json").read_text(encoding="utf-8"))
    rows = [Figure(**one).cells() for one in kept["figures"]]
    lines = [
        f"## `{word(bench)}`",
        "",
        f"{summary(bench)[:1].upper()}{summary(bench)[1:]}",
        "",
        f"| {' | '.join(HEADINGS)} |",
        f"|{'---|' * len(HEADINGS)}",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        f"{date.fromisoformat(kept['day']):%d %B %Y}, {kept['machine']}.",
        "",
    ]
    return "\n".join(lines)
