"""The bench ``month``: a month in minutes, on an embedded server of its own; completeness, equality, staleness and runs."""

import logging
import math
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from crm_assets.model import IST, Purpose
from crm_assets.pipeline.instance import keep_connected
from crm_assets.sandbox import SandboxOptions
from crm_assets.warehouse.migrate import migrate
from crm_assets_tests.bench.figures import Figure
from crm_assets_tests.bench.server import bench_server
from crm_assets_tests.fixtures.dagster import Pipeline, new_pipeline
from crm_assets_tests.fixtures.postgres import new_database
from crm_assets_tests.simulation.month import Month, new_month
from crm_assets_tests.simulation.verdict import StoreMonth, asked_twice, endings, left_alone, store_months
from crm_assets_tests.simulation.weather import ordinary_weather
from crm_assets_tests.simulation.worker import WELL

FIRST_DAY = date(2027, 3, 15)  # with the end of a month, of a quarter and of a fiscal year ahead
HISTORY = 45  # days that are there to be caught up with at the beginning: the first of them are settled by then
LOOK_EVERY = timedelta(minutes=30)
CALM = timedelta(hours=5)  # at the end, so that what heals has healed
CLEAN_IN_PRODUCTION = 0.64
SOON_ENOUGH = 0.8  # of the slots, with portals and machine away for hours


def figures(days: int) -> Iterator[Figure]:
    """Simulate so many days and judge them."""
    first = datetime.combine(FIRST_DAY, time(9), IST)
    last = datetime.combine(FIRST_DAY + timedelta(days=days), time(16), IST)
    weather = ordinary_weather("a month", FIRST_DAY, days, last - CALM)
    with _pipeline() as pipeline, new_month(pipeline, first, last, weather, LOOK_EVERY) as month:
        month.go()
        stores = store_months(month)
        for one in stores:
            yield from _of_store(one)
        yield from _of_runs(month)
        yield from _of_the_end(month, stores)


@contextmanager
def _pipeline() -> Iterator[Pipeline]:
    """An installation that begins on the first day, on databases that are thrown away."""
    logging.getLogger("crm_assets").setLevel(logging.CRITICAL)  # failures by the hundred are what is wanted
    server = bench_server()
    with new_database(server, template="template1") as template, tempfile.TemporaryDirectory() as home:
        migrate(template)
        options = SandboxOptions(first_day=FIRST_DAY - timedelta(days=HISTORY))
        with new_pipeline(server, urlsplit(template).path[1:], Path(home), options) as pipeline:
            keep_connected(pipeline.instance)
            yield pipeline


def _of_store(one: StoreMonth) -> Iterator[Figure]:
    late = [math.inf if minutes is None else minutes for minutes in one.timeliness.late]
    name = str(one.store)
    yield Figure(name=f"{name} complete", unit="share of days", ours=one.complete / one.days, target=1)
    yield Figure(name=f"{name} equal to the books", unit="share of days", ours=one.equal / one.days, target=1)
    yield Figure(name=f"{name} rows compared", unit="rows", ours=sum(day.rows for day in one.loaded))
    settled = sum(day.rows for day in one.settled)
    yield Figure(name=f"{name} settled rows", unit="rows", ours=settled)
    changed = sum(day.changed_since for day in one.settled)
    yield Figure(name=f"{name} settled rows that changed later", unit="rows", ours=changed)
    yield Figure(name=f"{name} slots", unit="slots", ours=len(late))
    yield Figure(name=f"{name} served within an hour", unit="share of slots", ours=_share(late, 60))
    yield Figure(name=f"{name} slot to loaded, median", unit="minutes", ours=_finite(median(late)))
    yield Figure(name=f"{name} slot to loaded, p95", unit="minutes", ours=_finite(_percentile(late, 0.95)))
    yield Figure(name=f"{name} slot to loaded, most", unit="minutes", ours=_finite(max(late)))
    yield Figure(name=f"{name} oldest data", unit="hours", ours=round(one.timeliness.oldest / timedelta(hours=1), 2))
    yield Figure(name=f"{name} fetched twice", unit="exports", ours=one.timeliness.doubles, target=0, at_most=True)


def _of_runs(month: Month) -> Iterator[Figure]:
    for purpose in (Purpose.REFRESH, Purpose.SETTLING, Purpose.CATCH_UP):
        found = endings(month, purpose)
        yield Figure(name=f"{purpose} runs", unit="runs", ours=found.total())
        clean = sum(found[ending] for ending in WELL) / found.total() if found else None
        yield Figure(
            name=f"{purpose} runs that ended well", unit="share of runs", ours=clean, reference=CLEAN_IN_PRODUCTION
        )
        for ending, times in sorted(found.items()):
            yield Figure(name=f"{purpose} runs: {ending}", unit="runs", ours=times)
    retried = sum(run.parent is not None for run in month.daemon.runs)
    yield Figure(name="runs that Dagster retried, as their process was gone", unit="runs", ours=retried)


def _of_the_end(month: Month, stores: Sequence[StoreMonth]) -> Iterator[Figure]:
    open_rows = month.pipeline.rows("SELECT FROM download_ledger WHERE status = 'running'")
    yield Figure(name="logins by a person", unit="times", ours=len(month.answered))
    yield Figure(name="refused logins asked twice", unit="logins", ours=asked_twice(month), target=0, at_most=True)
    yield Figure(name="failures left alone", unit="runs", ours=len(left_alone(month)), target=0, at_most=True)
    yield Figure(name="attempts left running", unit="rows", ours=len(open_rows), target=0, at_most=True)
    yield Figure(name="raw files left", unit="files", ours=len(month.pipeline.files))
    yield Figure(name="sensors asked", unit="ticks", ours=month.daemon.ticks)
    misjudged = sum(len(one.timeliness.misjudged) for one in stores)
    yield Figure(name="looks at health that judged wrongly", unit="looks", ours=misjudged, target=0, at_most=True)
    for cause, slots in sum((one.timeliness.causes for one in stores), Counter[str]()).most_common():
        yield Figure(name=f"slots not served within an hour: {cause}", unit="slots", ours=slots)
    late = [math.inf if minutes is None else minutes for one in stores for minutes in one.timeliness.late]
    yield Figure(name="slots never served", unit="slots", ours=late.count(math.inf), target=0, at_most=True)
    yield Figure(name="slots served within an hour", unit="share of slots", ours=_share(late, 60), target=SOON_ENOUGH)


def _share(late: Sequence[float], limit: float) -> float:
    return sum(minutes <= limit for minutes in late) / len(late)


def _percentile(late: Sequence[float], share: float) -> float:
    return sorted(late)[math.ceil(share * len(late)) - 1]


def _finite(minutes: float) -> float | None:
    return round(minutes, 1) if math.isfinite(minutes) else None
