"""Runs started by the command line: a process for each store, on the instance that the UI shows.

The sandbox's four stores over the same days, three times: first, again with two bad stores, and half a day later.
"""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Event
from typing import Any

import dagster as dg
import psutil
import pytest

from crm_assets.browser.processes import SESSION_MARK
from crm_assets.model import Window
from crm_assets.pipeline.launch import Launched, Task, launch
from crm_assets_tests.fixtures.dagster import Pipeline, books, busy_days, chain, failure_text, keys, last_days
from crm_assets_tests.fixtures.sandbox import ALL_STORES, REPORTS

DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Evening:
    """What one call of ``launch`` came to, by store, and how many exports each store had seen after it."""

    launched: Mapping[str, Launched]
    exports: Mapping[str, int]
    lines: Sequence[str]


def launched(pipeline: Pipeline, tasks: Sequence[Task]) -> Evening:
    with _log_lines() as lines:
        found = {str(one.task.store): one for one in launch(pipeline.settings, tasks)}
    return Evening(launched=found, exports=dict(pipeline.sandbox.log.exports), lines=lines)


@contextmanager
def _log_lines() -> Iterator[list[str]]:
    """What the runs' processes send home."""
    lines: list[str] = []

    class Remembering(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    log, handler = logging.getLogger("crm_assets"), Remembering()
    log.addHandler(handler)
    level = log.level
    log.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


@pytest.fixture(scope="module")
def window() -> Window:
    return last_days(DAYS)


@pytest.fixture(scope="module")
def tasks(module_pipeline: Pipeline, window: Window) -> dict[str, Task]:
    return {
        name: Task(store=module_pipeline.installation.store(name), report=REPORTS[name[:2]], window=window)
        for name in ALL_STORES
    }


@pytest.fixture(scope="module")
def first(module_pipeline: Pipeline, tasks: dict[str, Task]) -> Evening:
    """All four stores, nothing known before."""
    return launched(module_pipeline, list(tasks.values()))


@pytest.fixture(scope="module")
def second(module_pipeline: Pipeline, tasks: dict[str, Task], first: Evening) -> Evening:
    """The same again; but a817's password was changed, and Sushant Lok hands over a login page."""
    right = os.environ["CRM_TD_A817_PASSWORD"]
    os.environ["CRM_TD_A817_PASSWORD"] = "changed by someone"
    module_pipeline.sandbox.fault("html_instead_of_xlsx", crm="uc", store="sushantlok1", times=None)
    try:
        return launched(module_pipeline, list(tasks.values()))
    finally:
        os.environ["CRM_TD_A817_PASSWORD"] = right
        module_pipeline.sandbox.clear_faults()


@pytest.fixture(scope="module")
def third(module_pipeline: Pipeline, tasks: dict[str, Task], second: Evening) -> Evening:
    """Half a day later, one store of each CRM; the files are to be kept."""
    module_pipeline.sandbox.clock.advance(timedelta(hours=12))
    return launched(module_pipeline, [replace(tasks[name], keep_file=True) for name in ("td/a668", "uc/sector56")])


def test_every_store_is_fetched_with_one_export(first: Evening) -> None:
    assert {name: one.outcome.ok for name, one in first.launched.items()} == dict.fromkeys(ALL_STORES, True)
    assert first.exports == dict.fromkeys(ALL_STORES, 1)


def test_the_facts_are_what_the_portals_sold(module_pipeline: Pipeline, first: Evening, window: Window) -> None:
    for name, one in first.launched.items():
        assert one.outcome.inserted == len(books(module_pipeline.sandbox, name, window)) > DAYS
        assert (one.outcome.files, one.outcome.updated, one.outcome.unchanged, one.outcome.rejected) == (1, 0, 0, 0)
    sales = module_pipeline.rows("SELECT DISTINCT crm || '/' || store AS name, business_day FROM v_daily_sales")
    assert len(sales) == len(ALL_STORES) * DAYS


def test_each_store_has_a_run_of_its_own_on_the_instance(
    module_pipeline: Pipeline, first: Evening, window: Window
) -> None:
    for name, one in first.launched.items():
        run = module_pipeline.instance.get_run_by_id(one.outcome.run_id)
        assert run
        assert run.status is dg.DagsterRunStatus.SUCCESS
        code = name.split("/")[1]
        assert (run.tags["store"], run.tags["launched_by"]) == (code, "crm_download")
        assert run.tags["dagster/asset_partition_range_start"] == f"{window.first}|{code}"
        assert run.tags["dagster/asset_partition_range_end"] == f"{window.last}|{code}"
    assert len({one.outcome.run_id for one in first.launched.values()}) == len(ALL_STORES)


def test_every_partition_of_every_store_is_materialized(
    module_pipeline: Pipeline, first: Evening, window: Window
) -> None:
    for report in REPORTS.values():
        expected = {
            key for name in first.launched if name.startswith(report.crm) for key in keys(name.split("/")[1], window)
        }
        for asset in chain(report):
            assert module_pipeline.materialized(asset) == expected


def test_the_processes_send_their_log_lines_home(first: Evening, window: Window) -> None:
    for name in ALL_STORES:
        of_store = [line.rsplit("[", 2)[1].split("]")[0] for line in first.lines if f"[{name}]" in line]
        assert of_store == ["started", "signed in", "downloaded", "loaded"]


def test_a_second_run_changes_nothing(second: Evening, first: Evening) -> None:
    for name in ("td/a668", "uc/sector56"):
        before, again = first.launched[name].outcome, second.launched[name].outcome
        assert again.ok
        assert (again.inserted, again.updated, again.missing, again.rejected) == (0, 0, 0, 0)
        assert again.unchanged == before.inserted


def test_a_store_that_fails_says_why_and_stops_no_other(second: Evening) -> None:
    assert {name: one.outcome.error_code for name, one in second.launched.items()} == {
        "td/a668": None,
        "td/a817": "LoginRejected",
        "uc/sector56": None,
        "uc/sushantlok1": "NotAWorkbook",
    }
    assert not second.launched["td/a817"].outcome.ok
    assert "a817" in str(second.launched["td/a817"].outcome.error_message)


def test_a_failed_run_leaves_the_facts_as_they_were(module_pipeline: Pipeline, second: Evening, window: Window) -> None:
    for name in ("td/a817", "uc/sushantlok1"):
        report, code = REPORTS[name.split("/")[0]], name.split("/")[1]
        changed = module_pipeline.rows(
            f"SELECT store FROM {report.fact_table} WHERE store = %s AND changed_at <> first_seen_at",  # noqa: S608
            code,
        )
        assert changed == []
        (run,) = [one.outcome.run_id for key, one in second.launched.items() if key == name]
        (ledger,) = module_pipeline.rows("SELECT status, stored_name FROM download_ledger WHERE run_id = %s", run)
        assert ledger == {"status": "failed", "stored_name": None}
        found = module_pipeline.instance.get_run_by_id(run)
        assert found
        assert found.status is dg.DagsterRunStatus.FAILURE


def test_half_a_day_later_the_changes_arrive_with_their_history(
    module_pipeline: Pipeline, third: Evening, window: Window
) -> None:
    outcome = third.launched["td/a668"].outcome
    assert outcome.ok
    assert (outcome.inserted, outcome.missing) == (0, 0)
    assert outcome.updated > 0
    assert outcome.unchanged > 0
    statuses = {row["Order No."]: row["Order Status"] for row in books(module_pipeline.sandbox, "td/a668", window)}
    facts = module_pipeline.rows("SELECT order_number, order_status FROM fact_td_orders WHERE store = 'a668'")
    assert {row["order_number"]: row["order_status"] for row in facts} == statuses
    history = module_pipeline.rows("SELECT * FROM fact_td_orders_history WHERE store = 'a668'")
    assert len(history) == outcome.updated
    moved = [row for row in history if "order_status" in row["new"]]
    assert moved
    assert all(
        statuses[row["order_number"]] == row["new"]["order_status"] != row["old"]["order_status"] for row in moved
    )


def test_the_tasks_choice_to_keep_the_files_is_followed(
    module_pipeline: Pipeline, third: Evening, window: Window
) -> None:
    assert len(third.launched) == 2
    assert module_pipeline.files == [
        f"TD_OrderReport_UttamNagar_{window.first}_to_{window.last}.xlsx",
        f"UC_GST_Sector56Gurugram_{window.first}_to_{window.last}.xlsx",
    ]


def test_a_killed_run_does_not_stay_running(pipeline: Pipeline) -> None:
    """The machine's OOM killer leaves no time for a word; the next run closes the books, and no browser outlives it."""
    window = busy_days(pipeline.sandbox, "uc/sector56")
    pipeline.sandbox.fault("slow", crm="uc", store="sector56", at=["export"], seconds=60)
    arguments = [
        "download",
        "--crm",
        "uc",
        "--store",
        "sector56",
        "--from",
        str(window.first),
        "--to",
        str(window.last),
    ]
    command = [sys.executable, "-c", "from crm_assets.cli import main; main()", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until(lambda: pipeline.sandbox.log.logins["uc/sector56"] == 1)
        browsers = _browsers()
        assert browsers
        _kill_python(psutil.Process(process.pid))
    finally:
        process.kill()
        process.wait()
    assert [row["status"] for row in pipeline.ledger()] == ["running"]
    psutil.wait_procs(browsers, timeout=20)
    assert [browser for browser in browsers if browser.is_running()] == []

    pipeline.sandbox.clear_faults()
    result = pipeline.fetch("uc/sector56", window)
    assert result.success, failure_text(result)
    abandoned, good = pipeline.ledger()
    assert (abandoned["status"], abandoned["error_code"]) == ("failed", "Abandoned")
    assert abandoned["finished_at"] is not None
    assert (good["status"], good["row_count"]) == ("ingested", len(books(pipeline.sandbox, "uc/sector56", window)))


def test_a_killed_process_takes_no_other_store_with_it(pipeline: Pipeline) -> None:
    """Both are at their export when one store's process is killed there."""
    window = busy_days(pipeline.sandbox, "uc/sector56", "uc/sushantlok1")
    pipeline.sandbox.fault("slow", crm="uc", at=["export"], seconds=12)
    tasks = [
        Task(store=pipeline.installation.store(name), report=REPORTS["uc"], window=window)
        for name in ("uc/sector56", "uc/sushantlok1")
    ]

    def kill_one() -> None:
        _until(lambda: pipeline.sandbox.log.logins.total() == 2)
        at_work = {parent.pid for browser in _browsers() for parent in browser.parents() if _is_run(parent)}
        psutil.Process(at_work.pop()).kill()

    with ThreadPoolExecutor() as thread:
        killed = thread.submit(kill_one)
        outcomes = [one.outcome for one in launch(pipeline.settings, tasks)]
        killed.result()
    (good,) = [one for one in outcomes if one.ok]
    (bad,) = [one for one in outcomes if not one.ok]
    assert bad.error_code == "Abandoned"
    runs = {one: pipeline.instance.get_run_by_id(one.run_id) for one in (good, bad)}
    assert {one: run and run.status for one, run in runs.items()} == {
        good: dg.DagsterRunStatus.SUCCESS,
        bad: dg.DagsterRunStatus.FAILURE,
    }


def _is_run(process: psutil.Process) -> bool:
    """Whether this is one of the processes that the fork server made for a run."""
    parent = process.parent()
    return "python" in process.name() and parent is not None and "forkserver" in " ".join(parent.cmdline())


def _until(true: Any, seconds: float = 60) -> None:
    wait = Event()
    for _ in range(int(seconds / 0.1)):
        if true():
            return
        wait.wait(0.1)
    raise AssertionError(f"not so after {seconds} s")


def _browsers() -> list[psutil.Process]:
    """The browsers that this process's runs have open; another suite's may be open beside them."""
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if any(word.startswith(SESSION_MARK) for word in _words(process))
    ]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _kill_python(process: psutil.Process) -> None:
    """SIGKILL for the command and every process of its own making that runs our code."""
    ours = [one for one in [process, *process.children(recursive=True)] if "python" in one.name()]
    for one in ours:
        one.send_signal(signal.SIGKILL)
    psutil.wait_procs(ours[1:], timeout=10)
