"""One-time passwords: what a page says about its code, and each place an answer comes from."""

import asyncio
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest

from crm_assets.errors import ConfigurationError, OtpRequired
from crm_assets.model import Clock, Store, system_clock
from crm_assets.otp import (
    Answer,
    Challenge,
    attended_answer,
    automatic_answer,
    code_in,
    parse_expiry,
    terminal_answer,
)
from crm_assets.settings import PROJECT_ROOT, Settings, load_settings

STORE = Store(crm="td", code="a668", name="Uttam Nagar", first_day=datetime(2025, 11, 1, tzinfo=UTC).date())
NOON = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
"""12:00 in Kolkata, and the beginning of an authenticator's step."""

BOOTSTRAP = "Run: crm_download bootstrap --crm td --store a668"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "stores.yaml").write_bytes((PROJECT_ROOT / "stores.yaml").read_bytes())
    return tmp_path


@pytest.fixture
def secret() -> str:
    return pyotp.random_base32()


def load(home: Path, **environ: str) -> Settings:
    return load_settings({"CRM_HOME": str(home)} | {f"CRM_TD_A668_{name}": value for name, value in environ.items()})


def command(code: str) -> str:
    """A command that runs this Python code."""
    return shlex.join([sys.executable, "-c", code])


def at(time: datetime) -> Clock:
    return lambda: time


def asked(clock: Clock = system_clock, *, seconds: float | None = None, text: str = "Enter the code.") -> Challenge:
    expires_in = None if seconds is None else timedelta(seconds=seconds)
    return Challenge(store=STORE, text=text, expires_in=expires_in, asked_at=clock())


def given(answer: Answer | None, challenge: Challenge) -> str:
    """The code an answer gives to a challenge."""

    async def once() -> str:
        assert answer
        return await answer(challenge)

    return asyncio.run(once())


def refusal(answer: Answer | None, challenge: Challenge) -> str:
    with pytest.raises(OtpRequired) as refused:
        given(answer, challenge)
    return str(refused.value)


async def nobody(challenge: Challenge) -> str:
    raise AssertionError("nobody was to be asked")


# What the page says, and what is typed or printed.


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("The OTP is valid for 5 minutes", 300),
        ("Your code expires in 90 seconds.", 90),
        ("Valid up to 10 Mins", 600),
        ("OTP is valid till 5 minutes", 300),
        ("04:59", 299),
        ("Time left 00:04:59", 299),
        ("2 min", 120),
        ("5m30s", 330),
        ("a 5-minute code", 300),
        ("1 hour and 5 minutes", 3900),
        ("Resend OTP in 00:30 Valid for 5 minutes", 300),
        ("Resend in 30 seconds, code expires in 2 minutes", 120),
        ("The OTP sent at 10:05 is valid for 10 minutes", 600),
        ("It is valid until 14:30 (5 minutes)", 300),
    ],
)
def test_an_expiry_is_read_from_the_pages_words(text: str, seconds: int) -> None:
    assert parse_expiry(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Enter the 6 digit code sent to 98XXXXXX10 sms",
        "Resend OTP in 30 seconds",
        "Please wait 00:45 to try again",
        "Sent 2 minutes ago",
        "valid until 14:30",
        "valid till 2:35 PM",
        "valid for 1.5 minutes",
        "00:00",
        "Invalid code. 3 attempts left",
    ],
)
def test_a_time_of_something_else_is_no_expiry(text: str) -> None:
    assert parse_expiry(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("123456\n", "123456"),
        (" 12 34-56 ", "123456"),
        ("<#> 4821 is your TumbleDry code", "4821"),
        ("from +919876543210: 48213 and 99999", "48213"),
        ("K7-QX", "K7-QX"),
        ("123", "123"),
        (" \n", ""),
    ],
)
def test_a_code_is_taken_out_of_what_stands_around_it(text: str, code: str) -> None:
    assert code_in(text) == code


# Without anybody.


def test_without_a_source_nothing_is_answered_automatically(home: Path) -> None:
    assert automatic_answer(load(home, OTP_FILE="code"), STORE, system_clock) is None


def test_an_authenticators_secret_gives_the_code_of_the_time(home: Path, secret: str) -> None:
    (home / "secret").write_text(f"{secret.lower()}\n", encoding="utf-8")
    clock = at(NOON)
    assert given(automatic_answer(load(home, OTP_SECRET_FILE="secret"), STORE, clock), asked(clock)) == pyotp.TOTP(
        secret
    ).at(NOON)


