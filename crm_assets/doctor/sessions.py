"""The saved sessions: readable, sealed when there is a key, not too old, made by this browser, and the account's own state.

The files are read and never changed; whether a portal still honours one is asked by ``crm_download sessions test``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_assets.account import profiles_of
from crm_assets.browser.fingerprint import Fingerprint
from crm_assets.browser.sessions import Profiles
from crm_assets.credentials import has_login, secret_name
from crm_assets.doctor.findings import Finding, Level, green, of_error, red, yellow
from crm_assets.errors import ConfigurationError
from crm_assets.model import Account, AccountState, Store
from crm_assets.session_facts import SessionFacts, session_facts
from crm_assets.settings import PROFILE_KEY, Settings

SUBJECT = "session"
OLD = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a session is compared with: ``accounts`` None when the database does not say, ``browser`` None when none starts."""

    settings: Settings
    accounts: Sequence[Account] | None
    browser: Fingerprint | None
    now: datetime


def look_at_sessions(around: Around) -> list[Finding]:
    """Every store's session: its problems, or one green finding."""
    try:
        profiles = profiles_of(around.settings)
    except ConfigurationError:
        return [yellow(SUBJECT, "all", f"not examined: {PROFILE_KEY} is no key", f"Mend {PROFILE_KEY} first")]
    stores = [store for crm in around.settings.crms for store in around.settings.stores(crm)]
    return [finding for store in stores for finding in _of_store(around, profiles, store)]


def _of_store(around: Around, profiles: Profiles, store: Store) -> list[Finding]:
    known = next((one for one in around.accounts or () if (one.crm, one.store) == (store.crm, store.code)), None)
    facts = session_facts(profiles, store, known)
    login = has_login(around.settings, store)
    found = [*_file(around, profiles, facts, login=login), *_account(facts, login=login)]
    problems = [finding for finding in found if finding.level is not Level.GREEN]
    return problems or [green(SUBJECT, str(store), "; ".join(finding.found for finding in found))]


def _file(around: Around, profiles: Profiles, facts: SessionFacts, *, login: bool) -> Iterator[Finding]:
    """What the saved file is like."""
    name = str(facts.store)
    if facts.problem:
        yield of_error(SUBJECT, name, ConfigurationError(facts.problem.removeprefix(f"{name}: ")))
    elif facts.saved:
        yield from _saved(around, profiles, facts)
    elif login:
        yield green(SUBJECT, name, "nothing is saved; the next run logs in by itself")
    else:
        yield yellow(
            SUBJECT, name, "there is neither a saved session nor a login", _set_login_or_bootstrap(facts.store)
        )


def _saved(around: Around, profiles: Profiles, facts: SessionFacts) -> Iterator[Finding]:
    name = str(facts.store)
    named = f"--crm {facts.store.crm} --store {facts.store.code}"
    age = around.now - facts.saved_at if facts.saved_at else None
    if age and age > OLD:
        found = f"saved {age.days} days ago; portals forget sessions that old"
        yield yellow(SUBJECT, name, found, f"See whether it still opens: crm_download sessions test {named}")
    else:
        yield green(
            SUBJECT, name, f"{facts.form}, saved {_ago(age)}" if age is not None else f"{facts.form}, of unknown age"
        )
    if profiles.keys and not facts.sealed:
        yield yellow(SUBJECT, name, f"plain, although {PROFILE_KEY} is set", f"Run: crm_download sessions seal {named}")
    for difference in _differences(facts.fingerprint, around.browser):
        advice = f"If the portal asks for a code again, run: {facts.store.bootstrap_command}"
        yield yellow(SUBJECT, name, f"the portal may notice another browser: {difference}", advice)


def _account(facts: SessionFacts, *, login: bool) -> Iterator[Finding]:
    """What is remembered of the account, where the database says."""
    account, name = facts.account, str(facts.store)
    if account is None:
        return
    if account.state is AccountState.NEEDS_PERSON:
        reason = (account.reason or account.error_code or "").removeprefix(f"{name}: ").partition(". ")[0]
        found = f"the account waits for a person since {account.since:%Y-%m-%d %H:%M}: {reason}"
        yield red(SUBJECT, name, found, f"Run: {facts.store.bootstrap_command}")
    elif account.state is AccountState.OK:
        yield green(SUBJECT, name, "the account is ok")
    elif login:
        yield green(SUBJECT, name, "the session has ended; the next run logs in")
    elif facts.saved:
        yield yellow(SUBJECT, name, "the session has ended and there is no login", _set_login_or_bootstrap(facts.store))


def _differences(made_by: Fingerprint | None, browser: Fingerprint | None) -> list[str]:
    return made_by.differences(browser) if made_by and browser else []


def _ago(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{age.days} days ago" if hours >= 48 else f"{hours} hours ago"


def _set_login_or_bootstrap(store: Store) -> str:
    return f"Set {secret_name(store, 'USER')} and {secret_name(store, 'PASSWORD')}, or run: {store.bootstrap_command}"
