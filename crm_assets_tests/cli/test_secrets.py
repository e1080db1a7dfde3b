"""No secret in anything that is written: every flow is run with known secrets, then everything is searched, database included.

Saved sessions are sealed here, so that their folder is searched like any other; only the file of the logins holds them.
"""

import base64
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import psutil
import psycopg
import pytest

from crm_assets.model import business_day, system_clock
from crm_assets_tests.fixtures.command import CommandLine, Ran, new_command_line

pytestmark = pytest.mark.timeout(600)  # its fixture runs every flow
TODAY = business_day(system_clock)
YESTERDAY = str(TODAY - timedelta(days=1))
WRONG = "Never-Shown-Password-1"
KEY = base64.b64encode(bytes(range(32))).decode()
TOKEN = re.compile(rb"eyJ[\w-]{10,}\.[\w-]{10,}")
"""A JSON Web Token: the sessions of both portals, and the report app's key, are such."""


READ_CODE = "import json, sys, urllib.request as web; print(json.load(web.urlopen(sys.argv[1]))['codes']['td/a668'])"


@dataclass(kw_only=True)
class Said:
    """What the commands printed, and the command lines of every process that ran meanwhile."""

    ran: dict[str, Ran] = field(default_factory=dict)
    command_lines: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)


@contextmanager
def watching(said: Said) -> Iterator[None]:
    """Look at the process list, again and again, as anyone on the machine could."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.4):
            for process in psutil.process_iter(["cmdline"]):
                said.command_lines.add(" ".join(process.info["cmdline"] or []))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@pytest.fixture(scope="module")
def installation(
    postgres_url: str, dagster_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CommandLine]:
    home = tmp_path_factory.mktemp("secrets")
    (home / "tmp").mkdir()
    (home / "key").write_text(KEY, encoding="utf-8")
    with new_command_line(postgres_url, dagster_template, home) as command:
        yield command


@pytest.fixture(scope="module")
def said(installation: CommandLine) -> Said:
    """Every flow once: good, dead, one-time password asked and answered, refused; then what tells of accounts."""
    sandbox, said = installation.sandbox, Said()
    settings = {
        "TMPDIR": str(installation.home / "tmp"),
        "CRM_PROFILE_KEY_FILE": str(installation.home / "key"),
        "CRM_PAGE_TIMEOUT_SECONDS": "8",
        "CRM_TD_A817_OTP_SECRET": sandbox.totp_secret("td/a817"),
    }

    def run(name: str, *arguments: str, **environ: str) -> None:
        said.ran[name] = installation(*arguments, **settings | environ)
        said.codes |= {code for code in [codes.get("td/a668")] if code}

    codes: dict[str, str] = {}
    download = ("download", "--from", YESTERDAY, "--to", YESTERDAY)
    td, uc = (*download, "--crm", "td", "--store", "a668"), (*download, "--crm", "uc", "--store", "sector56")
    with watching(said):
        run("good", *td, "--trace")
        sandbox.fault("502", crm="uc", times=None)
        run("dead portal", *uc)
        sandbox.clear_faults()
        sandbox.fault("otp")
        run("otp unattended", *td)
        codes["td/a668"] = sandbox.otp_code("td/a668")
        ask = f'{sys.executable} -c "{READ_CODE}" {sandbox.urls["control"]}/state'
        run("bootstrap", "bootstrap", "--crm", "td", "--store", "a668", "--terminal", CRM_TD_A668_OTP_COMMAND=ask)
        installation.write_logins(**{f"CRM_{account}_PASSWORD": WRONG for account in ("TD_A668", "UC_SECTOR56")})
        run("refused", *td)
        run("refused uc", *uc)
        run("in full", "sessions", "show", "--crm", "td", "--store", "a668")
        run("doctor", "doctor", "--json")
    return said


def secrets(installation: CommandLine) -> list[bytes]:
    sandbox = installation.sandbox
    found = [
        *sandbox.secrets().values(),
        WRONG,
        KEY,
        KEY.rstrip("="),
        *map(sandbox.totp_secret, ("td/a668", "td/a817")),
    ]
    return [secret.encode() for secret in found]


def secrets_in(installation: CommandLine, content: bytes) -> list[bytes]:
    """The secrets, and whatever looks like a session's token."""
    return [secret for secret in secrets(installation) if secret in content] + TOKEN.findall(content)


def test_every_flow_came_to_its_ending(said: Said) -> None:
    assert {name: ran.code for name, ran in said.ran.items()} == {
        "good": 0,
        "dead portal": 1,
        "otp unattended": 3,
        "bootstrap": 0,
        "refused": 3,
        "refused uc": 3,
        "in full": 0,
        "doctor": 1,
    }


def test_no_output_shows_a_secret(installation: CommandLine, said: Said) -> None:
    found = {name: secrets_in(installation, f"{ran.out}{ran.err}".encode()) for name, ran in said.ran.items()}
    assert found == {name: [] for name in said.ran}
    assert said.codes
    assert [code for code in said.codes if any(code in ran.out + ran.err for ran in said.ran.values())] == []


def test_no_command_line_shows_a_secret(installation: CommandLine, said: Said) -> None:
    assert any("--crm-assets-session=" in line for line in said.command_lines), "the browsers were seen"
    assert secrets_in(installation, "\n".join(said.command_lines).encode()) == []


def test_no_file_holds_a_secret(installation: CommandLine, said: Said) -> None:
    """A trace does: it is made on request alone, and is told so. The logins' file is where the secrets come from."""
    home, kept = installation.home, {"logins.env", "key"}
    files = [path for path in home.rglob("*") if path.is_file() and path.name not in kept and path.suffix != ".zip"]
    assert [path for path in files if path.name == "page.html"]
    assert [path for path in files if path.suffix == ".json" and path.parent.name == "profiles"]
    found = {str(path.relative_to(home)): secrets_in(installation, path.read_bytes()) for path in files}
    assert {name: secrets for name, secrets in found.items() if secrets} == {}


def test_a_trace_is_closed_to_others_and_said_to_hold_secrets(installation: CommandLine, said: Said) -> None:
    (trace,) = installation.home.rglob("*.zip")
    assert (trace.stat().st_mode & 0o777, trace.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "will hold cookies and what is typed: keep it to yourself" in said.ran["good"].err


def test_no_row_of_the_database_holds_a_secret(installation: CommandLine, said: Said) -> None:
    """Ledger, audit, accounts, and all that Dagster keeps of its runs."""
    assert said.ran
    with psycopg.connect(installation.url) as conn:
        tables = conn.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'dagster')"
        ).fetchall()
        assert len(tables) > 20
        rows = {
            table: "\n".join(row[0] for row in conn.execute(f"SELECT t::text FROM {table} AS t"))  # noqa: S608
            for (table,) in tables
        }
    assert rows["dagster.event_logs"]
    found = {table: secrets_in(installation, text.encode()) for table, text in rows.items()}
    assert {table: secrets for table, secrets in found.items() if secrets} == {}


def test_no_temporary_file_is_left(installation: CommandLine, said: Said) -> None:
    assert said.ran
    left = [path.name for path in (installation.home / "tmp").iterdir()]
    # Of multiprocessing and of a browser that had to be killed: an empty folder, and one with a socket.
    assert [name for name in left if not name.startswith(("pymp-", "org.chromium."))] == []


def test_the_secrets_are_where_they_belong_so_that_the_search_can_find_one(installation: CommandLine) -> None:
    content = (installation.home / "logins.env").read_bytes()
    assert len(secrets_in(installation, content)) >= 7
