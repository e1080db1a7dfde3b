"""The installed command against the sandbox: everything at once, its exit codes, and that it shows no secret."""

import json
from pathlib import Path
from typing import Any

import psycopg

from crm_assets.doctor.findings import SUBJECTS
from crm_assets_tests.doctor.servers import refused
from crm_assets_tests.fixtures.command import CommandLine, Ran

NOTHING_RUNS = {"CRM_BROWSER_PATH": "/nowhere/chrome"}


def objects(ran: Ran) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ran.out.splitlines()]


def levels(ran: Ran, subject: str) -> dict[str, str]:
    return {one["name"]: one["level"] for one in objects(ran) if one["subject"] == subject}


def assert_no_secret(command: CommandLine, ran: Ran) -> None:
    shown = ran.out + ran.err
    assert [name for name, secret in command.sandbox.secrets().items() if secret in shown] == []
    assert "Never-Shown" not in shown
    assert "Traceback" not in shown


def test_a_ready_installation_ends_with_0_and_a_table(crm_download: CommandLine) -> None:
    (crm_download.home / "logins.env").chmod(0o600)
    ran = crm_download("doctor")
    assert ran.code == 0, ran
    assert ran.out.splitlines()[-1].endswith(" ok, 2 to look at, 0 wrong"), ran.out  # Dagster's daemon does not run
    assert "✗" not in ran.out
    assert all(f" {subject} " in ran.out for subject in SUBJECTS)
    assert "→ Start it: script/server" in ran.out
    assert_no_secret(crm_download, ran)
    assert crm_download.sandbox.log.logins == {}


def test_a_broken_part_ends_with_1_and_stops_no_other(crm_download: CommandLine) -> None:
    port, stores = refused(), crm_download.home / "stores.yaml"
    reports = crm_download.sandbox.urls["reports"]
    stores.write_text(stores.read_text("utf-8").replace(reports, f"http://127.0.0.1:{port}"), "utf-8")
    with psycopg.connect(crm_download.url) as conn:
        conn.execute(
            "INSERT INTO store_session (crm, store, state, since, reason, error_code) "
            "VALUES ('td', 'a668', 'needs_person', now(), 'td/a668: an OTP is asked for. Run: it', 'OtpRequired')"
        )
    ran = crm_download("doctor", "--json", **NOTHING_RUNS)
    assert ran.code == 1, ran
    assert [one["subject"] for one in objects(ran)] == sorted(
        (one["subject"] for one in objects(ran)), key=SUBJECTS.index
    )
    assert levels(ran, "browser") == {"/nowhere/chrome": "red"}
    hosts = levels(ran, "host")
    assert hosts.pop(f"127.0.0.1:{port}") == "red"
    assert list(hosts.values()) == ["green"] * 3
    sessions = levels(ran, "session")
    assert sessions.pop("td/a668") == "red"
    assert list(sessions.values()) == ["green"] * 3
    assert set(levels(ran, "database").values()) == set(levels(ran, "disk").values()) == {"green"}
    assert all(one["next_step"] for one in objects(ran) if one["level"] != "green")
    assert_no_secret(crm_download, ran)


def test_without_the_database_the_rest_is_examined(crm_download: CommandLine) -> None:
    url = "postgresql://Never-Shown-1:Never-Shown-2@127.0.0.1:1/crm"
    ran = crm_download("doctor", "--json", CRM_DATABASE_URL=url, **NOTHING_RUNS)
    assert ran.code == 1, ran
    assert levels(ran, "database") == {"connection": "red"}
    assert levels(ran, "dagster") == {"instance": "yellow"}
    assert set(levels(ran, "session").values()) == {"green"}
    assert_no_secret(crm_download, ran)


def test_an_empty_database_is_a_matter_of_migrating(crm_download: CommandLine, empty_database: str) -> None:
    ran = crm_download("doctor", "--json", CRM_DATABASE_URL=empty_database, **NOTHING_RUNS)
    assert levels(ran, "database")["migrations"] == "yellow"
    (dagster,) = [one for one in objects(ran) if one["subject"] == "dagster"]
    assert (dagster["level"], dagster["next_step"]) == ("yellow", "Run: crm_download migrate")


def test_settings_that_do_not_load_are_all_there_is_to_say(crm_download: CommandLine, tmp_path: Path) -> None:
    ran = crm_download("doctor", "--json", CRM_HEADLESS="perhaps")
    (finding,) = objects(ran)
    assert ran.code == 1
    assert (finding["subject"], finding["name"], finding["level"]) == ("settings", "logins.env", "red")
    assert finding["found"] == "CRM_HEADLESS: expected true or false, found a text of 7 characters"
    assert finding["next_step"] == "Example: CRM_HEADLESS=true"
