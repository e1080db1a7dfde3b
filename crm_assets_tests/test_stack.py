"""The processes of an installation, alive: webserver and daemon, a backfill through both, that they come back, and that they end.

What the UI's pages send is sent here. One stack serves the tests of this file; Dagster's daemon looks at backfills every half
minute, so they are launched first and looked at last.
"""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import dagster as dg
import psutil
import pytest

from crm_assets.browser.processes import SESSION_MARK
from crm_assets.cli.options import migrated
from crm_assets.errors import ConfigurationError
from crm_assets.model import Window
from crm_assets.pipeline.instance import open_instance
from crm_assets.pipeline.launcher import WatchedRunLauncher
from crm_assets.pipeline.partitions import range_tags
from crm_assets.sandbox import Sandbox
from crm_assets.settings import PROJECT_ROOT, Settings
from crm_assets.stack import DAEMON, LOG_BYTES, Patience, Stack, running
from crm_assets_tests.fixtures.dagster import OWN_ENVIRONMENT, Pipeline, at_this_moment, chain, keys, last_days
from crm_assets_tests.fixtures.postgres import in_memory
from crm_assets_tests.fixtures.sandbox import REPORTS, Installation
from crm_assets_tests.fixtures.stack import (
    BACKFILL,
    LAUNCH_BACKFILL,
    LAUNCH_RUN,
    TERMINATE_RUN,
    asked,
    execution_params,
    stop_sensors,
)

HOST = "127.0.0.1"
TD = chain(REPORTS["td"])
STORES = ("a668", "a817")
DAYS = 30
BACKFILL_SECONDS = 240
HURRIED = Patience(first_pause=0.1, look_every=0.2, ask_every=1)

RUNS = "{ runsOrError(limit: 1) { ... on Runs { results { id } } } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A pipeline, its running stack, and the backfill that was launched when it came up."""

    pipeline: Pipeline
    stack: Stack
    window: Window
    backfill: str


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """An installation without ``CRM_DATABASE_URL``: its embedded server is its own, and may be killed."""
    home, before = tmp_path_factory.mktemp("installation"), dict(os.environ)
    with (
        tempfile.TemporaryDirectory(prefix="crm-pg-", dir=in_memory(), ignore_cleanup_errors=True) as folder,
        Sandbox(None, at_this_moment()) as sandbox,
    ):
        environ = {"CRM_HOME": str(home), "CRM_LOCAL_DIR": folder, "CRM_PAGE_TIMEOUT_SECONDS": "15"}
        installation = Installation(sandbox=sandbox, home=home, environ=environ | dict(sandbox.secrets()))
        installation.write_stores()
        for name in [name for name in os.environ if name.startswith(OWN_ENVIRONMENT)]:
            del os.environ[name]
        os.environ.update(installation.environ)
        try:
            url = migrated(installation.settings)
            with open_instance(installation.settings) as instance:
                yield Pipeline(installation=installation, url=url, instance=instance)
            server = _postmaster(installation.settings)
            server.send_signal(signal.SIGINT)
            server.wait(timeout=60)
        finally:
            os.environ.clear()
            os.environ.update(before)


@pytest.fixture(scope="module")
def live(own_server: Pipeline) -> Iterator[Live]:
    """How the stack ends is looked at when it does."""
    window, settings = last_days(DAYS), own_server.installation.settings
    stop_sensors(own_server)
    _grown_log(settings, "dagster-daemon.log")
    family: list[psutil.Process] = []
    with pytest.raises(KeyboardInterrupt), running(settings, host=HOST, port=None, patience=HURRIED) as up:
        launched = asked(
            up.url,
            LAUNCH_BACKFILL,
            params={
                "assetSelection": [{"path": [asset]} for asset in TD],
                "partitionNames": [f"{day}|{store}" for day in window.days() for store in STORES],
            },
        )
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        yield Live(pipeline=own_server, stack=up, window=window, backfill=launched["backfillId"])
        family = _family(up)
        assert set(up.processes) == {"dagster-webserver", "dagster-daemon"}
        assert len(family) > 2
        raise KeyboardInterrupt
    assert _still_there(family) == [], "an exception leaves no process behind"


def _postmaster(settings: Settings) -> psutil.Process:
    pid_file = settings.local_dir / "postgres/postmaster.pid"
    return psutil.Process(int(pid_file.read_text().split()[0]))


def _grown_log(settings: Settings, name: str) -> None:
    (settings.local_dir / "log").mkdir(exist_ok=True)
    with (settings.local_dir / "log" / name).open("wb") as log_file:
        log_file.truncate(LOG_BYTES + 1)


def test_the_ui_knows_the_assets(live: Live) -> None:
    nodes = asked(live.stack.url, "{ assetNodes { assetKey { path } groupName } }")
    found = {node["assetKey"]["path"][-1] for node in nodes}
    assert found >= {asset for report in REPORTS.values() for asset in chain(report)}


