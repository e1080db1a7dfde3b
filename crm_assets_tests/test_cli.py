"""The installed command against the sandbox: what it loads, what it says, and the exit code that cron reads."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import psycopg
import pytest
import yaml

from crm_assets.model import business_day, system_clock
from crm_assets.sandbox import SandboxOptions
from crm_assets_tests.fixtures.command import (
    CommandLine,
    Ran,
    clean_environment,
    finished,
    new_checkout,
    new_command_line,
    reachable,
    read_until,
)
from crm_assets_tests.fixtures.sandbox import ALL_STORES, days

TODAY = business_day(system_clock)
FIRST_DAY = TODAY - timedelta(days=3)
LINE = re.compile(r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+05:30\] \[[a-z]+/[a-z0-9]+\] \[[a-z ]+\] \[[^\n]+\]")
COMMANDS = ("download", "bootstrap", "migrate", "stores", "sandbox", "demo", "server")


def ago(count: int) -> str:
    return str(TODAY - timedelta(days=count))


def lines_of(ran: Ran, store: str) -> list[str]:
    return [line for line in ran.err.splitlines() if f"[{store}]" in line]


def row_of(ran: Ran, store: str) -> list[str]:
    """A store's cells in the table."""
    (row,) = [line for line in ran.out.splitlines() if line.startswith("│") and f" {store} " in line]
    return [cell.strip() for cell in row.strip("│").split("│")]


def assert_refused(ran: Ran, code: int, *sentences: str) -> None:
    """Ended with this code, nothing on standard output, the sentences on standard error, and no traceback."""
    assert ran.code == code, ran
    assert ran.out == ""
    assert "Traceback" not in ran.err
    for sentence in sentences:
        assert sentence in ran.said


# What a store's day-to-day looks like: one installation, from its first download on.


@pytest.fixture(scope="module")
def growing(
    postgres_url: str, dagster_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CommandLine]:
    home = tmp_path_factory.mktemp("growing")
    with new_command_line(postgres_url, dagster_template, home, SandboxOptions(first_day=FIRST_DAY)) as command:
        yield command


@pytest.fixture(scope="module")
def first_time(growing: CommandLine) -> Ran:
    return growing("download", "--crm", "td", "--store", "a817", "--to", ago(1), "--json")


@pytest.fixture(scope="module")
def second_time(growing: CommandLine, first_time: Ran) -> Ran:
    assert first_time.code == 0
    return growing("download", "--crm", "td", "--store", "a817", "--keep-files", "--headless")


def test_the_first_time_it_loads_everything_from_the_first_day_of_the_store(
    growing: CommandLine, first_time: Ran
) -> None:
    window = days(FIRST_DAY, ago(1))
    assert first_time.code == 0, first_time
    assert growing.sold("td/a817", window)
    assert growing.loaded("td/a817") >= growing.sold("td/a817", window)


def test_json_is_one_object_per_store_on_standard_output(growing: CommandLine, first_time: Ran) -> None:
    (line,) = first_time.out.splitlines()
    result = first_time.objects["td/a817"]
    assert line.startswith("{")
    assert (result["from"], result["to"], result["ok"], result["files"]) == (str(FIRST_DAY), ago(1), True, 1)
    assert result["inserted"] == len(growing.sold("td/a817", days(FIRST_DAY, ago(1))))
    assert (result["updated"], result["unchanged"], result["rejected"], result["missing"]) == (0, 0, 0, 0)
    assert result["error_code"] is None
    assert result["error_message"] is None


def test_log_lines_go_to_standard_error_and_say_when_which_store_what_and_which_file(first_time: Ran) -> None:
    lines = first_time.err.splitlines()
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    events = [re.findall(r"\[([^\]]*)\]", line)[2] for line in lines]
    assert events == ["started", "signed in", "downloaded", "loaded"]
    assert f"[td/a817] [downloaded] [TD_OrderReport_KirtiNagar_{FIRST_DAY}_to_{ago(1)}.xlsx]" in first_time.err