def test_an_authenticators_secret_may_be_written_in_groups(home: Path, secret: str) -> None:
    grouped = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    clock = at(NOON)
    answer = automatic_answer(load(home, OTP_SECRET=grouped, OTP_COMMAND="nowhere"), STORE, clock)
    assert given(answer, asked(clock)) == pyotp.TOTP(secret).at(NOON)


def test_an_authenticator_never_gives_a_code_twice(home: Path, secret: str) -> None:
    clock = at(NOON + timedelta(seconds=29.9))
    settings = load(home, OTP_SECRET=secret)
    codes = [given(automatic_answer(settings, STORE, clock), asked(clock)) for _ in range(2)]
    assert codes == [pyotp.TOTP(secret).at(NOON), pyotp.TOTP(secret).at(NOON + timedelta(seconds=30))]


def test_an_authenticators_next_code_is_not_waited_for_longer_than_the_page_waits(home: Path, secret: str) -> None:
    clock = at(NOON)
    answer = automatic_answer(load(home, OTP_SECRET=secret), STORE, clock)
    given(answer, asked(clock))
    assert refusal(answer, asked(clock, seconds=0.1)) == f"td/a668: no code was given in time (0 s). {BOOTSTRAP}"


@pytest.mark.parametrize("malformed", ["hunter2-0189", "hünter2", "A"])
def test_a_malformed_secret_is_told_without_being_shown(home: Path, malformed: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        automatic_answer(load(home, OTP_SECRET=malformed), STORE, system_clock)
    assert str(refused.value) == (
        "CRM_TD_A668_OTP_SECRET: expected an authenticator's secret (base32: letters and the digits 2 to 7), "
        f"found a text of {len(malformed)} characters that is none"
    )


def test_a_command_is_run_for_every_code(home: Path) -> None:
    code = "import pathlib; runs = pathlib.Path('runs'); runs.open('a').write('.'); print('code', 48213 + len(runs.read_text()))"
    answer = automatic_answer(load(home, OTP_COMMAND=command(code)), STORE, system_clock)
    assert [given(answer, asked()), given(answer, asked())] == ["48214", "48215"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("print(' ')", "nothing"),
        ("print(48213); raise SystemExit(4)", "exit code 4"),
        ("import signal; signal.pause()", "none after 1 s; the command was ended"),
    ],
)
def test_a_command_that_gives_no_code_leaves_it_to_a_person(home: Path, code: str, found: str) -> None:
    clock = at(NOON)
    answer = automatic_answer(load(home, OTP_COMMAND=command(code)), STORE, clock)
    challenge = asked(clock, seconds=1 if "pause" in code else None)
    assert refusal(answer, challenge) == (
        f"td/a668: CRM_TD_A668_OTP_COMMAND: expected the output of a command, found {found}. {BOOTSTRAP}"
    )


def test_a_command_that_is_none_is_told_before_a_portal_is_asked(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="CRM_TD_A668_OTP_COMMAND: expected a command with its arguments"):
        automatic_answer(load(home, OTP_COMMAND="'"), STORE, system_clock)


# While a person is there.


def test_what_needs_nobody_goes_before_the_file_and_the_person(home: Path) -> None:
    settings = load(home, OTP_COMMAND=command("print(48213)"), OTP_FILE="code")
    assert given(attended_answer(settings, STORE, system_clock, nobody), asked()) == "48213"


def test_without_any_source_the_person_is_asked(home: Path) -> None:
    assert attended_answer(load(home), STORE, system_clock, nobody) is nobody


def test_a_code_is_taken_from_a_file_that_is_written_after_the_question(home: Path) -> None:
    file = home / "code"
    file.write_text("11111", encoding="utf-8")
    os.utime(file, (0, 0))
    answer = attended_answer(load(home, OTP_FILE="code"), STORE, system_clock, nobody)

    async def written_meanwhile() -> str:
        waiting = asyncio.ensure_future(answer(asked(seconds=60)))
        for text in ("", "\n", "482 135\n"):
            await asyncio.sleep(0.3)
            assert not waiting.done()
            file.write_text(text, encoding="utf-8")
        return await waiting

    assert asyncio.run(written_meanwhile()) == "482135"
    assert not file.exists()


def test_a_file_that_nobody_writes_is_waited_for_as_long_as_the_code_is_good(home: Path) -> None:
    clock = at(NOON)
    answer = attended_answer(load(home, OTP_FILE="nowhere/code"), STORE, clock, nobody)
    assert refusal(answer, asked(clock, seconds=0.5)) == f"td/a668: no code was given in time (0 s). {BOOTSTRAP}"


def test_a_file_that_cannot_be_read_is_told(home: Path) -> None:
    (home / "code").mkdir()
    clock = at(NOON)
    with pytest.raises(ConfigurationError) as refused:
        given(attended_answer(load(home, OTP_FILE="code"), STORE, clock, nobody), asked(clock))
    assert str(refused.value) == (
        f"CRM_TD_A668_OTP_FILE: expected the path of a file that can be read and deleted, found: {os.strerror(21)}"
    )


