"""The asset ``coverage``: which days of which store are there, as a picture, as counts, and what to do about those that are not.

The sensor ``upkeep`` renews it. No ``from __future__ import annotations`` here.
"""

import base64
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from crm_assets.charts import Coverage, coverage_png
from crm_assets.errors import error_class
from crm_assets.model import IST, Store, Window, system_clock
from crm_assets.pipeline.reports import Source, sources
from crm_assets.pipeline.resources import Warehouse
from crm_assets.pipeline.wants import last_due_day
from crm_assets.settings import Settings, load_settings
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.coverage import CoveredDay, coverage

ASSET, OWNERS, GROUP = "coverage", ["team:data"], "operations"
DAYS = 60
DRAWN, LISTED = 60, 50  # lines of the picture and of the table; the counts are of all
HOLE_STEP = "Nobody at first: the sensor catch_up fetches it; if it stays, look at what the store's last run said."


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


def coverage_asset() -> dg.AssetsDefinition:
    """The picture of the last days."""

    @dg.asset(
        name=ASSET,
        group_name=GROUP,
        kinds={"postgres"},
        owners=OWNERS,
        description=f"Which of the last {DAYS} days of each store and report are there: good, empty, failed, a hole, or not due "
        "yet. The sensor `upkeep` renews it every hour, and whenever a store's state changes.",
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
    png = coverage_png({line.name: line.states for line in lines[:DRAWN]}, window.first)
    missing = [record for line in lines for record in _missing(line, window)]
    return {
        "picture": dg.MetadataValue.md(
            f"![What is there of {window}](data:image/png;base64,{base64.b64encode(png).decode()})"
        ),
        "days by state": dg.MetadataValue.table([_counts(line) for line in lines]),
        "missing days": dg.MetadataValue.table(
            missing[:LISTED] or [dg.TableRecord({"store": "none", "day": "", "state": "", "what to do": ""})]
        ),
        "holes": sum(line.states.count(Coverage.HOLE) for line in lines),
        "failed days": sum(line.states.count(Coverage.FAILED) for line in lines),
    }


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


def _missing(line: Line, window: Window) -> Iterator[dg.TableRecord]:
    """The newest first."""
    days: Sequence[tuple[date, Coverage]] = list(zip(window.days(), line.states, strict=True))
    for day, state in reversed(days):
        if state in (Coverage.HOLE, Coverage.FAILED):
            code = line.codes.get(day)
            step = f"{code}: {error_class(code).next_step}" if code else HOLE_STEP
            yield dg.TableRecord({"store": line.name, "day": str(day), "state": state.value, "what to do": step})
