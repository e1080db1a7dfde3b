"""The asset ``coverage``: which days of which store are there, as a picture, as counts, and what to do about those that are not.

The sensor ``upkeep`` renews it. No ``from __future__ import annotations`` here.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import dagster as dg

from crm_assets.charts import Coverage, coverage_png
from crm_assets.errors import advice
from crm_assets.model import IST, Store, Window, system_clock
from crm_assets.pipeline.catalogue import code
from crm_assets.pipeline.reports import Source, sources
from crm_assets.pipeline.resources import Warehouse
from crm_assets.pipeline.shown import markdown_of
from crm_assets.pipeline.wants import last_due_day
from crm_assets.settings import Settings, load_settings
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.coverage import CoveredDay, coverage

ASSET, OWNERS, GROUP = "coverage", ["team:data"], "operations"
DAYS = 60
DRAWN, LISTED = 60, 50  # lines of the picture and of the table; the counts are of all
MEANINGS: Mapping[Coverage, str] = {
    Coverage.GOOD: "loaded, with rows",
    Coverage.EMPTY: "loaded, and proven to have no row",
    Coverage.FAILED: "not there: the newest attempt failed or was skipped",
    Coverage.HOLE: "not there although it is due: never fetched, or not loaded yet",
    Coverage.NOT_DUE: "need not be there: before the store's first day, or not over long enough",
}
MISSING = (Coverage.HOLE, Coverage.FAILED)
NOTHING = dg.TableRecord({"store": "none", "report": "", "days": "", "state": "", "what to do": ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A store's report, day by day; ``codes`` are the errors of its failed days."""

    store: Store
    report: str
    states: tuple[Coverage, ...]
    codes: Mapping[date, str]

    @property
    def name(self) -> str:
        return f"{self.store} {self.report}"

    @property
    def missing(self) -> int:
        return sum(state in MISSING for state in self.states)


def coverage_asset() -> dg.AssetsDefinition:
    """The picture of the last days."""

    @dg.asset(
        name=ASSET,
        group_name=GROUP,
        kinds={"postgres"},
        owners=OWNERS,
        tags={"crm": "all"},
        metadata=code(the_picture=(Path(__file__), "def coverage_asset")),
        description=f"Which of the last {DAYS} days of each store and report are there. The sensor `upkeep` renews it every "
        "hour, and whenever a store's state changes.\n\n"
        + "\n".join(f"- **{state.value}**: {meaning}" for state, meaning in MEANINGS.items()),
    )
    def covered(warehouse: Warehouse) -> dg.MaterializeResult[None]:
        with warehouse.connect() as conn:
            return dg.MaterializeResult(metadata=coverage_shown(conn, load_settings(), system_clock()))

    return covered


def coverage_shown(conn: Connection, settings: Settings, now: datetime) -> dict[str, Any]:
    """The picture, the counts of each line, and the days that are missing with what to do; as metadata."""
    today = now.astimezone(IST).date()
    window = Window(first=today - timedelta(days=DAYS - 1), last=today)
    lines = [line for source in sources(settings) for line in _lines(conn, settings, source, window, now)]
    gaps = [record for line in lines for record in _gaps(line, window)]
    return {
        "picture": dg.MetadataValue.md(_picture(lines, window)),
        "days by state": dg.MetadataValue.table([_counts(line) for line in lines]),
        "missing days": dg.MetadataValue.table(gaps[:LISTED] or [NOTHING]),
        "holes": sum(line.states.count(Coverage.HOLE) for line in lines),
        "failed days": sum(line.states.count(Coverage.FAILED) for line in lines),
    }


def _picture(lines: Sequence[Line], window: Window) -> str:
    """Of very many lines those alone that lack most."""
    drawn = lines if len(lines) <= DRAWN else sorted(lines, key=lambda line: line.missing, reverse=True)[:DRAWN]
    png = coverage_png({line.name: line.states for line in drawn}, window.first)
    counts = Counter(state for line in lines for state in line.states)
    words = ", ".join(f"{counts[state]} {state.value}" for state in Coverage)
    return markdown_of(png, f"{window}, {len(drawn)} of {len(lines)} lines drawn. Days of all of them: {words}.")


def _lines(conn: Connection, settings: Settings, source: Source, window: Window, now: datetime) -> Iterator[Line]:
    stores, due = settings.stores(source.crm_code), last_due_day(source, now)
    found: dict[str, list[CoveredDay]] = {store.code: [] for store in stores}
    for one in coverage(conn, source.report, stores, window):
        found[one.store].append(one)
    for store in stores:
        states = tuple(_state(one, store, due) for one in found[store.code])
        codes = {one.day: one.error_code for one in found[store.code] if one.error_code}
        yield Line(store=store, report=source.report.name, states=states, codes=codes)


def _state(one: CoveredDay, store: Store, due: date) -> Coverage:
    if one.rows is not None:
        return Coverage.GOOD if one.rows else Coverage.EMPTY
    if one.error_code:
        return Coverage.FAILED
    return Coverage.HOLE if store.first_day <= one.day <= due else Coverage.NOT_DUE


def _counts(line: Line) -> dg.TableRecord:
    counts = Counter(line.states)
    return dg.TableRecord(
        {"store": str(line.store), "report": line.report, **{state.value: counts[state] for state in Coverage}}
    )


def _gaps(line: Line, window: Window) -> Iterator[dg.TableRecord]:
    """Days in a row that are missing for one reason, the newest first."""
    days = list(zip(window.days(), line.states, strict=True))
    for (state, error), gap in groupby(reversed(days), key=lambda one: (one[1], line.codes.get(one[0]))):
        if state in MISSING:
            found = [day for day, _ in gap]
            yield _gap(line, state, error, Window(first=found[-1], last=found[0]))


def _gap(line: Line, state: Coverage, error: str | None, days: Window) -> dg.TableRecord:
    store = line.store
    steps = advice(error, account=str(store)) if error else (f"The sensor {store.crm}_catch_up fetches it.",)
    command = (
        f"crm_download download --crm {store.crm} --store {store.code} --report {line.report} "
        f"--from {days.first} --to {days.last}"
    )
    return dg.TableRecord(
        {
            "store": str(store),
            "report": line.report,
            "days": str(days) if days.first != days.last else str(days.first),
            "state": f"{state.value}: {error}" if error else state.value,
            "what to do": " ".join([*steps, f"To have it now: {command}"]),
        }
    )
