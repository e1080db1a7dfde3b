"""The documents say what is there: every script, option and setting they name exists, and every one that exists is named.

That their commands are understood, and do what they say, is tested in ``documents/``. What must never stand in a tracked file is
looked for here too.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from crm_assets import cli
from crm_assets.credentials import secret_name
from crm_assets.settings import (
    CODE_PARTS,
    OWN_SECRETS,
    SECRET_NAME,
    SECRET_PARTS,
    Environment,
    load_settings,
)
from crm_assets_tests.documents.reading import DOCUMENTS, ROOT, anchors_of, calls, code_in, links_of, text_of

SETTINGS = {f"CRM_{name.upper()}": field for name, field in Environment.model_fields.items()}
BESIDE = {"CRM_ENV_FILE", "CRM_DAGSTER_DATABASE_URL", "DAGSTER_HOME"}
"""Read from the environment alone."""

EMPTY = {"CRM_HOME", "CRM_DATABASE_URL", "CRM_BROWSER_PATH"}
"""Their defaults are no text: the project's folder, the embedded server, no path."""

AS_A_WORD = {"CRM_KEEP_FILES": "false"}
"""Their defaults read better than the number that is meant."""


def cli_commands() -> dict[str, Any]:
    group = typer.main.get_command(cli.app)
    assert isinstance(group, typer.core.TyperGroup)
    return dict(group.commands)


def options_of(command: Any) -> set[str]:
    return {"--help"} | {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }


SCRIPTS = [
    (document, *found)
    for document in DOCUMENTS
    for code in code_in(document)
    for found in re.findall(r"\b((?:script|cron)/[\w.]+)([^|;&]*)", code)
]
OTHER_PROGRAMS = ("useradd", "systemctl", "journalctl", "pg_dump", "pg_restore")
BELOW_SCRIPTS = {"--python", "--upgrade", "--coverage", "--check"}


def test_the_documents_name_commands_at_all() -> None:
    assert len(calls()) > 40
    assert len(SCRIPTS) > 20


@pytest.mark.parametrize(("document", "name", "arguments"), SCRIPTS)
def test_a_script_in_a_document_exists_with_its_options(document: str, name: str, arguments: str) -> None:
    script = ROOT / name
    assert script.is_file(), f"{document}: {name}"
    assert script.stat().st_mode & 0o111
    handed_on = options_of(cli_commands()[script.name]) if script.name in cli_commands() else set()
    for option in re.findall(r"--[\w-]+", arguments):
        assert option in handed_on or option in text_of(name), f"{document}: {name}{arguments}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_option_in_a_document_exists_somewhere(document: str) -> None:
    below = [each for group in cli_commands().values() for each in getattr(group, "commands", {}).values()]
    known = set().union(*map(options_of, [*cli_commands().values(), *below])) | BELOW_SCRIPTS
    ours = [code for code in code_in(document) if not code.startswith(OTHER_PROGRAMS)]
    asked = {option for code in ours for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", code)}
    assert asked <= known


@pytest.mark.parametrize("name", getattr(cli_commands()["sessions"], "commands", {}))
def test_every_command_about_sessions_stands_on_their_page(name: str) -> None:
    assert f"`crm_download sessions {name}" in text_of("docs/accounts.md")


@pytest.mark.parametrize("name", getattr(cli_commands()["rejects"], "commands", {}))
def test_every_command_about_rejects_stands_on_their_page(name: str) -> None:
    assert f"`crm_download rejects {name}" in text_of("docs/trust.md")


@pytest.mark.parametrize("name", cli_commands())
def test_every_command_stands_in_the_readme(name: str) -> None:
    assert re.search(rf"`crm_download {name}\b", text_of("README.md"))


def test_the_readme_has_the_exit_codes_of_the_command() -> None:
    codes = re.search(r"Exit codes: (.*)\.", cli.__doc__ or "")
    assert codes
    assert codes[1] in " ".join(text_of("README.md").split())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_links_to_is_there_down_to_the_heading(document: str) -> None:
    missing = [link for link in links_of(document) if not is_there(document, *link)]
    assert missing == []


def is_there(document: str, file: str, anchor: str) -> bool:
    target = ((ROOT / document).parent / file).resolve() if file else ROOT / document
    if not target.exists():
        return False
    return not anchor or anchor in anchors_of(target.relative_to(ROOT).as_posix())


def test_a_link_that_leads_nowhere_would_be_found() -> None:
    assert is_there("docs/README.md", "deploy.md", "#update")
    assert not is_there("docs/README.md", "deploy.md", "#upgrade")
    assert not is_there("docs/README.md", "deployment.md", "")


@pytest.mark.parametrize("page", [name for name in DOCUMENTS if name.startswith("docs/") and name != "docs/README.md"])
def test_every_page_stands_in_the_index(page: str) -> None:
    assert Path(page).name in {file for file, _ in links_of("docs/README.md")}


# Settings.


def example_settings() -> dict[str, str]:
    """The commented-out settings of ``.env.example`` and their values."""
    return dict(re.findall(r"^# ((?:CRM|DAGSTER)_[A-Z0-9_]+)=(.*)$", text_of(".env.example"), re.MULTILINE))


def setting_names(text: str) -> Iterator[str]:
    """Names such as ``CRM_HEADLESS``; a pattern such as ``CRM_<CRM>_<STORE>_USER`` is none."""
    for name in re.findall(r"(?<![\w<])CRM_[A-Z0-9_]*[A-Z0-9]\b(?![_<])", text):
        if not SECRET_NAME.match(name):
            yield name


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_setting_in_a_document_exists(document: str) -> None:
    in_scripts = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "script").rglob("*") if path.is_file())
    unknown = set(setting_names(text_of(document))) - SETTINGS.keys() - BESIDE - set(setting_names(in_scripts))
    assert unknown == set()


