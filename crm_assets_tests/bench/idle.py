"""The bench ``idle``: what the running installation costs while nothing is due, against the same with its sensors off."""

import logging
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import psutil
import psycopg

from crm_assets.model import business_day, system_clock
from crm_assets.pipeline.instance import keep_connected
from crm_assets.stack import Stack, running
from crm_assets.warehouse.migrate import migrate
from crm_assets_tests.bench.figures import Figure
from crm_assets_tests.bench.many import give_stores
from crm_assets_tests.bench.server import bench_server
from crm_assets_tests.fixtures.dagster import new_pipeline
from crm_assets_tests.fixtures.postgres import new_database
from crm_assets_tests.fixtures.stack import stop_sensors

SETTLE_SECONDS, SECONDS, STORES = 30, 120, 4


def figures(seconds: float = SECONDS, settle_seconds: float = SETTLE_SECONDS) -> Iterator[Figure]:
    """CPU seconds and new connections a minute, once what starting brings about is over."""
    logging.getLogger("crm_assets").setLevel(logging.CRITICAL)
    off = _measured(seconds, settle_seconds, with_sensors=False)
    on = _measured(seconds, settle_seconds, with_sensors=True)
    for name, unit in (
        ("processor", "s a minute"),
        ("database server's processor", "s a minute"),
        ("connections", "a minute"),
    ):
        yield Figure(name=f"idle: {name}", unit=unit, ours=on[name], reference=off[name])


def _measured(seconds: float, settle_seconds: float, *, with_sensors: bool) -> dict[str, float]:
    server = bench_server()
    with new_database(server, template="template1") as template, tempfile.TemporaryDirectory() as home:
        migrate(template)
        with new_pipeline(server, urlsplit(template).path[1:], Path(home)) as pipeline:
            give_stores(
                pipeline, STORES, business_day(system_clock) + timedelta(days=30)
            )  # not open yet: nothing is due
            keep_connected(pipeline.instance)
            if not with_sensors:
                stop_sensors(pipeline)
            with running(pipeline.settings, host="127.0.0.1", port=None) as stack:
                Event().wait(settle_seconds)
                before, began = _counts(stack, pipeline.url), time.monotonic()
                Event().wait(seconds)
                after, minutes = _counts(stack, pipeline.url), (time.monotonic() - began) / 60
    return {name: (after[name] - before[name]) / minutes for name in after}


def _counts(stack: Stack, url: str) -> dict[str, float]:
    """Since the processes began; those of children that have ended are with their parents."""
    trees = [psutil.Process(process.pid) for process in stack.processes.values()]
    postgres = [process for process in psutil.process_iter() if process.name() == "postgres"]
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("SELECT pg_stat_force_next_flush()")
        ((sessions,),) = conn.execute(
            "SELECT sessions FROM pg_stat_database WHERE datname = current_database()"
        ).fetchall()
    return {
        "processor": sum(_cpu(each) for tree in trees for each in [tree, *tree.children(recursive=True)]),
        "database server's processor": sum(map(_cpu, postgres)),
        "connections": float(sessions),
    }


def _cpu(process: psutil.Process) -> float:
    try:
        return sum(process.cpu_times()[:4])
    except psutil.NoSuchProcess:
        return 0.0