def test_a_range_mixed_with_a_single_partition_is_refused_at_launch(live: Live) -> None:
    """What a backfill from a job's page sends: dagster-io/dagster#28861."""
    tags = range_tags("a668", live.window.first, live.window.last) | {
        "dagster/partition/store": "a668",
        "dagster/partition/date": str(live.window.first),
    }
    answer = asked(live.stack.url, LAUNCH_RUN, params=execution_params(tags, TD))
    assert answer["__typename"] == "PythonError"
    assert "28861" in answer["message"]
    started = [run for run in live.pipeline.instance.get_runs() if "dagster/partition/store" in run.tags]
    assert {run.status for run in started} <= {dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.FAILURE}


def test_a_run_that_is_cancelled_in_the_ui_ends_its_browser_and_tells_its_window(live: Live) -> None:
    sandbox = live.pipeline.sandbox
    run_id, browsers = _run_in_progress(live, "sector56")
    asked(live.stack.url, TERMINATE_RUN, id=run_id)
    _until(lambda: live.pipeline.instance.get_run_by_id(run_id).is_finished)  # type: ignore[union-attr]
    assert psutil.wait_procs(browsers, timeout=20)[1] == []
    (row,) = live.pipeline.rows("SELECT status, error_code FROM download_ledger WHERE run_id = %s", run_id)
    assert row == {"status": "failed", "error_code": "RunCancelled"}
    run = live.pipeline.instance.get_run_by_id(run_id)
    assert run
    assert run.status is dg.DagsterRunStatus.CANCELED
    sandbox.clear_faults()


def test_a_port_that_is_taken_is_named(live: Live) -> None:
    """Here by another webserver of Dagster's, which would have answered for ours."""
    port = int(live.stack.url.rsplit(":", 1)[1])
    before = set(psutil.Process().children())
    with (
        pytest.raises(ConfigurationError, match=rf"port {port} on 127\.0\.0\.1 is taken .*Give another one: --port"),
        running(live.pipeline.settings, host=HOST, port=port),
    ):
        pass
    assert set(psutil.Process().children()) == before


def test_a_backfill_from_the_asset_page_is_one_run_and_one_export_per_store(live: Live) -> None:
    backfill = _finished(live)
    assert backfill["status"] == "COMPLETED_SUCCESS", backfill
    tags = [{tag["key"]: tag["value"] for tag in run["tags"]} for run in backfill["runs"]]
    assert {run["status"] for run in backfill["runs"]} == {"SUCCESS"}
    assert sorted(run["store"] for run in tags) == list(STORES)
    assert live.pipeline.sandbox.log.exports == {f"td/{store}": 1 for store in STORES}
    expected = {key for store in STORES for key in keys(store, live.window)}
    assert len(expected) == DAYS * len(STORES)
    for asset in TD:
        assert live.pipeline.materialized(asset) == expected
    sold = sum(len(live.pipeline.sandbox.books.td_orders(store, live.window)) for store in STORES)
    assert len(live.pipeline.rows("SELECT FROM fact_td_orders")) == sold > 0


def test_no_secret_is_in_the_processes_logs(live: Live) -> None:
    passwords = [value for name, value in live.pipeline.sandbox.secrets().items() if name.endswith("_PASSWORD")]
    logs = "".join(path.read_text(errors="replace") for path in live.stack.log_dir.glob("*.log"))
    assert logs
    assert [password for password in passwords if password in logs] == []


def test_a_log_that_has_grown_is_put_aside(live: Live) -> None:
    log_file = live.stack.log_file(DAEMON)
    assert log_file.with_suffix(".log.1").stat().st_size == LOG_BYTES + 1
    assert 0 < log_file.stat().st_size < LOG_BYTES


def test_a_run_whose_process_is_gone_is_told_from_one_that_cannot_be_seen(live: Live) -> None:
    launcher = live.pipeline.instance.run_launcher
    assert isinstance(launcher, WatchedRunLauncher), "dagster.yaml names it"
    ended = live.pipeline.instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": live.backfill}))[0]
    assert launcher.check_run_worker_health(ended).status.value == "NOT_FOUND"
    by_command = live.pipeline.instance.create_run_for_job(dg.job(name="a_command")(lambda: None))
    assert launcher.check_run_worker_health(by_command).status.value == "RUNNING"