def test_the_run_is_on_the_dagster_instance_for_the_ui_to_show(growing: CommandLine, first_time: Ran) -> None:
    with psycopg.connect(growing.url) as conn:
        run = conn.execute(
            "SELECT status FROM dagster.runs WHERE run_id = %s", [first_time.objects["td/a817"]["run_id"]]
        ).fetchone()
        tags = dict(
            conn.execute(
                "SELECT key, value FROM dagster.run_tags WHERE run_id = %s",
                [first_time.objects["td/a817"]["run_id"]],
            ).fetchall()
        )
    assert run == ("SUCCESS",)
    assert (tags["store"], tags["launched_by"]) == ("a817", "crm_download")


def test_the_second_time_it_starts_at_the_last_day_it_knows(growing: CommandLine, second_time: Ran) -> None:
    assert second_time.code == 0, second_time
    _, _, window, new, changed, unchanged, rejected, result = row_of(second_time, "td/a817")
    yesterday, today = growing.sold("td/a817", days(ago(1))), growing.sold("td/a817", days(TODAY))
    assert window == f"{ago(1)} to {TODAY}"
    assert (int(new), int(changed) + int(unchanged), rejected) == (len(today), len(yesterday), "0")
    assert result == "good"


def test_files_go_after_loading_unless_they_are_to_be_kept(growing: CommandLine, second_time: Ran) -> None:
    assert second_time.code == 0
    assert growing.files == [f"TD_OrderReport_KirtiNagar_{ago(1)}_to_{TODAY}.xlsx"]


def test_stores_shows_which_have_a_login_and_a_session(growing: CommandLine, second_time: Ran) -> None:
    assert second_time.code == 0
    growing.write_logins(CRM_TD_A668_PASSWORD="")
    shown = growing("stores")
    assert shown.code == 0
    assert {store: row_of(shown, store)[-2:] for store in ALL_STORES} == {
        "td/a668": ["not set", "none"],
        "td/a817": ["set", "saved"],
        "uc/sector56": ["set", "none"],
        "uc/sushantlok1": ["set", "none"],
    }
    assert not [secret for secret in growing.sandbox.secrets().values() if secret in shown.said]


def test_all_stores_of_a_crm_load_beside_each_other(crm_download: CommandLine) -> None:
    ran = crm_download("download", "--crm", "uc", "--store", "all", "--from", "today", "--to", "today")
    assert ran.code == 0, ran
    for store in ("uc/sector56", "uc/sushantlok1"):
        assert row_of(ran, store)[2] == f"{TODAY} to {TODAY}"
        assert row_of(ran, store)[-1] == "good"
        assert crm_download.loaded(store) == crm_download.sold(store, days(TODAY))
    assert crm_download.loaded("td/a668") == set()


# Bad days: one store's trouble is its own, and the exit code names the gravest.


def test_a_login_page_instead_of_a_workbook_ends_with_1_and_the_other_store_loads(crm_download: CommandLine) -> None:
    crm_download.sandbox.fault("html_instead_of_xlsx", crm="td", store="a668")
    ran = crm_download("download", "--crm", "td", "--store", "all", "--from", ago(1), "--to", ago(1))
    assert ran.code == 1, ran
    assert row_of(ran, "td/a668")[-1] == "NotAWorkbook"
    assert row_of(ran, "td/a817")[-1] == "good"
    assert crm_download.loaded("td/a817") == crm_download.sold("td/a817", days(ago(1)))
    assert crm_download.loaded("td/a668") == set()
    assert "td/a668: expected an .xlsx workbook" in ran.out
    assert "Traceback" not in ran.said


def test_a_portal_out_of_order_ends_with_1_and_the_other_store_loads(crm_download: CommandLine) -> None:
    crm_download.sandbox.fault("502", crm="uc", store="sector56", times=None)
    ran = crm_download("download", "--crm", "uc", "--store", "all", "--from", ago(1), "--to", ago(1), "--json")
    assert ran.code == 1, ran
    failed, good = ran.objects["uc/sector56"], ran.objects["uc/sushantlok1"]
    assert (failed["ok"], failed["error_code"]) == (False, "PortalUnavailable")
    assert "502" in failed["error_message"]
    assert "[failed] [uc/sector56: " in ran.err
    assert (good["ok"], good["error_code"]) == (True, None)
    assert crm_download.loaded("uc/sushantlok1") == crm_download.sold("uc/sushantlok1", days(ago(1)))
    assert crm_download.loaded("uc/sector56") == set()


