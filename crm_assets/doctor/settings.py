"""What is configured: the env file, the logins, the key of the sessions, the portals.

That the settings load at all is known before (``crm_assets.settings``). No login's command is run here, and nothing is shown but
names: a password manager is not to be asked for all passwords by whoever wants to know how the disk is.
"""

import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from crm_assets.browser.sealing import parse_key
from crm_assets.credentials import (
    LOGIN_PARTS,
    addresses,
    command_arguments,
    has_login,
    profile_keys,
    secret,
    secret_name,
)
from crm_assets.doctor.findings import Finding, green, of_error, red, yellow
from crm_assets.errors import ConfigurationError
from crm_assets.model import Store
from crm_assets.notify import readable
from crm_assets.portals.contract import find_portal, site_of
from crm_assets.settings import ALERT_URLS, DIGEST_URLS, PROFILE_KEY, PROJECT_ROOT, SECRET_NAME, Settings

SUBJECT = "settings"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def loaded(settings: Settings) -> Finding:
    """That everything stands where it should, and how much of it there is."""
    count = sum(len(crm.stores) for crm in settings.crms.values())
    file = settings.path(settings.env.stores_file)
    return green(SUBJECT, file.name, f"the settings load: {len(settings.crms)} CRMs, {count} stores")


def env_file(environ: Mapping[str, str]) -> Finding:
    """Whether the env file is for its owner's eyes alone, as far as it holds a secret."""
    path = Path(environ.get("CRM_HOME") or PROJECT_ROOT) / environ.get("CRM_ENV_FILE", ".env")
    if not path.is_file():
        return green(SUBJECT, path.name, "there is no env file; all settings come from the environment")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & OTHERS and _holds_secrets(dotenv_values(path)):
        return yellow(
            SUBJECT,
            path.name,
            f"other users may read it ({mode:04o}), and it holds passwords",
            f"Run: chmod 600 {path}",
        )
    return green(SUBJECT, path.name, f"read, mode {mode:04o}")


def _holds_secrets(values: Mapping[str, str | None]) -> bool:
    """The names with _FILE and _COMMAND only lead to a secret."""
    named = (name for name, value in values.items() if value and SECRET_NAME.match(name))
    database = urlsplit(values.get("CRM_DATABASE_URL") or "")
    return bool(database.password) or any(not name.endswith(("_FILE", "_COMMAND")) for name in named)


def logins(settings: Settings) -> Iterator[Finding]:
    """How many stores have a login, and which secrets cannot be had. A store without one is its session's matter."""
    stores = [store for crm in settings.crms for store in settings.stores(crm)]
    wrong = [finding for store in stores for finding in _unreadable(settings, store)]
    yield from wrong
    if not wrong:
        have = sum(has_login(settings, store) for store in stores)
        yield green(SUBJECT, "logins", f"{have} of {len(stores)} stores have a login")


def _unreadable(settings: Settings, store: Store) -> Iterator[Finding]:
    for name in (secret_name(store, part) for part in LOGIN_PARTS):
        command = f"{name}_COMMAND"
        try:
            if command not in settings.secrets:
                secret(settings, name)
            elif not _is_there(settings, command_arguments(settings, command)[0]):
                yield red(SUBJECT, str(store), f"the command in {command} is not there", f"Mend {command}")
        except ConfigurationError as error:
            yield of_error(SUBJECT, str(store), error, next_step=f"Mend {str(error).partition(':')[0]}")


def _is_there(settings: Settings, program: str) -> bool:
    """A name is looked for on the PATH, a path from the project's home, where the command would run."""
    return shutil.which(str(settings.path(Path(program))) if "/" in program else program) is not None


def profile_key(settings: Settings) -> Finding:
    """Whether the keys of the sessions are keys.

    None is no fault: a plain session is refused unless its owner alone may read it. What is worth a look is a session that stayed
    plain although there is a key; that is the session's own finding.
    """
    try:
        keys = [parse_key(key) for key in profile_keys(settings)]
    except ConfigurationError as error:
        return of_error(SUBJECT, PROFILE_KEY, error, next_step="Make one with: openssl rand -base64 32")
    if not keys:
        return green(SUBJECT, PROFILE_KEY, "not set: sessions are kept plain, for their owner's eyes alone")
    return green(SUBJECT, PROFILE_KEY, f"set, {len(keys)} key{'s' * (len(keys) > 1)}: sessions are sealed")


def alert_addresses(settings: Settings) -> Finding:
    """Whether anybody is told, and the addresses can be read; nothing is sent."""
    try:
        services = readable(addresses(settings, ALERT_URLS), ALERT_URLS)
    except ConfigurationError as error:
        return of_error(SUBJECT, ALERT_URLS, error, next_step="Mend it, then try: crm_download alerts --test")
    if not services:
        found = "not set: nobody is told when something goes wrong by itself"
        return yellow(SUBJECT, ALERT_URLS, found, "Set an address, then try: crm_download alerts --test")
    return green(SUBJECT, ALERT_URLS, f"set, {len(services)} address{'es' * (len(services) > 1)}")


def digest_addresses(settings: Settings) -> Finding:
    """Whether the daily digest is sent, and the addresses can be read; nothing is sent."""
    try:
        services = readable(addresses(settings, DIGEST_URLS), DIGEST_URLS)
    except ConfigurationError as error:
        return of_error(SUBJECT, DIGEST_URLS, error, next_step="Mend it, then try: crm_download digest --send")
    sent = (
        f"set, {len(services)} address{'es' * (len(services) > 1)}"
        if services
        else "not set: the digest is a file only"
    )
    return green(SUBJECT, DIGEST_URLS, sent)


def portal(settings: Settings, crm: str) -> Finding:
    """Whether the CRM's module and addresses load."""
    try:
        addresses = addresses_of(settings, crm)
    except ConfigurationError as error:
        return of_error(SUBJECT, f"crms.{crm}", error, next_step="Mend it in stores.yaml")
    return green(SUBJECT, f"crms.{crm}", f"the portal loads, with {_listed(addresses)}")


def addresses_of(settings: Settings, crm: str) -> tuple[str, ...]:
    """The origins of the CRM's site. Raises ConfigurationError."""
    entry = settings.crm(crm)
    site = site_of(crm, entry)
    return tuple(dict.fromkeys(find_portal(entry.portal).addresses(site)))


def _listed(addresses: Iterable[str]) -> str:
    return ", ".join(urlsplit(address).netloc for address in addresses)
