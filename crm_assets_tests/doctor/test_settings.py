"""The settings' own findings, in an installation whose portals are a sandbox."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from crm_assets.doctor.findings import Finding, Level
from crm_assets.doctor.settings import alert_addresses, env_file, loaded, logins, portal, profile_key
from crm_assets_tests.fixtures.sandbox import Installation

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def levels(findings: Iterable[Finding]) -> list[tuple[str, Level]]:
    return [(finding.name, finding.level) for finding in findings]


def test_settings_that_load_are_counted(installation: Installation) -> None:
    finding = loaded(installation.settings)
    assert (finding.name, finding.found) == ("stores.yaml", "the settings load: 2 CRMs, 4 stores")


@pytest.mark.parametrize(
    ("mode", "line", "level"),
    [
        (0o644, "CRM_TD_A668_PASSWORD=Never-Shown-1", Level.YELLOW),
        (0o640, "CRM_DATABASE_URL=postgresql://crm:Never-Shown-1@db/crm", Level.YELLOW),
        (0o600, "CRM_TD_A668_PASSWORD=Never-Shown-1", Level.GREEN),
        (0o644, "CRM_TD_A668_PASSWORD_FILE=/run/secrets/a668", Level.GREEN),
        (0o644, "CRM_DATABASE_URL=postgresql://crm@db/crm", Level.GREEN),
    ],
)
def test_an_env_file_with_passwords_is_for_its_owner_alone(tmp_path: Path, mode: int, line: str, level: Level) -> None:
    file = tmp_path / "logins.env"
    file.write_text(f"CRM_HEADLESS=true\n{line}\n", encoding="utf-8")
    file.chmod(mode)
    finding = env_file({"CRM_HOME": str(tmp_path), "CRM_ENV_FILE": "logins.env"})
    assert (finding.name, finding.level) == ("logins.env", level)
    assert "Never-Shown" not in finding.found + finding.next_step
    if level is Level.YELLOW:
        assert finding.next_step == f"Run: chmod 600 {file}"


def test_no_env_file_is_no_fault(tmp_path: Path) -> None:
    finding = env_file({"CRM_HOME": str(tmp_path)})
    assert (finding.name, finding.level) == (".env", Level.GREEN)


def test_stores_with_a_login_are_counted(installation: Installation) -> None:
    del installation.environ["CRM_TD_A668_PASSWORD"]
    (finding,) = logins(installation.settings)
    assert (finding.level, finding.found) == (Level.GREEN, "3 of 4 stores have a login")


@pytest.mark.parametrize(
    ("way", "value", "sentence"),
    [
        ("FILE", "nowhere/Never-Shown-1", "CRM_TD_A668_PASSWORD_FILE: expected the path of a file"),
        ("COMMAND", "Never-Shown-1 show td", "the command in CRM_TD_A668_PASSWORD_COMMAND is not there"),
        ("COMMAND", "./Never-Shown-1 show td", "the command in CRM_TD_A668_PASSWORD_COMMAND is not there"),
        ("COMMAND", "'Never-Shown-1", "CRM_TD_A668_PASSWORD_COMMAND: expected a command with its arguments"),
    ],
)
def test_a_password_that_cannot_be_had_is_red_and_not_shown(
    installation: Installation, way: str, value: str, sentence: str
) -> None:
    del installation.environ["CRM_TD_A668_PASSWORD"]
    installation.environ[f"CRM_TD_A668_PASSWORD_{way}"] = value
    (finding,) = logins(installation.settings)
    assert (finding.name, finding.level) == ("td/a668", Level.RED)
    assert finding.found.startswith(sentence)
    assert finding.next_step == f"Mend CRM_TD_A668_PASSWORD_{way}"
    assert "Never-Shown" not in finding.found


def test_a_command_is_looked_for_from_the_projects_home_and_not_run(installation: Installation) -> None:
    script, ran = installation.home / "pass", installation.home / "ran"
    script.write_text(f"#!/bin/sh\ntouch {ran}\n", encoding="utf-8")
    script.chmod(0o700)
    del installation.environ["CRM_TD_A668_PASSWORD"]
    installation.environ["CRM_TD_A668_PASSWORD_COMMAND"] = "./pass td"
    assert levels(logins(installation.settings)) == [("logins", Level.GREEN)]
    assert not ran.exists()


@pytest.mark.parametrize(
    ("key", "level", "words"),
    [
        ("", Level.GREEN, "not set: sessions are kept plain"),
        (KEY, Level.GREEN, "set, 1 key: sessions are sealed"),
        (f"{KEY},{KEY}", Level.GREEN, "set, 2 keys"),
        ("Never-Shown-1", Level.RED, "expected 32 random bytes in base64"),
    ],
)
def test_the_key_of_the_sessions_is_a_key_or_none(
    installation: Installation, key: str, level: Level, words: str
) -> None:
    installation.environ["CRM_PROFILE_KEY"] = key
    finding = profile_key(installation.settings)
    assert (finding.name, finding.level) == ("CRM_PROFILE_KEY", level)
    assert words in finding.found
    assert "Never-Shown" not in finding.found
    assert finding.next_step == ("Make one with: openssl rand -base64 32" if level is Level.RED else "")


@pytest.mark.parametrize(
    ("urls", "level", "words"),
    [
        ("", Level.YELLOW, "not set: nobody is told"),
        ("json://127.0.0.1:1/hook", Level.GREEN, "set, 1 address"),
        ("json://127.0.0.1:1/a json://127.0.0.1:1/b", Level.GREEN, "set, 2 addresses"),
        ("json://127.0.0.1:1 mial://never-shown", Level.RED, "the 2nd address (mial)"),
    ],
)
def test_the_addresses_of_the_alerts_can_be_read_and_none_is_worth_a_look(
    installation: Installation, urls: str, level: Level, words: str
) -> None:
    installation.environ["CRM_ALERT_URLS"] = urls
    finding = alert_addresses(installation.settings)
    assert (finding.name, finding.level) == ("CRM_ALERT_URLS", level)
    assert words in finding.found
    assert "never-shown" not in finding.found + finding.next_step


def test_a_portal_is_loaded_with_its_addresses(installation: Installation) -> None:
    finding = portal(installation.settings, "td")
    assert (finding.name, finding.level) == ("crms.td", Level.GREEN)
    assert installation.sandbox.urls["subs"].removeprefix("http://") in finding.found


@pytest.mark.parametrize(
    ("word", "other", "sentence"),
    [
        ("crm_assets.portals.tumbledry", "crm_assets.portals.nowhere", "to be a module, found none"),
        ("subs:", "sub:", "stores.yaml: crms.td: site.sub: Extra inputs are not permitted"),
    ],
)
def test_a_portal_or_a_site_that_does_not_load_is_red(
    installation: Installation, word: str, other: str, sentence: str
) -> None:
    installation.write_stores(**{word: other})
    finding = portal(installation.settings, "td")
    assert finding.level is Level.RED
    assert sentence in finding.found
    assert finding.next_step == "Mend it in stores.yaml"
    assert portal(installation.settings, "uc").level is Level.GREEN