def test_the_example_file_has_every_setting_and_no_other() -> None:
    settings = {name for name in example_settings() if not SECRET_NAME.match(name)}
    assert settings == SETTINGS.keys() | BESIDE


def test_the_example_file_has_the_logins_of_every_configured_store_and_the_other_secrets() -> None:
    settings = load_settings({})
    wanted = {
        secret_name(store, part)
        for crm in settings.crms
        for store in settings.stores(crm)
        for part in ("USER", "PASSWORD")
    }
    assert {name for name in example_settings() if SECRET_NAME.match(name)} == wanted | set(OWN_SECRETS)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_example_file_shows_the_default(name: str) -> None:
    default = "" if name in EMPTY else AS_A_WORD.get(name, str(SETTINGS[name].default))
    assert example_settings()[name] == (default.lower() if default in ("True", "False") else default)


@pytest.mark.parametrize("part", [*SECRET_PARTS, *CODE_PARTS])
def test_the_example_file_names_every_secret_an_account_may_have(part: str) -> None:
    assert f"CRM_<CRM>_<STORE>_{part}" in text_of(".env.example")


@pytest.mark.parametrize("name", [*SETTINGS, *sorted(BESIDE), *OWN_SECRETS])
def test_the_example_file_explains_each_setting_above_it(name: str) -> None:
    lines = text_of(".env.example").splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith(f"# {name}=")]
    assert re.match(r"# \S+ \S+ .+[.:]$", lines[at - 1]), f"{name} has no sentence above it"


def test_the_example_file_sets_nothing_by_itself_and_only_defaults_when_opened_up(tmp_path: Path) -> None:
    example = text_of(".env.example")
    assert [line for line in example.splitlines() if line and not line.startswith("#")] == []
    opened = re.sub(r"^# (CRM_[A-Z0-9_]+=)", r"\1", example, flags=re.MULTILINE)
    (tmp_path / "opened.env").write_text(opened, encoding="utf-8")
    assert load_settings({"CRM_ENV_FILE": str(tmp_path / "opened.env")}) == load_settings({})


# What must not be in the tree. The patterns are written so that they do not find themselves.

FORBIDDEN = {
    "a machine's path": r"/(?:root|home/\w+|Users/\w+|work/[a-z]+|[f]arm)/|/tmp/[b]ash_jobs",
    "a package registry": r"[p]ypi\.org|python[h]osted|registry\.[n]pmjs|deb\.[d]ebian",
    "a private key": r"BEGIN [A-Z ]*PRIVATE[ ]KEY",
    "a token": r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|xox[abp]-[\w-]{10,}|eyJ[\w-]{20,}\.[\w-]{20,})",
    "a login": r"\bCRM_[A-Z]+_[A-Z0-9_]+_PASSWORD=['\"]?(?!Never-|hunter|(?:a|the)-password\b)[^\s'\"{<\\]{6,}",
    "a password in an address": r"://[^\s/:@'\"]+:(?!secret|password|Never-|hunter|\{|%)[^\s/@'\"{]{6,}@",
}


def tracked_texts() -> Iterator[tuple[str, str]]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            yield name, (ROOT / name).read_bytes().decode("utf-8", errors="ignore")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds(what: str) -> None:
    found = [
        (name, match[0])
        for name, text in tracked_texts()
        for match in re.finditer(FORBIDDEN[what], text)
        if not name.endswith((".png", ".xlsx"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a machine's path", "/" + "root/.cache"),
        ("a machine's path", "/" + "home/asha/crm"),
        ("a package registry", "https://" + "pypi" + ".org/simple"),
        ("a private key", "-----BEGIN RSA PRIVATE" + " KEY-----"),
        ("a token", "AKIA" + "ABCDEFGHIJKLMNOP"),
        ("a login", "CRM_TD_A668_PASSWORD=" + "Lemon-42"),
        ("a password in an address", "postgresql://crm:" + "Lemon-42@db/crm"),
    ],
)
def test_it_would_be_found(what: str, text: str) -> None:
    assert re.search(FORBIDDEN[what], text)


def test_saved_sessions_and_logins_are_ignored_by_git() -> None:
    for name in ("profiles/td_a668.json", ".env", "downloads/x.xlsx", ".local/demo/crm.env"):
        assert subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False).returncode == 0, name
    shown = subprocess.run(["git", "check-ignore", "-q", "profiles/README.md"], cwd=ROOT, check=False)
    assert shown.returncode == 1
