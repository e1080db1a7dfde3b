"""The bench ``tick``: one evaluation of each sensor of a CRM in the middle of the day, with 400 days of ledger behind it.

Every store is due: no tick has more to do. Queries are those to the warehouse and to Dagster's own storage.
"""

import logging
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import psycopg
import sqlalchemy

from crm_assets.model import IST, Window, business_day, system_clock
from crm_assets.pipeline.compose import compose
from crm_assets.pipeline.instance import keep_connected
from crm_assets.pipeline.reports import sources_of
from crm_assets.pipeline.sensors import report_sensors
from crm_assets.warehouse.migrate import migrate
from crm_assets_tests.bench.figures import Figure, measured
from crm_assets_tests.bench.many import give_ledger, give_stores
from crm_assets_tests.bench.server import bench_server
from crm_assets_tests.fixtures.dagster import Pipeline, new_pipeline
from crm_assets_tests.fixtures.postgres import new_database

STORES, DAYS, REPEATS = (4, 100, 1_000), 400, 5
SECONDS = 1.0
HOUR = 15  # after a slot, in Kolkata

type Taken = dict[str, tuple[list[float], int]]
"""The seconds of each evaluation of a sensor, and how many queries one makes."""


def figures(stores: Sequence[int] = STORES, days: int = DAYS, repeats: int = REPEATS) -> Iterator[Figure]:
    """Seconds, growth and queries of each sensor; targets are those of the most stores."""
    logging.getLogger("crm_assets").setLevel(logging.CRITICAL)
    server = bench_server()
    with new_database(server, template="template1") as template, tempfile.TemporaryDirectory() as home:
        migrate(template)
        with new_pipeline(server, urlsplit(template).path[1:], Path(home)) as pipeline:
            keep_connected(pipeline.instance)
            taken = {count: _taken(pipeline, count, days, repeats) for count in stores}
    fewest, *between, most = stores
    for sensor in taken[most]:
        for count in (fewest, *between):
            yield measured(f"{sensor}, {count} stores", taken[count][sensor][0])
        yield measured(f"{sensor}, {most:,} stores", taken[most][sensor][0], target=SECONDS, at_most=True)
        less = between[-1] if between else fewest
        yield measured(
            f"{sensor}: a store's share, {most:,} stores beside {less}",
            [1000 * seconds / most for seconds in taken[most][sensor][0]],
            [1000 * seconds / less for seconds in taken[less][sensor][0]],
            unit="ms",
            target=1,
            at_most=True,
            of_ratio=True,
        )
        yield Figure(
            name=f"{sensor}: queries, {most:,} stores beside {fewest}",
            unit="queries",
            ours=taken[most][sensor][1],
            reference=taken[fewest][sensor][1],
            target=1,
            at_most=True,
            of_ratio=True,
        )


def _taken(pipeline: Pipeline, count: int, days: int, repeats: int) -> Taken:
    today = business_day(system_clock)
    window = Window(first=today - timedelta(days=days), last=today - timedelta(days=1))
    codes = give_stores(pipeline, count, window.first)
    give_ledger(pipeline, codes, window)
    now = datetime(today.year, today.month, today.day, HOUR, tzinfo=IST)
    definitions = compose(pipeline.settings)
    taken: Taken = {}
    for sensor in report_sensors(sources_of(pipeline.settings, "td"), lambda: now):
        seconds = list[float]()
        for _ in range(repeats + 1):
            with _counted() as queries:
                began = time.perf_counter()
                sensor(dg.build_sensor_context(instance=pipeline.instance, definitions=definitions))
                seconds.append(time.perf_counter() - began)
        taken[sensor.name] = seconds[1:], queries.total()
    return taken


@contextmanager
def _counted() -> Iterator[Counter[str]]:
    """Counts the queries of this process: psycopg's, and SQLAlchemy's over psycopg2."""
    queries, execute = Counter[str](), psycopg.Cursor.execute

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        queries["warehouse"] += 1
        return execute(self, *args, **kwargs)

    def told(*_: Any) -> None:
        queries["dagster"] += 1

    psycopg.Cursor.execute = counted  # type: ignore[method-assign]
    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", told)
    try:
        yield queries
    finally:
        psycopg.Cursor.execute = execute  # type: ignore[method-assign]
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", told)
