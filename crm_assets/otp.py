"""Where a one-time password comes from: an authenticator's secret, a command, a file, or a person at the terminal.

An ``Answer`` is given the page's ``Challenge`` and returns the code. Finding the challenge on a page, typing the code and
reading what the portal says to it belong to ``portals/<crm>/login.py``. Codes and secrets are neither logged nor told in errors.
"""

import asyncio
import binascii
import os
import re
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pyotp

from crm_assets.credentials import command_arguments, command_output, secret, secret_name
from crm_assets.errors import ConfigurationError, OtpRequired
from crm_assets.logs import say
from crm_assets.model import IST, Clock, Store, system_clock
from crm_assets.settings import Settings
from crm_assets.threads import in_a_thread

PERSON_SECONDS = 300
COMMAND_SECONDS = 60
POLL_SECONDS = 0.2
TICK_SECONDS = 0.02  # a file's time lags behind the clock by up to a tick of the kernel
SHOWN_CHARACTERS = 200  # of what the page says

CLAUSE_ENDS = re.compile(r"[.!?;,](?=\s|$)|[|()\n]|\b(?=valid|expir|resend|request)")
OTHER_TIME = re.compile(r"resend|request|again|retry|wait|\bago\b|\b(?:at|till?|until|by)\s+\d\d?(?::|\s*[ap]\.?m)")
COUNTDOWN = re.compile(r"(?<![\d:])(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)(?![\d:]|\s*[ap]\.?m)")
AMOUNT = re.compile(r"(?<![\d:.])(\d{1,4})\s*-?\s*([hms])(?:ours?|rs?|in(?:ute)?s?|ec(?:ond)?s?)?(?![a-z])")

_last_step: dict[str, int] = {}
"""The step whose code was handed out last, per authenticator secret: a portal takes each code once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A portal's question for a code: the page's own words, and how long it says the code is good, if it does."""

    store: Store
    text: str
    expires_in: timedelta | None
    asked_at: datetime


type Answer = Callable[[Challenge], Awaitable[str]]


def parse_expiry(text: str) -> timedelta | None:
    """How long a page says its code is good: ``valid for 5 minutes``, ``expires in 90 seconds``, ``04:59``, ``2 min``.

    A time of something else (``resend in 30 seconds``, ``sent 2 min ago``, ``until 14:30``) is none.
    """
    clauses = CLAUSE_ENDS.split(text.lower())
    for clause in sorted(clauses, key=lambda clause: not clause.startswith(("valid", "expir"))):
        if not OTHER_TIME.search(clause) and (length := _length(clause)):
            return length
    return None


def _length(clause: str) -> timedelta:
    if found := COUNTDOWN.search(clause):
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    amounts = {unit: int(amount) for amount, unit in AMOUNT.findall(clause)}
    return timedelta(hours=amounts.get("h", 0), minutes=amounts.get("m", 0), seconds=amounts.get("s", 0))


def code_in(text: str) -> str:
    """The code in what was printed or typed: ``123 456`` as one, else the first 4 to 8 digits, else the text itself."""
    text = text.strip()
    joined = re.sub(r"[ -]", "", text)
    if re.fullmatch(r"[0-9]{4,8}", joined):
        return joined
    found = re.search(r"(?<![0-9])[0-9]{4,8}(?![0-9])", text)
    return found[0] if found else text


def automatic_answer(settings: Settings, store: Store, clock: Clock) -> Answer | None:
    """The answer that needs nobody: ``..._OTP_SECRET``, else ``..._OTP_COMMAND``; None when neither is set.

    The secret is read here, and that may wait for a command: a coroutine asks in a thread. Raises ConfigurationError.
    """
    name, command = secret_name(store, "OTP_SECRET"), secret_name(store, "OTP_COMMAND")
    if (text := secret(settings, name)) is not None:
        return _by_authenticator(_authenticator(name, text.get_secret_value()), clock)
    if command in settings.secrets:
        command_arguments(settings, command)
        return _by_command(settings, command, clock)
    return None


def attended_answer(settings: Settings, store: Store, clock: Clock, ask: Answer) -> Answer:
    """The answer while a person is there: the automatic one, else a code put into the file of ``..._OTP_FILE``, else ``ask``."""
    name = secret_name(store, "OTP_FILE")
    if (automatic := automatic_answer(settings, store, clock)) is not None:
        return automatic
    if (path := settings.secrets.get(name)) is not None:
        return _by_file(name, settings.path(Path(path.get_secret_value())), clock)
    return ask


class _Authenticator(pyotp.TOTP):
    """With the 80 bits that many services still hand out; the secret's length is the portal's choice, not ours."""

    min_secret_length_bits: ClassVar[int] = 80


def _authenticator(name: str, text: str) -> pyotp.TOTP:
    try:
        totp = _Authenticator("".join(text.split()))
        totp.byte_secret()
    except (binascii.Error, ValueError):
        raise ConfigurationError(
            f"{name}: expected an authenticator's secret (base32: letters and the digits 2 to 7), "
            f"found a text of {len(text)} characters that is none"
        ) from None
    return totp


