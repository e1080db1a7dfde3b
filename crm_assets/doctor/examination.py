"""The examination: every part at once where it waits, none in another's way, the whole of it within its time.

The parts' own judgements stand in their modules.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from crm_assets.browser.guard import HostGuard
from crm_assets.doctor import settings as configured
from crm_assets.doctor.browser import BrowserLook, look_at_browser
from crm_assets.doctor.database import DatabaseLook, look_at_database
from crm_assets.doctor.disk import look_at_disk
from crm_assets.doctor.findings import Finding, of_error
from crm_assets.doctor.hosts import STEP_SECONDS, STEPS, look_at_host
from crm_assets.doctor.parts import Part, begin
from crm_assets.doctor.sessions import Around, look_at_sessions
from crm_assets.errors import ConfigurationError
from crm_assets.model import Clock, system_clock
from crm_assets.settings import Settings, load_settings

DATABASE_SECONDS = 12  # libpq gives up after 10, and says where
EMBEDDED_SECONDS = 60  # the first start makes the whole server
BROWSER_SECONDS = 60
DAGSTER_SECONDS = 30
FILE_SECONDS = 40  # a password manager that is asked for the key has 30
Findings = Part[list[Finding]]


def examined(environ: Mapping[str, str] | None = None, clock: Clock = system_clock) -> list[Finding]:
    """Everything there is to say of this installation; settings that do not load are all there is to say."""
    given = dict(os.environ if environ is None else environ)
    try:
        settings = load_settings(given)
    except ConfigurationError as error:
        return [of_error("settings", Path(given.get("CRM_ENV_FILE", ".env")).name, error)]
    database = begin("database", "server", _database_seconds(settings), lambda: look_at_database(settings, clock))
    browser = begin("browser", settings.env.browser_channel, BROWSER_SECONDS, lambda: look_at_browser(settings))
    hosts = list(_hosts(settings, clock))
    own = list(_settings(settings, given))
    disk = begin("disk", "folders", FILE_SECONDS, lambda: list(look_at_disk(settings)))
    answered = _or_failed(database.ended())
    dagster = begin("dagster", "instance", DAGSTER_SECONDS, lambda: _dagster(settings, answered, clock))
    seen = browser.ended()
    shown = seen if isinstance(seen, BrowserLook) else BrowserLook(findings=[seen])
    around = Around(settings=settings, accounts=answered.accounts, browser=shown.fingerprint, now=clock())
    sessions = begin("session", "all", FILE_SECONDS, lambda: look_at_sessions(around))
    return [
        *_all(own),
        *answered.findings,
        *shown.findings,
        *_all(hosts),
        *_all([sessions, disk, dagster]),
    ]


def _settings(settings: Settings, environ: Mapping[str, str]) -> Iterator[Findings]:
    yield _setting("stores.yaml", lambda: [configured.loaded(settings)])
    yield _setting("env file", lambda: [configured.env_file(environ)])
    yield _setting("logins", lambda: list(configured.logins(settings)))
    yield _setting("CRM_PROFILE_KEY", lambda: [configured.profile_key(settings)])
    yield _setting("CRM_ALERT_URLS", lambda: [configured.alert_addresses(settings)])
    yield _setting("CRM_DIGEST_URLS", lambda: [configured.digest_addresses(settings)])
    for crm in settings.crms:
        yield _setting(f"crms.{crm}", partial(_portal, settings, crm))


def _setting(name: str, look: Callable[[], list[Finding]]) -> Findings:
    return begin("settings", name, FILE_SECONDS, look)


def _portal(settings: Settings, crm: str) -> list[Finding]:
    return [configured.portal(settings, crm)]


def _hosts(settings: Settings, clock: Clock) -> Iterator[Findings]:
    """Every address once; a site that does not load is said where the settings are."""
    guards: dict[str, HostGuard] = {}
    for code, crm in settings.crms.items():
        with suppress(ConfigurationError):
            addresses = configured.addresses_of(settings, code)
            for address in addresses:
                guards.setdefault(address, HostGuard.of(addresses, crm.hosts))
    for address, guard in guards.items():
        name, seconds = address.partition("://")[2], STEPS * STEP_SECONDS + 1
        yield begin("host", name, seconds, partial(look_at_host, address, guard, clock))


def _dagster(settings: Settings, database: DatabaseLook, clock: Clock) -> list[Finding]:
    from crm_assets.doctor.dagster import look_at_dagster, not_examined

    if not database.reached:
        return [not_examined("its storage is the database, which does not answer", "Mend the database first")]
    if not database.dagster_schema:
        return [not_examined("the schema dagster is not there yet", "Run: crm_download migrate")]
    return look_at_dagster(settings, clock)


def _database_seconds(settings: Settings) -> int:
    return DATABASE_SECONDS if settings.env.database_url else EMBEDDED_SECONDS


def _or_failed(look: DatabaseLook | Finding) -> DatabaseLook:
    return look if isinstance(look, DatabaseLook) else DatabaseLook(findings=[look])


def _all(parts: Iterable[Findings]) -> Iterator[Finding]:
    for part in parts:
        ended = part.ended()
        yield from [ended] if isinstance(ended, Finding) else ended