def at_terminal(read_line: Callable[[], str], written: list[str] | None = None, clock: Clock = system_clock) -> Answer:
    return terminal_answer(read_line, (written if written is not None else []).append, clock=clock)


def test_the_terminal_shows_the_pages_words_and_until_when_the_code_is_good() -> None:
    written: list[str] = []
    clock = at(NOON + timedelta(minutes=30, seconds=10))
    challenge = asked(clock, seconds=300, text="  Enter the OTP\n sent to ***10.\x1b[2J ")
    assert given(at_terminal(lambda: "482 135\n", written, clock), challenge) == "482135"
    assert written == ["td/a668: Enter the OTP sent to ***10. [2J Code (valid until 12:35:10 IST): "]


def test_the_terminal_says_when_no_expiry_is_shown_and_cuts_long_words() -> None:
    written: list[str] = []
    assert given(at_terminal(lambda: "4821-35", written), asked(text="")) == "482135"
    assert given(at_terminal(lambda: "K7QX\n", written), asked(text="very long " * 100)) == "K7QX"
    assert written[0] == "td/a668: Code (no expiry shown): "
    assert len(written[1]) < 250


def end_of_input() -> str:
    raise EOFError


@pytest.mark.parametrize("read_line", [str, lambda: "\n", lambda: " \n", end_of_input])
def test_when_nothing_is_typed_there_is_no_code(read_line: Callable[[], str]) -> None:
    assert refusal(at_terminal(read_line), asked()) == f"td/a668: no code was given. {BOOTSTRAP}"


def test_a_code_that_is_typed_too_late_is_not_taken_and_nothing_else_waits_for_it() -> None:
    reading, writing = os.pipe()
    clock = at(NOON)

    async def beside_another() -> int:
        asking = asyncio.ensure_future(
            at_terminal(lambda: os.read(reading, 9).decode(), clock=clock)(asked(clock, seconds=0.5))
        )
        turns = 0
        while not asking.done():
            await asyncio.sleep(0.05)
            turns += 1
        with pytest.raises(OtpRequired, match=r"td/a668: no code was given in time"):
            await asking
        return turns

    try:
        assert asyncio.run(beside_another()) > 3
    finally:
        os.write(writing, b"48213\n")
        os.close(writing)


ASKING = """
import asyncio, datetime
from crm_assets.model import Store, system_clock
from crm_assets.errors import OtpRequired
from crm_assets.otp import Challenge, terminal_answer
async def ask(answer):
    store = Store(crm="td", code="a668", name="Uttam Nagar", first_day=datetime.date(2025, 11, 1))
    try:
        print(await answer(Challenge(store=store, text="Enter it.", expires_in=EXPIRY, asked_at=system_clock())))
    except OtpRequired as error:
        print(error)
for _ in range(2):
    asyncio.run(ask(terminal_answer()))
"""


def run_asking(
    stdin: int | None, *, expiry: str = "None", typed: str | None = None, before: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", before + ASKING.replace("EXPIRY", expiry)],
        stdin=stdin,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_terminal_is_standard_input_line_by_line_and_standard_error() -> None:
    done = run_asking(None, typed="48213\n99 999\n")
    assert (done.stdout, done.returncode) == ("48213\n99999\n", 0)
    assert done.stderr == "td/a668: Enter it. Code (no expiry shown): " * 2


def test_without_a_terminal_there_is_no_code() -> None:
    done = run_asking(subprocess.DEVNULL)
    assert (done.stdout, done.returncode) == (f"td/a668: no code was given. {BOOTSTRAP}\n" * 2, 0)


@pytest.mark.parametrize(
    ("stdin", "told"),
    [("None", "td/a668: no code was given. "), ("io.StringIO('48213\\n99999\\n')", "48213\n99999\n")],
)
def test_a_standard_input_that_is_no_file_is_read_too(stdin: str, told: str) -> None:
    done = run_asking(subprocess.DEVNULL, before=f"import io, sys; sys.stdin = {stdin}")
    assert done.stdout.startswith(told)
    assert done.returncode == 0


def test_a_question_nobody_answers_does_not_hold_up_the_exit() -> None:
    reading, writing = os.pipe()
    try:
        done = run_asking(reading, expiry="datetime.timedelta(seconds=0.5)")
    finally:
        os.close(reading)
        os.close(writing)
    assert done.stdout.count("no code was given in time") == 2
    assert done.returncode == 0
    assert "Fatal" not in done.stderr
