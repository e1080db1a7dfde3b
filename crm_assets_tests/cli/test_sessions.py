"""``crm_download sessions``: three saved sessions of four accounts, looked at, tested, sealed, sealed anew and forgotten.

One installation from the first test to the last; each stage is a fixture that the next one builds on.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crm_assets.account import profiles_of
from crm_assets.model import AccountState, system_clock
from crm_assets.settings import load_settings
from crm_assets.warehouse import sessions
from crm_assets_tests.cli.accounts import account_of
from crm_assets_tests.fixtures.command import CommandLine, Ran, new_command_line
from crm_assets_tests.fixtures.sandbox import ALL_STORES

SAVED = ("td/a817", "uc/sector56", "uc/sushantlok1")
OLD, NEW = "0a" * 32, "0b" * 32
UNSAFE = "crm_download bootstrap --crm uc --store sector56"

type Stage = dict[str, Ran]


@pytest.fixture(scope="module")
def command(
    postgres_url: str, dagster_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CommandLine]:
    with new_command_line(postgres_url, dagster_template, tmp_path_factory.mktemp("sessions")) as command:
        for crm, store in (("td", "a817"), ("uc", "all")):
            ran = command("bootstrap", "--crm", crm, "--store", store, "--terminal")
            assert ran.code == 0, ran
        yield command


@pytest.fixture(scope="module")
def contents(command: CommandLine) -> list[str]:
    """Every name, host and value of the saved sessions, as they are before they are sealed."""
    return [text for store in SAVED for text in texts_of(json.loads(profile_of(command, store).read_bytes()))]


@pytest.fixture(scope="module")
def plain(command: CommandLine, contents: list[str]) -> Stage:
    """Looked at and tested as they were saved; then one of them has ended."""
    assert contents
    ran = {
        "list": command("sessions", "list"),
        "list json": command("sessions", "list", "--json"),
        "show": command("sessions", "show", "--crm", "uc", "--store", "sector56"),
        "show json": command("sessions", "show", "--crm", "td", "--store", "all", "--json"),
        "test": command("sessions", "test", "--crm", "uc"),
        "test none": command("sessions", "test", "--crm", "td", "--store", "a668"),
        "seal": command("sessions", "seal"),
    }
    command.sandbox.fault("session_expired", crm="uc", store="sector56")
    ran["test ended"] = command("sessions", "test", "--crm", "uc")
    return ran


@pytest.fixture(scope="module")
def sealed(command: CommandLine, plain: Stage) -> Stage:
    """Sealed, while one account waits for a person."""
    assert plain
    leave_to_a_person(command, "uc/sector56")
    seal = ("sessions", "seal")
    return {
        "seal": command(*seal, CRM_PROFILE_KEY=OLD),
        "again": command(*seal, CRM_PROFILE_KEY=OLD),
        "list": command("sessions", "list", "--json", CRM_PROFILE_KEY=OLD),
        "unattended": command("download", "--crm", "uc", "--store", "sector56", "--json", CRM_PROFILE_KEY=OLD),
        "test": command("sessions", "test", "--crm", "uc", "--store", "sector56", CRM_PROFILE_KEY=OLD),
    }


@pytest.fixture(scope="module")
def rotated(command: CommandLine, sealed: Stage) -> Stage:
    """Sealed with another key, and the old one gone."""
    assert sealed
    return {
        "rotate": command("sessions", "rotate-key", CRM_PROFILE_KEY=f"{NEW},{OLD}"),
        "test": command("sessions", "test", "--crm", "uc", "--store", "sushantlok1", CRM_PROFILE_KEY=NEW),
        "old key": command("sessions", "list", "--json", CRM_PROFILE_KEY=OLD),
        "no key": command("sessions", "show", "--crm", "td", "--store", "a817"),
    }


@pytest.fixture(scope="module")
def forgotten(command: CommandLine, rotated: Stage) -> Stage:
    assert rotated
    forget = ("sessions", "forget", "--crm", "uc", "--store", "all")
    return {"forget": command(*forget), "again": command(*forget), "list": command("sessions", "list", "--json")}


def profile_of(command: CommandLine, name: str) -> Path:
    return command.home / "profiles" / f"{name.replace('/', '_')}.json"


def texts_of(state: dict[str, Any]) -> Iterator[str]:
    """A storage state's names, hosts and values, as far as they are long enough to be found by no accident."""
    texts = [text for cookie in state["cookies"] for text in (cookie["name"], cookie["value"], cookie["domain"])]
    for origin in state["origins"]:
        texts += [origin["origin"], *(text for item in origin["localStorage"] for text in item.values())]
    return (text for text in texts if len(text) > 5)