def test_a_wrong_password_ends_with_3_names_the_remedy_and_shows_no_secret(crm_download: CommandLine) -> None:
    crm_download.write_logins(CRM_TD_A817_PASSWORD="Never-Shown-1")
    ran = crm_download("download", "--crm", "td", "--store", "a817", "--from", "today")
    assert ran.code == 3, ran
    assert row_of(ran, "td/a817")[-1] == "LoginRejected"
    assert "run: crm_download bootstrap --crm td --store a817" in ran.said
    assert crm_download.sandbox.log.rejected_logins["td/a817"] == 1
    for secret in ("Never-Shown-1", *crm_download.sandbox.secrets().values()):
        assert secret not in ran.said


def test_no_browser_ends_with_4_and_names_the_setting(crm_download: CommandLine) -> None:
    nothing = str(crm_download.home / "no-browser-here")
    ran = crm_download("download", "--crm", "td", "--store", "a817", "--from", "today", CRM_BROWSER_PATH=nothing)
    assert ran.code == 4, ran
    assert row_of(ran, "td/a817")[-1] == "BrowserMissing"
    assert f"CRM_BROWSER_PATH: expected a browser, found none at {nothing}" in ran.said
    assert "Traceback" not in ran.said


def test_a_killed_download_leaves_no_process_and_no_run_under_way(crm_download: CommandLine) -> None:
    crm_download.sandbox.fault("slow", seconds=120)
    with crm_download.started("download", "--crm", "td", "--store", "a817", "--from", "today") as process:
        read_until(process.stderr, "[td/a817] [started]")
        browser_and_all = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        assert process.wait(timeout=20) == -signal.SIGKILL
        assert psutil.wait_procs(browser_and_all, timeout=60)[1] == []
    with psycopg.connect(crm_download.url) as conn:
        assert conn.execute("SELECT status FROM dagster.runs").fetchall() == [("FAILURE",)]


# Refused before a browser or a run: the installation is wrong.

A_DOWNLOAD = ("download", "--crm", "td", "--store", "a817", "--from", "today")


@pytest.fixture(scope="module")
def unused(postgres_url: str, dagster_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """An installation in which no command gets as far as to change anything."""
    with new_command_line(postgres_url, dagster_template, tmp_path_factory.mktemp("unused")) as command:
        yield command
    assert command.sandbox.log.logins == {}
    assert command.files == []


def test_a_database_that_does_not_answer_ends_with_4_and_shows_no_password(unused: CommandLine) -> None:
    ran = unused(*A_DOWNLOAD, CRM_DATABASE_URL="postgresql://crm:Never-Shown-1@127.0.0.1:1/crm")
    assert_refused(ran, 4, "database 'crm' on 127.0.0.1:1")
    assert "Never-Shown-1" not in ran.said
    assert unused.sandbox.log.logins == {}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CRM_HEADLESS", "perhaps", "CRM_HEADLESS: expected true or false, found a text of 7 characters"),
        ("CRM_DATABASE_URL", "mysql://Never-Shown-1/crm", "CRM_DATABASE_URL: expected PostgreSQL URL"),
        ("CRM_STORE_DEADLINE_S", "soon", "Example: CRM_STORE_DEADLINE_S=300"),
        ("CRM_KEEP_FILE", "true", "CRM_KEEP_FILE: unknown setting. Did you mean CRM_KEEP_FILES?"),
        ("CRM_ENV_FILE", "nowhere.env", "CRM_ENV_FILE: expected a file of NAME=value lines, found nothing at"),
        ("CRM_STORES_FILE", "nowhere.yaml", "CRM_STORES_FILE: expected the store list, found no file at"),
    ],
)
def test_a_wrong_setting_ends_with_4_and_says_what_was_expected(
    unused: CommandLine, name: str, value: str, sentence: str
) -> None:
    ran = unused(*A_DOWNLOAD, **{name: value})
    assert_refused(ran, 4, sentence)
    assert "Never-Shown-1" not in ran.said