def _by_authenticator(totp: pyotp.TOTP, clock: Clock) -> Answer:
    async def answer(challenge: Challenge) -> str:
        now = clock().timestamp()
        step = max(int(now) // totp.interval, _last_step.get(totp.secret, -1) + 1)
        _last_step[totp.secret] = step
        if (wait := step * totp.interval - now) > 0:
            async with _in_time(challenge, clock, PERSON_SECONDS):
                await asyncio.sleep(wait)
        return totp.generate_otp(step)

    return answer


def _by_command(settings: Settings, name: str, clock: Clock) -> Answer:
    async def answer(challenge: Challenge) -> str:
        seconds = _seconds_left(challenge, clock, COMMAND_SECONDS)
        try:
            printed = await _beside(lambda: command_output(settings, name, seconds=seconds))
        except (
            ConfigurationError
        ) as error:  # the portal has asked by now: asking it again would only send one more code
            raise _no_code(challenge.store, str(error)) from None
        if code := code_in(printed.decode("utf-8", errors="replace")):
            return code
        raise _no_code(challenge.store, f"{name}: expected the output of a command, found nothing")

    return answer


def _by_file(name: str, path: Path, clock: Clock) -> Answer:
    async def answer(challenge: Challenge) -> str:
        say(challenge.store, "waiting for a code", f"in the file of {name}")
        async with _in_time(challenge, clock, PERSON_SECONDS):
            while not (code := _taken(name, path, challenge.asked_at)):  # noqa: ASYNC110 - a file tells nobody that it is there
                await asyncio.sleep(POLL_SECONDS)
        return code

    return answer


def _taken(name: str, path: Path, asked_at: datetime) -> str:
    """The code in the file, which goes with it; empty while there is none that was written after the question."""
    try:
        if path.stat().st_mtime + TICK_SECONDS < asked_at.timestamp():
            return ""
        if code := code_in(path.read_text(encoding="utf-8", errors="replace")):
            path.unlink()
        return code
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ConfigurationError(
            f"{name}: expected the path of a file that can be read and deleted, found: {error.strerror}"
        ) from None


def terminal_answer(
    read_line: Callable[[], str] | None = None,
    write: Callable[[str], None] | None = None,
    *,
    clock: Clock = system_clock,
) -> Answer:
    """The answer of whoever sits at the terminal: one line of standard input, asked for on standard error."""
    read, show = read_line or _typed_line, write or _shown

    async def answer(challenge: Challenge) -> str:
        show(_question(challenge))
        async with _in_time(challenge, clock, PERSON_SECONDS):
            try:
                code = code_in(await _beside(read))
            except EOFError:
                code = ""
        if not code:
            raise _no_code(challenge.store, "no code was given")
        return code

    return answer


def _question(challenge: Challenge) -> str:
    """``td/a668: Enter the OTP we sent. Code (valid until 12:35:10 IST):``; a page's control characters stay out of it."""
    words = "".join(letter if letter.isprintable() else " " for letter in challenge.text)
    words = textwrap.shorten(words, SHOWN_CHARACTERS, placeholder=" ...")
    if challenge.expires_in is None:
        validity = "no expiry shown"
    else:
        validity = f"valid until {(challenge.asked_at + challenge.expires_in).astimezone(IST):%H:%M:%S} IST"
    return f"{challenge.store}: {words}{' ' if words else ''}Code ({validity}): "


def _shown(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _typed_line() -> str:
    """One line of standard input, read below Python's buffer: a thread that still waits inside it would crash the exit."""
    if sys.stdin is None:
        return ""
    try:
        source = sys.stdin.fileno()
    except OSError:
        return sys.stdin.readline()
    line = b""
    while (letter := os.read(source, 1)) not in (b"", b"\n"):
        line += letter
    return line.decode("utf-8", errors="replace")


async def _beside[T](work: Callable[[], T]) -> T:
    """Blocking work in a daemon thread: when nobody ever types, neither the other stores nor the exit wait for it."""
    return await asyncio.wrap_future(in_a_thread(work))


@asynccontextmanager
async def _in_time(challenge: Challenge, clock: Clock, otherwise: float) -> AsyncIterator[None]:
    seconds = _seconds_left(challenge, clock, otherwise)
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise _no_code(challenge.store, f"no code was given in time ({seconds:.0f} s)") from None


def _seconds_left(challenge: Challenge, clock: Clock, otherwise: float) -> float:
    """Until the code is void, or so long when the page does not say."""
    if challenge.expires_in is None:
        return otherwise
    return max(0.0, (challenge.asked_at + challenge.expires_in - clock()).total_seconds())


def _no_code(store: Store, why: str) -> OtpRequired:
    return OtpRequired(f"{store}: {why}. Run: {store.bootstrap_command}")