def leave_to_a_person(command: CommandLine, name: str) -> None:
    """As if a run had just met a question for a code with the session that is saved."""
    settings = load_settings(command.environ)
    store = settings.store(*name.split("/"))
    with psycopg.connect(command.url) as conn:
        sessions.record_state(
            conn,
            store,
            AccountState.NEEDS_PERSON,
            system_clock(),
            reason=f"{name}: signed out and an OTP is asked for. Run: {UNSAFE}",
            error_code="OtpRequired",
            profile_digest=profiles_of(settings).digest(store),
        )


def objects(ran: Ran) -> dict[str, dict[str, Any]]:
    """What ``--json`` printed, by account; standard output holds nothing else."""
    return {one["account"]: one for one in map(json.loads, ran.out.splitlines())}


def codes(stage: Stage) -> dict[str, int]:
    return {name: ran.code for name, ran in stage.items()}


def test_list_shows_every_account_in_a_line(plain: Stage) -> None:
    assert plain["list"].code == 0, plain["list"]
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in plain["list"].out.splitlines()]
    found = {row[0]: (row[1], row[4]) for row in rows if row[0] in ALL_STORES}
    assert found == {"td/a668": ("never signed in", "none"), **dict.fromkeys(SAVED, ("ok", "plain"))}


def test_list_as_json_is_an_object_per_account(command: CommandLine, plain: Stage) -> None:
    found = objects(plain["list json"])
    assert list(found) == list(ALL_STORES)
    known = account_of(command, "td/a817")
    assert known
    assert known.last_login_at
    assert datetime.fromisoformat(found["td/a817"]["last_login_at"]) == known.last_login_at.replace(microsecond=0)
    assert (found["td/a668"]["state"], found["td/a668"]["session"]) == (None, "none")
    assert {name: found[name]["state"] for name in SAVED} == dict.fromkeys(SAVED, "ok")


def test_show_names_what_is_kept_and_never_its_values(command: CommandLine, contents: list[str], plain: Stage) -> None:
    shown = objects(plain["show json"])["td/a817"]
    assert shown["cookies"] == {"127.0.0.1": 2}
    assert shown["file"] == str(profile_of(command, "td/a817"))
    assert shown["fingerprint"]["timezone_id"] == "Asia/Kolkata"
    assert "localStorage: 1" in plain["show"].said
    values = {text for text in contents if len(text) > 40}  # tokens; hosts and names may show
    assert values
    assert [value for value in values if value in plain["show"].said + plain["show json"].out] == []


def test_test_says_which_sessions_are_good_and_its_exit_code_the_gravest(plain: Stage) -> None:
    assert (plain["test"].code, plain["test"].out) == (0, "uc/sector56: signed in\nuc/sushantlok1: signed in\n")
    assert (plain["test none"].code, plain["test none"].out) == (3, "")
    assert "td/a668: expected a saved session, found none. Run: crm_download bootstrap" in plain["test none"].err
    ended = "uc/sector56: signed out; the next run logs in\nuc/sushantlok1: signed in\n"
    assert (plain["test ended"].code, plain["test ended"].out) == (1, ended)


def test_seal_without_a_key_says_how_to_make_one(plain: Stage) -> None:
    assert (plain["seal"].code, plain["seal"].out) == (4, "")
    assert "CRM_PROFILE_KEY: expected a key to seal with, found none. Make one with: openssl" in plain["seal"].err