def test_a_portal_that_is_no_module_ends_with_4(crm_download: CommandLine) -> None:
    stores = crm_download.home / "stores.yaml"
    stores.write_text(stores.read_text(encoding="utf-8").replace("portals.tumbledry", "portals.tumbledr"), "utf-8")
    assert_refused(crm_download("stores"), 4, "expected portal 'crm_assets.portals.tumbledr' to be a module")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--crm", "xx", "--store", "all"), "unknown CRM 'xx': expected one of td, uc"),
        (("--crm", "td", "--store", "a1"), "unknown store td/a1: expected one of a668, a817 or 'all'"),
        (("--crm", "td", "--store", "all", "--from", ago(1), "--to", ago(2)), "give the earlier day first"),
        (("--crm", "td", "--store", "all", "--to", ago(-2)), f"{ago(-2)} is in the future; in Kolkata it is"),
        (("--crm", "td", "--store", "all", "--from", "2020-01-01"), "2020-01-01 is before"),
        (("--crm", "td", "--store", "all", "--to", "2020-01-01"), "2020-01-01 is before"),
        (
            ("--crm", "td", "--store", "all", "--from", "12/11/2025"),
            "--from: expected YYYY-MM-DD, today or yesterday, found '12/11/2025'",
        ),
        (("--crm", "td", "--store", "all", "--too", "today"), "No such option: --too"),
        (("--crm", "td"), "Missing option '--store'"),
    ],
)
def test_a_wrong_usage_ends_with_2_and_says_what_was_expected(
    unused: CommandLine, arguments: tuple[str, ...], sentence: str
) -> None:
    assert_refused(unused("download", *arguments), 2, sentence)
    assert unused.sandbox.log.logins == {}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--crm", "xx", "--store", "a668"), "unknown CRM 'xx'"),
        (("--crm", "td", "--store", "a1"), "unknown store td/a1"),
        (("--crm", "td"), "Missing option '--store'"),
    ],
)
def test_bootstrap_refuses_what_it_does_not_know(
    unused: CommandLine, arguments: tuple[str, ...], sentence: str
) -> None:
    assert_refused(unused("bootstrap", *arguments), 2, sentence)


def test_migrate_brings_an_empty_database_up_to_date_and_twice_does_no_harm(
    unused: CommandLine, empty_database: str
) -> None:
    first, second = (unused("migrate", CRM_DATABASE_URL=empty_database) for _ in range(2))
    assert (first.code, second.code) == (0, 0)
    assert "0001_ledger_and_audit, 0002_" in first.said
    assert "nothing to do, every migration is applied" in second.said


# The sandbox by hand.


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_sandbox_serves_until_it_is_ended_and_leaves_nothing_behind(tmp_path: Path, end: signal.Signals) -> None:
    checkout = new_checkout(tmp_path)
    with checkout.started("sandbox", "--pace", "instant") as process:
        told = read_until(process.stdout, "crm_download stores")
        urls = dict(re.findall(r"^# (\w+) +(http://127\.0\.0\.1:\d+)$", told, re.MULTILINE))
        stores = yaml.safe_load(told.split("# stores.yaml\n")[1].split("\n# Use it")[0])
        env_file = re.search(r"CRM_ENV_FILE=(\S+) crm_download stores", told)
        assert env_file
        assert stores["crms"]["td"]["site"]["subs"] == urls["subs"]
        assert re.search(r"^CRM_TD_A668_PASSWORD='\S+'$", told, re.MULTILINE)
        assert reachable(urls["control"])
        listed = checkout("stores", CRM_ENV_FILE=env_file[1])
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(end)
        assert process.wait(timeout=20) == 0
    assert listed.code == 0, listed
    assert not reachable(urls["control"])
    assert psutil.wait_procs(children, timeout=10)[1] == []


# The door is light.


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_says_what_it_does(command: str) -> None:
    ran = finished((command, "--help"), clean_environment())
    assert ran.code == 0
    assert f"Usage: crm_download {command}" in ran.said
    assert ran.err == ""


def test_without_a_command_it_lists_them_all() -> None:
    ran = finished((), clean_environment())
    assert all(re.search(rf"\b{command} +\w", ran.said) for command in COMMANDS)


def test_the_command_is_imported_without_dagster_pandas_or_playwright() -> None:
    seen = subprocess.run(
        [sys.executable, "-c", "import sys, crm_assets.cli; print(*{name.split('.')[0] for name in sys.modules})"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(seen.stdout.split())
    assert "typer" in loaded
    assert loaded & {"dagster", "pandas", "playwright", "psycopg", "starlette", "sqlalchemy"} == set()
