"""What people see at a terminal: bars while runs go on, tables that cut nothing off, sentences for failures."""

import json
import logging
import os
import pty
import re
import subprocess
from datetime import date
from decimal import Decimal

import pytest

from crm_assets import terminal
from crm_assets.errors import PortalUnavailable
from crm_assets.model import Store
from crm_assets.pipeline.launch import Launched, Task
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.warehouse.outcomes import RunOutcome
from crm_assets.warehouse.overview import StoreSales
from crm_assets_tests.fixtures.command import COMMAND, CommandLine
from crm_assets_tests.fixtures.sandbox import days

WINDOW = days("2026-02-13", "2026-02-14")
LONGEST_NAME = PortalUnavailable.__name__


def ended(store: str = "a668", **outcome: object) -> Launched:
    """A finished run; good, with nothing in it, unless told."""
    found = RunOutcome(
        **{
            "run_id": "run-1",
            "files": 1,
            "complete": True,
            **dict.fromkeys(("inserted", "updated", "unchanged", "rejected", "missing"), 0),
            "error_code": None,
            "error_message": None,
            "evidence": None,
            **outcome,
        }
    )
    where = Store(crm="td", code=store, name="Uttam Nagar", first_day=date(2026, 1, 1))
    task = Task(store=where, report=ORDER_REPORT, window=WINDOW)
    return Launched(task=task, outcome=found)


def cells(out: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in out.splitlines() if line[:1] == "│"]


def seen_on_a_terminal(*arguments: str, environ: dict[str, str]) -> tuple[int, str]:
    """Exit code and screen of the command under a pseudo terminal, colours and cursor moves taken out."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [COMMAND, *arguments],
        env=environ | {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        screen = b"".join(iter(lambda: read_terminal(ours), b"")).decode()
        os.close(ours)
    return process.returncode, re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen)


def read_terminal(terminal_end: int) -> bytes:
    try:
        return os.read(terminal_end, 65536)
    except OSError:  # Linux says so when the last process has closed its end
        return b""


def test_a_terminal_shows_a_bar_per_store_and_no_log_lines(crm_download: CommandLine) -> None:
    crm_download.write_logins(CRM_TD_A668_PASSWORD="wrong")
    code, screen = seen_on_a_terminal(
        "download", "--crm", "td", "--store", "all", "--from", "today", environ=crm_download.environ
    )
    assert code == 3, screen
    for store, events in {
        "td/a817": ("waiting", "started", "signed in", "downloaded", "done"),
        "td/a668": ("waiting", "started", "LoginRejected"),
    }.items():
        for event in events:
            assert re.search(rf"{store} +[━╸╺]+ \d:\d\d:\d\d {event}", screen), (store, event, screen)
    assert "] [started]" not in screen
    assert "Traceback" not in screen
    assert "run: crm_download bootstrap --crm td --store a668" in screen
    assert cells(screen)[-1][-1] == "good"


def test_results_are_in_the_stores_order_with_their_counts(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_results([ended("b2", inserted=5, rejected=1), ended("a1", updated=2, unchanged=3)])
    assert cells(capsys.readouterr().out) == [
        ["td/a1", "order_report", str(WINDOW), "0", "2", "3", "0", "good"],
        ["td/b2", "order_report", str(WINDOW), "5", "0", "0", "1", "good"],
    ]


def test_nothing_is_cut_off_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    terminal.show_results([ended("sushantlok1", error_code=LONGEST_NAME, error_message="why " * 60)])
    out = capsys.readouterr().out
    assert cells(out) == [["td/sushantlok1", "order_report", str(WINDOW), "0", "0", "0", "0", LONGEST_NAME]]
    assert out.splitlines()[-2:] == [f"td/sushantlok1: {'why ' * 60}", f"Next: {PortalUnavailable.next_step}"]


def test_an_errors_name_is_whole_on_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    terminal.show_results([ended("sushantlok1", error_code=LONGEST_NAME, error_message="why")])
    assert "".join(row[-1] for row in cells(capsys.readouterr().out)) == LONGEST_NAME


def test_brackets_in_an_error_are_text_and_not_a_style(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_results([ended(error_code="BadReport", error_message="expected [red] found [/red]")])
    assert "td/a668: expected [red] found [/red]" in capsys.readouterr().out


def test_a_failure_names_its_store_once() -> None:
    named = ended(error_code="OtpRequired", error_message="td/a668: an OTP is asked for")
    unnamed = ended(error_code="BrowserMissing", error_message="no browser")
    assert terminal.failure_text(named) == "td/a668: an OTP is asked for"
    assert terminal.failure_text(unnamed) == "td/a668: no browser"


def test_a_command_is_given_once_however_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    command = "crm_download bootstrap --crm td --store a668"
    for message in ("td/a668: an OTP is asked for", f"td/a668: an OTP is asked for. Run: {command}"):
        one = ended(error_code="OtpRequired", error_message=message)
        terminal.show_results([one])
        assert capsys.readouterr().out.count(command) == 1
        assert terminal.as_object(one)["command"] == command


def test_a_run_that_ended_without_a_word_says_where_its_log_is(capsys: pytest.CaptureFixture[str]) -> None:
    silent = ended(complete=False)
    assert "its log is in the Dagster UI: run run-1" in terminal.failure_text(silent)
    terminal.show_results([silent])
    assert cells(capsys.readouterr().out)[0][-1] == "ended early"


def test_an_object_is_json_with_the_window_and_every_count() -> None:
    good = json.loads(json.dumps(terminal.as_object(ended(inserted=5, missing=2))))
    assert good == {
        "store": "td/a668",
        "report": "order_report",
        "from": "2026-02-13",
        "to": "2026-02-14",
        "ok": True,
        "skipped": False,
        "run_id": "run-1",
        "files": 1,
        "inserted": 5,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
        "missing": 2,
        "error_code": None,
        "error_message": None,
        "next_step": None,
        "command": None,
        "evidence": None,
    }
    silent = terminal.as_object(ended(complete=False))
    assert (silent["ok"], silent["error_code"]) == (False, None)
    assert "its log is in the Dagster UI" in silent["error_message"]


def test_sales_are_written_in_rupees_beside_the_stores_name(capsys: pytest.CaptureFixture[str]) -> None:
    one = StoreSales(
        crm="td",
        store="a668",
        first_day=WINDOW.first,
        last_day=WINDOW.last,
        days=2,
        orders=7,
        order_amount=Decimal("1234567.5"),
    )
    terminal.show_sales([one], [ended().task.store], WINDOW)
    out = capsys.readouterr().out
    assert "Sales of 2026-02-13 to 2026-02-14" in out
    assert cells(out) == [["td/a668", "Uttam Nagar", "2", "7", "1,234,567.50"]]


def test_without_a_terminal_the_runs_are_told_in_log_lines(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("crm_assets")
    before = log.handlers[:], log.level, log.propagate
    try:
        runs = [ended()]
        assert terminal.collected(iter(runs), [one.task for one in runs]) == runs
        log.info("[%s] [%s] [%s]", "td/a668", "started", "-", extra={"store": "td/a668"})
    finally:
        log.handlers[:], log.propagate = before[0], before[2]
        log.setLevel(before[1])
    assert re.fullmatch(r"\[[^]]+\] \[td/a668\] \[started\] \[-\]\n", capsys.readouterr().err)