def test_seal_seals_what_is_plain_once(sealed: Stage) -> None:
    said = ["td/a668: nothing to do", *(f"{store}: sealed" for store in SAVED)]
    assert (sealed["seal"].code, sealed["seal"].out.splitlines()) == (0, said)
    assert (sealed["again"].code, sealed["again"].out.count("nothing to do")) == (0, 4)
    assert {store: one["session"] for store, one in objects(sealed["list"]).items()} == {
        "td/a668": "none",
        **dict.fromkeys(SAVED, "sealed"),
    }


def test_a_sealed_file_holds_no_name_no_host_and_no_token(
    command: CommandLine, contents: list[str], sealed: Stage
) -> None:
    assert sealed
    assert {"td_device", "uclean_auth_token", "127.0.0.1"} <= set(contents)
    for file in (command.home / "profiles").iterdir():
        content = file.read_bytes()
        assert content.startswith(b'{\n "crm_assets_sealed": 1,'), file
        assert [text for text in contents if text.encode() in content] == []
        assert file.stat().st_mode & 0o777 == 0o600


def test_sealing_is_no_new_session_and_the_account_goes_on_waiting(sealed: Stage) -> None:
    ran = sealed["unattended"]
    assert (ran.code, ran.objects["uc/sector56"]["error_code"]) == (3, "PersonAwaited")
    assert (sealed["test"].code, sealed["test"].out) == (
        1,
        f"uc/sector56: signed out; a person is needed. Run: {UNSAFE}\n",
    )


def test_after_a_rotation_the_new_key_alone_opens_everything(rotated: Stage) -> None:
    assert rotated["rotate"].code == 0
    assert rotated["rotate"].out.count("sealed with the first key") == len(SAVED)
    assert (rotated["test"].code, rotated["test"].out) == (0, "uc/sushantlok1: signed in\n")


def test_without_the_key_a_session_is_listed_as_unusable_with_the_remedy(rotated: Stage) -> None:
    found = objects(rotated["old key"])["uc/sushantlok1"]
    assert (rotated["old key"].code, found["session"]) == (0, "unusable")
    assert "Set CRM_PROFILE_KEY to that key" in found["problem"]
    assert "expected the key that sealed this profile" in rotated["no key"].said
    assert "found no key" in rotated["no key"].said


def test_forget_deletes_the_session_and_the_one_beside_it(command: CommandLine, forgotten: Stage) -> None:
    assert codes(forgotten) == {"forget": 0, "again": 0, "list": 0}
    deleted = "uc_sushantlok1.json, uc_sushantlok1.previous.json deleted"
    assert f"uc/sushantlok1: {deleted}" in forgotten["forget"].out
    assert forgotten["again"].out == "uc/sector56: nothing was saved\nuc/sushantlok1: nothing was saved\n"
    assert objects(forgotten["list"])["uc/sushantlok1"]["session"] == "none"
    assert {path.name for path in (command.home / "profiles").iterdir()} == {"td_a817.json"}


def test_no_output_shows_a_secret(
    command: CommandLine, contents: list[str], plain: Stage, sealed: Stage, rotated: Stage, forgotten: Stage
) -> None:
    passwords = [value for name, value in command.sandbox.secrets().items() if name.endswith("_PASSWORD")]
    secrets = [*passwords, OLD, NEW, *(text for text in contents if len(text) > 40)]
    said = [ran.out + ran.err for stage in (plain, sealed, rotated, forgotten) for ran in stage.values()]
    assert [secret for secret in secrets if any(secret in text for text in said)] == []
    assert not [text for text in said if "Traceback" in text]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("list", "--store", "a668"), "--store needs --crm"),
        (("test", "--crm", "xx"), "unknown CRM 'xx'"),
        (("forget", "--crm", "td"), "Missing option '--store'"),
        (("show", "--crm", "td", "--store", "a1"), "unknown store td/a1"),
    ],
)
def test_a_wrong_usage_ends_with_2(command: CommandLine, arguments: tuple[str, ...], sentence: str) -> None:
    ran = command("sessions", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.said
