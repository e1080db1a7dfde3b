"""Where a login comes from: the environment, a file or a command; read when it is needed, never shown.

A secret ``NAME`` is given as ``NAME``, as ``NAME_FILE`` or as ``NAME_COMMAND``. An error names the variable and what was wrong,
never its value: a path or a command may hold the secret where somebody mistook one variable for the other. What a secret is
for (a login form, a sealed session, a one-time code) is the business of whoever asks.
"""

import shlex
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from crm_assets.errors import ConfigurationError
from crm_assets.model import Store
from crm_assets.settings import PROFILE_KEY, WAYS, Settings, secret_prefix

COMMAND_SECONDS = 30
LOGIN_PARTS = ("USER", "PASSWORD")

_printed: dict[tuple[Path, str], SecretStr] = {}
"""What commands have printed: a password manager is asked once per process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An account's login; the password shows itself only when asked."""

    user: str
    password: SecretStr


def secret_name(store: Store, part: str) -> str:
    """``CRM_TD_A668_USER`` for store ``td/a668`` and part ``USER``."""
    return f"{secret_prefix(store.crm, store.code)}_{part}"


def has_login(settings: Settings, store: Store) -> bool:
    """Whether user and password are set in some way; nothing is read or run for the answer."""
    return all(any(f"{secret_name(store, part)}{way}" in settings.secrets for way in WAYS) for part in LOGIN_PARTS)


def credentials(settings: Settings, store: Store) -> Credentials | None:
    """The account's login, or None when user or password is set in no way.

    It may wait for a command: a coroutine asks in a thread. Raises ConfigurationError.
    """
    if not has_login(settings, store):
        return None
    user, password = (secret(settings, secret_name(store, part)) for part in LOGIN_PARTS)
    return Credentials(user=user.get_secret_value(), password=password) if user and password else None


def secret_values(settings: Settings, store: Store) -> tuple[str, ...]:
    """The user and password as far as they are known, for whoever strikes them out; never runs a command, never fails."""
    known: list[str] = []
    for name in (secret_name(store, part) for part in LOGIN_PARTS):
        command = settings.secrets.get(f"{name}_COMMAND")
        if command is None or _key(settings, command) in _printed:
            with suppress(ConfigurationError):
                value = secret(settings, name)
                known += [value.get_secret_value()] if value else []
    return tuple(known)


def profile_keys(settings: Settings) -> tuple[str, ...]:
    """The keys of ``CRM_PROFILE_KEY``, parted by commas: the first one seals, all of them open."""
    keys = secret(settings, PROFILE_KEY)
    return tuple(key.strip() for key in keys.get_secret_value().split(",") if key.strip()) if keys else ()


def addresses(settings: Settings, name: str) -> tuple[SecretStr, ...]:
    """The addresses of ``CRM_ALERT_URLS`` or ``CRM_DIGEST_URLS``, parted by white space: each may hold a password.

    Raises ConfigurationError.
    """
    urls = secret(settings, name)
    return tuple(map(SecretStr, urls.get_secret_value().split())) if urls else ()


def secret(settings: Settings, name: str) -> SecretStr | None:
    """The secret's text, whichever way it is given; None when it is not. Raises ConfigurationError."""
    if (value := settings.secrets.get(name)) is not None:
        return value
    if (path := settings.secrets.get(f"{name}_FILE")) is not None:
        return _in_file(f"{name}_FILE", settings.path(Path(path.get_secret_value())))
    if (command := settings.secrets.get(f"{name}_COMMAND")) is not None:
        key = _key(settings, command)
        if key not in _printed:
            _printed[key] = _one_line(f"{name}_COMMAND", command_output(settings, f"{name}_COMMAND"))
        return _printed[key]
    return None


def command_output(settings: Settings, variable: str, *, seconds: float = COMMAND_SECONDS) -> bytes:
    """What the command in this variable prints, run in the project's home without a shell. Raises ConfigurationError."""
    arguments = command_arguments(settings, variable)
    try:
        done = subprocess.run(
            arguments,
            cwd=settings.env.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        found = f"none after {seconds:.0f} s; the command was ended"
    except OSError as error:
        found = f"that it does not start: {error.strerror}"
    else:
        if done.returncode == 0:
            return done.stdout
        found = f"exit code {done.returncode}"
    # Raised out here, because what was caught holds the command and its output, and would go along as the context.
    raise ConfigurationError(f"{variable}: expected the output of a command, found {found}")


def command_arguments(settings: Settings, variable: str) -> list[str]:
    """The command in this variable as its words. Raises ConfigurationError."""
    try:
        words = shlex.split(settings.secrets[variable].get_secret_value())
    except ValueError:
        words = []
    if not words:
        raise ConfigurationError(f"{variable}: expected a command with its arguments, quotes closed, found none")
    return words


def _in_file(variable: str, path: Path) -> SecretStr:
    try:
        raw = path.read_bytes()
    except OSError as error:
        found = error.strerror
    else:
        return _one_line(variable, raw)
    raise ConfigurationError(f"{variable}: expected the path of a file with the secret in it, found: {found}")


def _one_line(variable: str, raw: bytes) -> SecretStr:
    """The only line. More than one is refused before a portal counts it as a wrong password."""
    lines = raw.decode("utf-8", errors="surrogateescape").rstrip("\r\n").splitlines()
    if len(lines) != 1 or not lines[0].strip():
        found = f"{len(lines)} lines" if len(lines) > 1 else "nothing"
    elif not lines[0].isprintable():
        found = "characters that nobody can type"
    else:
        return SecretStr(lines[0])
    raise ConfigurationError(f"{variable}: expected the secret as one line of UTF-8 text, found {found}")


def _key(settings: Settings, command: SecretStr) -> tuple[Path, str]:
    return settings.env.home, command.get_secret_value()
