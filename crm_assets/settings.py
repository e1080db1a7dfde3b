"""Settings: the environment and ``.env``, with the store list, read once, validated, frozen.

Every setting is documented in ``.env.example``. A value is never shown in an error, only its shape: it may be a secret. The
variables of secrets are kept as they are given: reading the file or running the command that one names belongs to
``credentials.py``. What a store list looks like belongs to ``store_list.py``.
"""

import difflib
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PostgresDsn,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from crm_assets.errors import ConfigurationError
from crm_assets.model import Store
from crm_assets.store_list import Crm, read_store_list

PROJECT_ROOT = Path(__file__).resolve().parents[1]
PROFILE_KEY = "CRM_PROFILE_KEY"
ALERT_URLS = "CRM_ALERT_URLS"
DIGEST_URLS = "CRM_DIGEST_URLS"
OWN_SECRETS = (PROFILE_KEY, ALERT_URLS, DIGEST_URLS)
"""Those of the installation, not of an account."""

SECRET_PARTS = ("USER", "PASSWORD", "OTP_SECRET")
"""What an account may have: ``CRM_<CRM>_<STORE>_<part>``, given as one of the ``WAYS``."""

WAYS = ("", "_FILE", "_COMMAND")
"""A secret's own text, the file that holds it, or the command that prints it."""

CODE_PARTS = ("OTP_FILE", "OTP_COMMAND")
"""Where a one-time code appears: no secret of its own, so there is no third way."""

SECRET_NAME = re.compile(
    r"^CRM_(PROFILE_KEY|ALERT_URLS|DIGEST_URLS|[A-Z0-9]+_[A-Z0-9_]+_(USER|PASSWORD|OTP_SECRET))(_FILE|_COMMAND)?$"
    r"|^CRM_[A-Z0-9]+_[A-Z0-9_]+_OTP_(FILE|COMMAND)$"
)


FOR_EVER = math.inf


def _days(value: object) -> object:
    """``true`` keeps for ever, ``false`` not at all; anything else is a number of days."""
    words = {"true": FOR_EVER, "yes": FOR_EVER, "forever": FOR_EVER, "false": 0, "no": 0}
    return words.get(str(value).strip().lower(), value)


Days = Annotated[float, BeforeValidator(_days), Field(ge=0)]


