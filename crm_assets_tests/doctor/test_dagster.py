"""Dagster's findings, on a real instance with heartbeats like a daemon's."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._daemon.types import DaemonHeartbeat
from dagster_shared.error import SerializableErrorInfo

from crm_assets.doctor.dagster import look_at_dagster
from crm_assets.doctor.findings import Finding, Level
from crm_assets.model import Clock, system_clock
from crm_assets_tests.fixtures.dagster import Pipeline


def look(pipeline: Pipeline, clock: Clock = system_clock) -> dict[str, Finding]:
    findings = look_at_dagster(pipeline.settings, clock)
    assert all(finding.next_step for finding in findings if finding.level is not Level.GREEN)
    return {finding.name: finding for finding in findings}


def beat(pipeline: Pipeline, *, minutes_ago: float = 0, only: int | None = None, error: str = "") -> None:
    """Heartbeats of the daemon's parts, as a running one writes them."""
    moment = (system_clock() - timedelta(minutes=minutes_ago)).timestamp()
    errors = [SerializableErrorInfo(message=error, stack=[], cls_name=None)] if error else []
    for kind in list(pipeline.instance.get_required_daemon_types())[:only]:
        pipeline.instance.add_daemon_heartbeat(DaemonHeartbeat(moment, kind, "a daemon", errors))


@pytest.fixture
def silence(module_pipeline: Pipeline) -> Iterator[Pipeline]:
    """The module's installation, with no daemon heard of."""
    module_pipeline.instance.wipe_daemon_heartbeats()
    yield module_pipeline


def test_an_instance_that_opens_is_green_and_a_daemon_that_never_ran_yellow(silence: Pipeline) -> None:
    found = look(silence)
    assert (found["instance"].level, found["runs"].level) == (Level.GREEN, Level.GREEN)
    assert str(silence.installation.home) in found["instance"].found
    assert (found["daemon"].level, found["daemon"].found) == (Level.YELLOW, "it has never run")
    assert "script/server" in found["daemon"].next_step


def test_a_daemon_that_runs_is_green(silence: Pipeline) -> None:
    beat(silence)
    found = look(silence)["daemon"]
    assert (found.level, found.found.partition(":")[0]) == (Level.GREEN, "it runs")


def test_a_daemon_that_was_ended_is_told_with_its_last_moment(silence: Pipeline) -> None:
    beat(silence, minutes_ago=10)
    found = look(silence)["daemon"]
    assert found.level is Level.YELLOW
    assert found.found.startswith("it does not run; last heard of at 20")


def test_a_part_that_is_silent_is_named(silence: Pipeline) -> None:
    beat(silence, minutes_ago=10)
    beat(silence, only=1)
    found = look(silence)["daemon"]
    assert found.level is Level.YELLOW
    assert found.found.startswith("parts of it are silent: ")


def test_a_part_that_reports_an_error_is_named_without_its_words(silence: Pipeline) -> None:
    beat(silence)
    beat(silence, only=1, error="postgresql://crm:Never-Shown-1@db/crm")
    found = look(silence)["daemon"]
    kind = next(iter(silence.instance.get_required_daemon_types()))
    assert (found.level, found.found) == (Level.YELLOW, f"parts of it report errors: {kind}")


def test_a_run_that_goes_on_for_too_long_is_told(silence: Pipeline) -> None:
    @dg.job
    def endless() -> None:
        """Never comes to an end."""

    run = silence.instance.create_run_for_job(endless)
    started = DagsterEvent(event_type_value=DagsterEventType.PIPELINE_START.value, job_name=run.job_name)
    silence.instance.report_dagster_event(started, run.run_id, logging.DEBUG)
    assert look(silence)["runs"].found == "1 going on, none for too long"
    found = look(silence, lambda: system_clock() + timedelta(hours=3))["runs"]
    assert (found.level, found.found) == (Level.YELLOW, "1 have been going on for more than 120 minutes")


def test_a_home_without_a_file_of_settings_is_red(
    silence: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").mkdir()
    (finding,) = look(silence).values()
    assert (finding.name, finding.level) == ("DAGSTER_HOME", Level.RED)
    assert "found a folder of that name" in finding.found


@pytest.mark.parametrize("text", ["storage: [", "storage: {postgres: {postgres_url: 5}}", "nonsense: 1"])
def test_a_file_of_settings_that_cannot_be_used_is_red(
    silence: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text(text, encoding="utf-8")
    (finding,) = look(silence).values()
    assert (finding.name, finding.level) == ("instance", Level.RED)
    assert "the instance does not open on its storage" in finding.found
    assert str(tmp_path / "dagster.yaml") in finding.next_step
