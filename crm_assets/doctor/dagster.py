"""Dagster: its home, its instance on its storage, the heartbeats of its daemon, and runs that go on for too long."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import yaml
from dagster_postgres.utils import DagsterPostgresException

from crm_assets.doctor.findings import Finding, green, of_error, red, yellow
from crm_assets.errors import ConfigurationError
from crm_assets.model import Clock
from crm_assets.pipeline.instance import dagster_home, open_instance
from crm_assets.settings import Settings

SUBJECT = "dagster"
SILENT = timedelta(minutes=5)
"""A daemon's heart beats every half minute, but not in the middle of a tick, which may take two minutes."""

START = "Start it: script/server; without it sensors and runs launched in the UI wait"


def look_at_dagster(settings: Settings, clock: Clock) -> list[Finding]:
    """Open the instance as the UI does, and ask it. Changes this process's environment, as opening it always does."""
    try:
        home = dagster_home(settings)
    except ConfigurationError as error:
        return [
            of_error(SUBJECT, "DAGSTER_HOME", error, next_step="Put a file there: a copy of the project's dagster.yaml")
        ]
    except OSError as error:
        return [
            red(SUBJECT, "DAGSTER_HOME", f"it cannot be made: {error.strerror}", "Mend DAGSTER_HOME or CRM_LOCAL_DIR")
        ]
    try:
        with open_instance(settings) as instance:
            return [_opened(home), *_daemon(instance, clock()), *_long_runs(instance, clock())]
    except (dg.DagsterError, DagsterPostgresException, yaml.YAMLError) as error:
        found = f"the instance does not open on its storage: {type(error).__name__}"
        return [red(SUBJECT, "instance", found, f"See {home / 'dagster.yaml'} and the database above")]


def not_examined(why: str, next_step: str) -> Finding:
    """Its storage is the database: without that there is nothing to ask."""
    return yellow(SUBJECT, "instance", f"not examined: {why}", next_step)


def _opened(home: Path) -> Finding:
    return green(SUBJECT, "instance", f"it opens on its storage, home {home}")


def _daemon(instance: dg.DagsterInstance, now: datetime) -> Iterator[Finding]:
    """Whether every part of the daemon that this instance needs has been heard of, lately and without an error."""
    heard = instance.get_daemon_heartbeats()
    needed = instance.get_required_daemon_types()
    beats = {kind: heard[kind] for kind in needed if kind in heard}
    if not beats:
        yield yellow(SUBJECT, "daemon", "it has never run", START)
        return
    last = max(datetime.fromtimestamp(beat.timestamp, now.tzinfo) for beat in beats.values())
    silent = [
        kind for kind in needed if kind not in beats or now.timestamp() - beats[kind].timestamp > SILENT.total_seconds()
    ]
    failing = [kind for kind, beat in beats.items() if beat.errors and kind not in silent]
    if now - last > SILENT:
        yield yellow(SUBJECT, "daemon", f"it does not run; last heard of at {last.astimezone():%Y-%m-%d %H:%M}", START)
    elif silent or failing:
        found = f"parts of it {'are silent' if silent else 'report errors'}: {', '.join(silent or failing)}"
        yield yellow(SUBJECT, "daemon", found, "See Deployment > Daemons in the UI, and its log: dagster-daemon.log")
    else:
        yield green(
            SUBJECT, "daemon", f"it runs: {len(needed)} parts, last heard of {(now - last).total_seconds():.0f} s ago"
        )


def _long_runs(instance: dg.DagsterInstance, now: datetime) -> Iterator[Finding]:
    """Runs that should long have ended; a daemon that runs ends them."""
    limit = instance.run_monitoring_max_runtime_seconds
    started = instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]), limit=1000)
    long = [record for record in started if limit and record.start_time and now.timestamp() - record.start_time > limit]
    if long:
        advice = "Terminate them in the UI, or let the daemon run: it ends them"
        yield yellow(SUBJECT, "runs", f"{len(long)} have been going on for more than {limit // 60} minutes", advice)
    else:
        yield green(SUBJECT, "runs", f"{len(started)} going on, none for too long")