class Environment(BaseModel):
    """What the environment says; every field is ``CRM_<NAME>`` and has a default, so that the demo needs none."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    home: Path = Field(default=PROJECT_ROOT, description="folder that relative paths start from", examples=["/srv/crm"])
    stores_file: Path = Field(
        default=Path("stores.yaml"), description="path of the store list", examples=["/etc/crm/stores.yaml"]
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL URL; none starts the embedded server",
        examples=["postgresql://crm:secret@db.internal:5432/crm"],
    )
    profiles_dir: Path = Field(
        default=Path("profiles"), description="folder of the saved sessions", examples=["/var/lib/crm/profiles"]
    )
    downloads_dir: Path = Field(
        default=Path("downloads"), description="folder of the raw files", examples=["/var/lib/crm/downloads"]
    )
    digests_dir: Path = Field(
        default=Path("digests"), description="folder of the daily digests", examples=["/var/lib/crm/digests"]
    )
    local_dir: Path = Field(
        default=Path(".local"), description="folder of what the scripts make", examples=["/var/lib/crm/local"]
    )
    browser_channel: str = Field(
        default="chrome", description="browser channel tried first", examples=["chrome", "chromium"]
    )
    browser_path: Path | None = Field(
        default=None, description="path of the browser to use, above any channel", examples=["/usr/bin/chromium"]
    )
    headless: bool = Field(default=True, description="true or false", examples=["true"])
    keep_files: Days = Field(
        default=0,
        description="false, true for ever, or a number of days: keep raw files after ingestion",
        examples=["30"],
    )
    keep_refused_days: Days = Field(
        default=90, description="number of days, or true for ever: keep files that were refused", examples=["90"]
    )
    keep_evidence_days: Days = Field(
        default=30, description="number of days, or true for ever: keep pictures and pages of failures", examples=["30"]
    )
    keep_log_days: Days = Field(
        default=30,
        description="number of days, or true for ever: keep the log lines of Dagster's runs",
        examples=["30"],
    )
    min_free_mb: int = Field(
        default=200,
        ge=0,
        description="whole number of at least 0: megabytes that must be free on a disk before a download starts",
        examples=["200"],
    )
    max_reject_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="number from 0 to 1: a larger share of rows that break a rule refuses the file (3 rows never do)",
        examples=["0.2"],
    )
    max_lost_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="number from 0 to 1: a file that lacks a larger share of a day's loaded rows is refused (3 rows never do)",
        examples=["0.2"],
    )
    store_deadline_s: int = Field(
        default=300,
        ge=10,
        description="whole number of at least 10: hard limit of one attempt at a store: sign-in and export of one window",
        examples=["300"],
    )
    account_wait_s: int = Field(
        default=900,
        ge=1,
        description="whole number of at least 1: how long a run waits for another one that works in the same account",
        examples=["900"],
    )
    parallel_stores: int = Field(
        default=4, ge=1, description="whole number of at least 1: browsers at work at once", examples=["4"]
    )
    page_timeout_seconds: int = Field(
        default=45, ge=1, description="whole number of at least 1: limit of one wait on a page", examples=["45"]
    )

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and value.get_secret_value():
            TypeAdapter(PostgresDsn).validate_python(_with_host(value.get_secret_value()))
            return value
        return None


def _with_host(url: str) -> str:
    """A socket URL carries its host as ``?host=/path``; pydantic wants one between the slashes."""
    return re.sub(r"@(?=/)", "@localhost", url, count=1) if "host=" in url else url


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that is configured, with paths made absolute; ``secrets`` as the variables have them."""

    env: Environment
    crms: Mapping[str, Crm]
    secrets: Mapping[str, SecretStr]

    def crm(self, code: str) -> Crm:
        if code not in self.crms:
            raise ConfigurationError(f"unknown CRM {code!r}: expected one of {_listed(self.crms)} (see stores.yaml)")
        return self.crms[code]

    def store(self, crm: str, code: str) -> Store:
        stores = self.crm(crm).stores
        if code not in stores:
            raise ConfigurationError(
                f"unknown store {crm}/{code}: expected one of {_listed(stores)} or 'all' (stores are listed in stores.yaml)"
            )
        return Store(crm=crm, code=code, **stores[code].model_dump(exclude={"slots"}))

    def stores(self, crm: str) -> tuple[Store, ...]:
        return tuple(self.store(crm, code) for code in self.crm(crm).stores)

    def path(self, setting: Path) -> Path:
        """A configured path, made absolute from the project's home."""
        return self.env.home / setting.expanduser()

    @property
    def profiles_dir(self) -> Path:
        return self.path(self.env.profiles_dir)

    @property
    def downloads_dir(self) -> Path:
        return self.path(self.env.downloads_dir)

    @property
    def digests_dir(self) -> Path:
        return self.path(self.env.digests_dir)

    @property
    def local_dir(self) -> Path:
        return self.path(self.env.local_dir)


