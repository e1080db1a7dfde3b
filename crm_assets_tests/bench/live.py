"""A running installation for the benches: sandbox portals, a database, webserver and daemon; runs asked for as the UI does.

What is measured with it belongs to the benches. The portals' waits are drawn anew for each run, from the same beginning, so that
two ways to the same data wait for the same things.
"""

import json
import logging
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import dagster as dg

from crm_assets.model import Window
from crm_assets.pipeline.instance import keep_connected
from crm_assets.pipeline.partitions import range_tags
from crm_assets.sandbox import SandboxOptions
from crm_assets.sandbox.pace import PaceName
from crm_assets.stack import Stack, running
from crm_assets.warehouse.migrate import migrate
from crm_assets_tests.fixtures.dagster import Pipeline, chain, new_pipeline
from crm_assets_tests.fixtures.postgres import new_database
from crm_assets_tests.fixtures.sandbox import REPORTS
from crm_assets_tests.fixtures.stack import LAUNCH_RUN, asked, execution_params, stop_sensors

LOOK_SECONDS = 0.05
LONGEST_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTimes:
    """Seconds of one run: from the request to its facts committed, and the part in which it executed. ``asked_at``: UNIX time."""

    run_id: str
    asked_at: float
    whole: float
    execution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """``stack`` is up, its sensors are off."""

    pipeline: Pipeline
    stack: Stack

    def begin_anew(self) -> None:
        """The portals' waits are those of the first time again."""
        self.pipeline.sandbox.begin_waits_anew()

    def exports(self) -> int:
        """How many files the portals have handed over so far."""
        return self.pipeline.sandbox.log.exports.total()

    def run(self, name: str, window: Window) -> RunTimes:
        """One run of a store's chain by way of webserver, queue and daemon."""
        (times,) = self.run_all([(name, window)])
        return times

    def run_all(self, wanted: Sequence[tuple[str, Window]]) -> list[RunTimes]:
        """Runs of these stores' windows, asked for at once."""
        self.begin_anew()
        asked_at, began = time.time(), time.monotonic()
        run_ids = [self._launch(name, window) for name, window in wanted]
        ended = dict.fromkeys(run_ids, 0.0)
        while waiting := [run_id for run_id, at in ended.items() if not at]:
            for run_id in waiting:
                if self._is_over(run_id):
                    ended[run_id] = time.monotonic() - began
            Event().wait(LOOK_SECONDS)
            if time.monotonic() - began > LONGEST_SECONDS:
                raise TimeoutError(f"runs not over after {LONGEST_SECONDS} s: {waiting}")
        return [
            RunTimes(run_id=run_id, asked_at=asked_at, whole=ended[run_id], execution=self._execution(run_id))
            for run_id in run_ids
        ]

    def _launch(self, name: str, window: Window) -> str:
        crm, store = name.split("/")
        tags = range_tags(store, window.first, window.last)
        launched = asked(self.stack.url, LAUNCH_RUN, params=execution_params(tags, chain(REPORTS[crm])))
        return str(launched["run"]["id"])

    def _is_over(self, run_id: str) -> bool:
        run = self.pipeline.instance.get_run_by_id(run_id)
        assert run is not None
        if run.is_finished and run.status is not dg.DagsterRunStatus.SUCCESS:
            raise AssertionError(f"run {run_id} ended as {run.status.value}")
        return run.is_finished

    def _execution(self, run_id: str) -> float:
        (record,) = self.pipeline.instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
        assert record.start_time is not None
        assert record.end_time is not None
        return record.end_time - record.start_time


@contextmanager
def live(server: str, pace: PaceName) -> Iterator[Live]:
    """An installation at this pace, until the block ends. ``server``: where its database is made."""
    logging.getLogger("crm_assets").setLevel(logging.CRITICAL)
    with new_database(server, template="template1") as template, tempfile.TemporaryDirectory() as home:
        migrate(template)
        options = SandboxOptions(pace=pace)
        with new_pipeline(server, urlsplit(template).path[1:], Path(home), options) as pipeline:
            keep_connected(pipeline.instance)
            stop_sensors(pipeline)
            with running(pipeline.settings, host="127.0.0.1", port=None) as stack:
                yield Live(pipeline=pipeline, stack=stack)


def bare(at: Live, python: Path, browser: Path, name: str, window: Window) -> float:
    """Seconds of the bare script for a store's day, as a process of its own."""
    crm, store = name.split("/")
    sandbox, secrets = at.pipeline.sandbox, at.pipeline.sandbox.secrets()
    login = f"CRM_{crm}_{store}".upper()
    urls = sandbox.urls
    task = {
        "crm": crm,
        "store": store,
        "day": str(window.first),
        "user": secrets[f"{login}_USER"],
        "password": secrets[f"{login}_PASSWORD"],
        "database": at.pipeline.url,
        "browser": str(browser),
        "subs": urls["subs"],
        "panel": urls["storepanel"],
        "api": urls["api"],
    }
    at.begin_anew()
    began = time.monotonic()
    script = Path(__file__).with_name("bare.py")
    subprocess.run([python, script], input=json.dumps(task), text=True, check=True)
    return time.monotonic() - began