def test_what_is_killed_comes_back(live: Live, caplog: pytest.LogCaptureFixture) -> None:
    """The database; then webserver and daemon, with a run in progress. The last test of this file's stack: it leaves gaps."""
    stack, sandbox = live.stack, live.pipeline.sandbox
    logging.getLogger("crm_assets").addHandler(caplog.handler)
    database = _postmaster(live.pipeline.installation.settings)
    database.kill()
    database.wait()
    _until(lambda: _answers(stack, RUNS))
    run_id, browsers = _run_in_progress(live, "sushantlok1")
    family, sizes = _family(stack), {name: stack.log_file(name).stat().st_size for name in stack.processes}
    for process in list(stack.processes.values()):
        process.send_signal(signal.SIGKILL)
    sandbox.clear_faults()
    assert _still_there([*family, *browsers]) == []
    _until(lambda: _answers(stack, RUNS))
    _until(lambda: _statuses_of(live, run_id) == {"FAILURE", "SUCCESS"})  # the second run after the first
    logging.getLogger("crm_assets").removeHandler(caplog.handler)
    assert "the embedded PostgreSQL ended; it is started again" in caplog.text
    for name, size in sizes.items():
        assert (
            f"{name} ended with exit code -9; it is started again in 0.1 s. Its log: {stack.log_file(name)}"
            in caplog.text
        )
        assert stack.log_file(name).stat().st_size > size, "appended to"


@pytest.mark.parametrize(
    ("last", "ran_for", "pause"), [(None, 0, 1), (1, 0, 2), (2, 299, 4), (32, 0, 60), (60, 0, 60), (60, 300, 1)]
)
def test_the_pause_grows_until_something_runs_well(last: float | None, ran_for: float, pause: float) -> None:
    assert Patience().next_pause(last, ran_for) == pause


def test_a_webserver_that_ends_at_once_is_named_with_its_log(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A dagster.yaml that Dagster cannot read."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/dagster.yaml").write_text("storage: {there is: no such thing}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "broken"))
    before = set(psutil.Process().children())
    with (
        pytest.raises(ConfigurationError, match=r"dagster-\w+ ended with exit code \d.*Its log: .*\.log"),
        running(pipeline.settings, host=HOST, port=None),
    ):
        pass
    assert set(psutil.Process().children()) <= before


def test_sigterm_ends_the_block_like_ctrl_c() -> None:
    code = (
        "from crm_assets.stack import ended_by_signals, until_ended\n"
        "with ended_by_signals():\n    print('up', flush=True)\n    until_ended()\nprint('ended in order')\n"
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT)
        assert process.stdout
        with process.stdout:
            assert process.stdout.readline() == "up\n"
            process.send_signal(number)
            assert process.stdout.read() == "ended in order\n"
        assert process.wait(timeout=20) == 0


def _answers(up: Stack, query: str) -> bool:
    """Whether webserver and database answer."""
    try:
        return bool(asked(up.url, query))
    except (OSError, AssertionError):
        return False


def _run_in_progress(live: Live, store: str) -> tuple[str, list[psutil.Process]]:
    """A run in the middle of a slow export, and the processes of its browser."""
    sandbox, day = live.pipeline.sandbox, live.window.first
    sandbox.fault("slow", crm="uc", at=["export"], seconds=90)
    launched = asked(
        live.stack.url, LAUNCH_RUN, params=execution_params(range_tags(store, day, day), chain(REPORTS["uc"]))
    )
    _until(lambda: sandbox.log.logins[f"uc/{store}"] == 1)
    browsers = [each for each in psutil.process_iter() if _browser_of_run(each, live.stack)]
    assert browsers
    return launched["run"]["id"], browsers


def _statuses_of(live: Live, run_id: str) -> set[str]:
    """How the run and those that repeat it stand."""
    _, runs = live.pipeline.instance.get_run_group(run_id) or ("", [])
    return {run.status.value for run in runs}


def _finished(live: Live) -> Any:
    """The backfill once it is over, whichever way."""
    wait, found = Event(), dict[str, Any]()
    for _ in range(BACKFILL_SECONDS):
        found = asked(live.stack.url, BACKFILL, id=live.backfill)
        if found["status"] not in ("REQUESTED", "CANCELING", "FAILING"):
            return found
        wait.wait(1)
    raise AssertionError(f"not over after {BACKFILL_SECONDS} s: {found}")


def _until(true: Callable[[], bool], seconds: float = 90) -> None:
    wait = Event()
    for _ in range(int(seconds / 0.2)):
        if true():
            return
        wait.wait(0.2)
    raise AssertionError(f"not so after {seconds} s")


def _browser_of_run(process: psutil.Process, up: Stack) -> bool:
    """A browser that a run of this stack's daemon has started."""
    try:
        ours = {head.pid for head in up.processes.values()} & {parent.pid for parent in process.parents()}
        return bool(ours) and any(word.startswith(SESSION_MARK) for word in process.cmdline())
    except psutil.Error:
        return False


def _family(up: Stack) -> list[psutil.Process]:
    """The processes of a stack, and what they started."""
    heads = [psutil.Process(process.pid) for process in up.processes.values()]
    return [*heads, *(child for head in heads for child in head.children(recursive=True))]


def _still_there(family: list[psutil.Process]) -> list[psutil.Process]:
    """Those that go on after ten seconds. They are looked at, not waited for: that would take their exit codes from the stack."""
    ends_at = time.monotonic() + 10
    while (left := [process for process in family if _lives(process)]) and time.monotonic() < ends_at:
        Event().wait(0.1)
    return left


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