def secret_prefix(crm: str, code: str) -> str:
    """``CRM_TD_A668``, which the names of all secrets of ``td/a668`` begin with."""
    return f"CRM_{crm}_{code}".upper().replace("-", "_")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment, the env file (``CRM_ENV_FILE``, default ``.env``) and the store list.

    The environment wins over the env file. Raises ConfigurationError with the setting's name, what was expected and an example.
    """
    given = dict(os.environ if environ is None else environ)
    home = Path(given.get("CRM_HOME") or PROJECT_ROOT)
    values = _env_file(home / given.get("CRM_ENV_FILE", ".env"), must_exist="CRM_ENV_FILE" in given) | given
    values = {name: value for name, value in values.items() if name.startswith("CRM_") and value}
    _refuse_misspelt(values)
    env = _environment(values)
    crms = read_store_list(env.home / env.stores_file.expanduser())
    _refuse_misspelt_secrets(values, crms)
    _refuse_doubled_secrets(values, crms)
    secrets = {name: SecretStr(value) for name, value in values.items() if SECRET_NAME.match(name)}
    return Settings(env=env, crms=crms, secrets=secrets)


def _env_file(path: Path, *, must_exist: bool) -> dict[str, str]:
    if not path.is_file():
        if must_exist:
            raise ConfigurationError(f"CRM_ENV_FILE: expected a file of NAME=value lines, found nothing at {path}")
        return {}
    return {name: value for name, value in dotenv_values(path).items() if value is not None}


def _environment(values: Mapping[str, str]) -> Environment:
    try:
        return Environment(**{name.removeprefix("CRM_").lower(): value for name, value in values.items()})
    except ValidationError as error:
        raise ConfigurationError("\n".join(_refusal(values, str(e["loc"][0])) for e in error.errors())) from None


def _refusal(values: Mapping[str, str], field: str) -> str:
    name, info = f"CRM_{field.upper()}", Environment.model_fields[field]
    example = info.examples[0] if info.examples else ""
    return (
        f"{name}: expected {info.description}, found a text of {len(values.get(name, ''))} characters. "
        f"Example: {name}={example}"
    )


def _known_settings() -> set[str]:
    named = {f"CRM_{field.upper()}" for field in Environment.model_fields}
    ways = {f"{name}{way}" for name in OWN_SECRETS for way in WAYS}
    return named | {"CRM_ENV_FILE", "CRM_DAGSTER_DATABASE_URL"} | ways


def _refuse_misspelt(values: Mapping[str, str]) -> None:
    known = _known_settings()
    for name in sorted(values.keys() - known):
        meant = difflib.get_close_matches(name, known, n=1, cutoff=0.88)
        if meant and not SECRET_NAME.match(name):
            raise ConfigurationError(
                f"{name}: unknown setting. Did you mean {meant[0]}? All settings stand in .env.example"
            )


def _refuse_misspelt_secrets(values: Mapping[str, str], crms: Mapping[str, Crm]) -> None:
    """A secret of a store that is not listed is let be; under a listed store's prefix every name must be a known one."""
    for store, prefix in _prefixes(crms):
        for name in sorted(values.keys() - _known_settings()):
            if name.startswith(f"{prefix}_") and not SECRET_NAME.match(name):
                parts = [*(f"{part}{way}" for part in SECRET_PARTS for way in WAYS), *CODE_PARTS]
                meant = difflib.get_close_matches(name, [f"{prefix}_{part}" for part in parts], n=1, cutoff=0.88)
                raise ConfigurationError(
                    f"{name}: unknown setting. {f'Did you mean {meant[0]}? ' if meant else ''}"
                    f"For {store} there are {', '.join(f'{prefix}_{part}' for part in SECRET_PARTS)}, each also with "
                    f"_FILE or _COMMAND, and {' and '.join(f'{prefix}_{part}' for part in CODE_PARTS)}"
                )


def _refuse_doubled_secrets(values: Mapping[str, str], crms: Mapping[str, Crm]) -> None:
    """Two ways to one secret could lead to two secrets, and nobody would see which one was tried."""
    names = (f"{prefix}_{part}" for _, prefix in _prefixes(crms) for part in SECRET_PARTS)
    for name in (*OWN_SECRETS, *names):
        given = [f"{name}{way}" for way in WAYS if f"{name}{way}" in values]
        if len(given) > 1:
            raise ConfigurationError(
                f"{given[0]}: expected one way to this secret, found also {' and '.join(given[1:])}"
            )


def _prefixes(crms: Mapping[str, Crm]) -> Iterator[tuple[str, str]]:
    """Each listed store with the prefix of its secrets."""
    for crm, entry in crms.items():
        for code in entry.stores:
            yield f"{crm}/{code}", secret_prefix(crm, code)


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names))
