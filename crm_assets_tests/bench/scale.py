"""The bench ``scale``: what many partitions cost Dagster: ten years of four stores, and two years of three hundred.

Every partition but those of the last ten days is materialized, as after years of work. The reference is what Dagster needs for an
asset without partitions, or an empty installation of ours. Runs are queued and not started.
"""

import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import psutil

from crm_assets.model import Window, business_day, system_clock
from crm_assets.pipeline.instance import keep_connected
from crm_assets.settings import PROJECT_ROOT
from crm_assets.stack import Stack, running
from crm_assets.warehouse.migrate import migrate
from crm_assets_tests.bench.figures import Figure, measured
from crm_assets_tests.bench.many import FACTS, REPORT, give_events, give_ledger, give_stores
from crm_assets_tests.bench.server import bench_server
from crm_assets_tests.fixtures.dagster import Pipeline, chain, new_pipeline
from crm_assets_tests.fixtures.postgres import new_database
from crm_assets_tests.fixtures.stack import BACKFILL, LAUNCH_BACKFILL, asked, stop_sensors

REPEATS, PLANNED_DAYS, PLANNED_STORES, LOOK_SECONDS, LONGEST_SECONDS = 3, 90, 20, 0.2, 600
GRAPH = "{ assetNodes { id assetKey { path } dependencyKeys { path } partitionDefinition { name } } }"
STATUS = f"""{{ assetNodeOrError(assetKey: {{path: ["{FACTS}"]}}) {{ ... on AssetNode {{
  assetPartitionStatuses {{ ... on MultiPartitionStatuses {{ ranges {{ primaryDimStartKey
    secondaryDim {{ ... on DefaultPartitionStatuses {{ materializedPartitions }} }} }} }} }} }} }} }}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """``small`` is what the others are compared with."""

    stores: int
    days: int

    def __str__(self) -> str:
        return f"{self.stores} stores x {self.days:,} days"


SMALL = Size(stores=4, days=30)
SIZES = (Size(stores=4, days=3_650), Size(stores=300, days=731))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Seconds of each query, of planning a backfill, and the megabytes of each process."""

    seconds: dict[str, list[float]]
    megabytes: dict[str, float]


def figures(sizes: Sequence[Size] = SIZES, small: Size = SMALL, repeats: int = REPEATS) -> Iterator[Figure]:
    """Each size beside a small one."""
    logging.getLogger("crm_assets").setLevel(logging.CRITICAL)
    reference = _found(small, repeats)
    for size in sizes:
        found = _found(size, repeats)
        for name, seconds in found.seconds.items():
            yield measured(f"{size}: {name}, beside {small}", seconds, reference.seconds[name])
        for name, megabytes in found.megabytes.items():
            yield Figure(
                name=f"{size}: memory of {name}", unit="MB", ours=megabytes, reference=reference.megabytes[name]
            )


def _found(size: Size, repeats: int) -> Found:
    today = business_day(system_clock)
    window = Window(first=today - timedelta(days=size.days), last=today - timedelta(days=1))
    with _installation() as pipeline:
        codes = give_stores(pipeline, size.stores, window.first)
        give_ledger(pipeline, codes, Window(first=max(window.first, today - timedelta(days=400)), last=window.last))
        give_events(pipeline, codes, window)
        stop_sensors(pipeline)
        with running(pipeline.settings, host="127.0.0.1", port=None) as stack:
            seconds = {
                "asset graph": _timed(lambda: asked(stack.url, GRAPH), repeats),
                "partition status, for the first time": _timed(lambda: asked(stack.url, STATUS), 1),
                "partition status": _timed(lambda: asked(stack.url, STATUS), repeats),
                f"planning a backfill of {PLANNED_DAYS} days, each further run": [
                    _plan_seconds(stack, pipeline, codes[:PLANNED_STORES], window)
                ],
            }
            return Found(seconds=seconds, megabytes=_megabytes(stack))


@contextmanager
def _installation() -> Iterator[Pipeline]:
    """One whose runs wait in the queue."""
    server = bench_server()
    with new_database(server, template="template1") as template, tempfile.TemporaryDirectory() as home:
        migrate(template)
        own = Path(home) / ".local" / "dagster"
        own.mkdir(parents=True)
        config = (PROJECT_ROOT / "dagster.yaml").read_text(encoding="utf-8")
        assert "max_concurrent_runs: 4" in config
        (own / "dagster.yaml").write_text(config.replace("max_concurrent_runs: 4", "max_concurrent_runs: 0"))
        with new_pipeline(server, urlsplit(template).path[1:], Path(home)) as pipeline:
            keep_connected(pipeline.instance)
            yield pipeline


def _timed(work: Callable[[], Any], repeats: int) -> list[float]:
    seconds = list[float]()
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return seconds


def _plan_seconds(stack: Stack, pipeline: Pipeline, codes: Sequence[str], window: Window) -> float:
    """From the first run in the queue to the last, for each that followed: a run for each store.

    Before the first one Dagster waits for its next look at backfills, up to half a minute.
    """
    days = list(window.days())[-PLANNED_DAYS:]
    launched = asked(
        stack.url,
        LAUNCH_BACKFILL,
        params={
            "assetSelection": [{"path": [asset]} for asset in chain(REPORT)],
            "partitionNames": [f"{day}|{code}" for day in days for code in codes],
        },
    )
    asked_at, queued_at = time.perf_counter(), list[float]()
    while len(queued_at) < len(codes):
        Event().wait(LOOK_SECONDS)
        status = asked(stack.url, BACKFILL, id=launched["backfillId"])["status"]
        assert status == "REQUESTED", status
        queued_at += [time.perf_counter()] * (pipeline.instance.get_runs_count() - len(queued_at))
        if time.perf_counter() - asked_at > LONGEST_SECONDS:
            raise TimeoutError(f"expected {len(codes)} runs, found {len(queued_at)}")
    return (queued_at[-1] - queued_at[0]) / (len(codes) - 1)


def _megabytes(stack: Stack) -> dict[str, float]:
    """Of webserver, daemon, and the code locations that serve them."""
    megabytes = dict[str, float]()
    for name, process in stack.processes.items():
        own = psutil.Process(process.pid)
        megabytes[name] = own.memory_info().rss / 2**20
        megabytes[f"{name}'s code location"] = sum(
            child.memory_info().rss / 2**20 for child in own.children(recursive=True)
        )
    return megabytes
