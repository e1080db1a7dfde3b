"""A store account's way from its saved session to a signed-in page: the state machine of sessions.

    ok ── the session no longer opens the portal ──> expired ── login ──> ok
    expired ── one-time password, refusal, lock ──> needs_person ── bootstrap, or a session a person brought ──> ok

An unattended run logs in once at most. It answers a one-time password only where no person is needed for it, and an account that
needs a person is left alone until one has acted: a second wrong password or a flood of codes locks it. Pages and buttons belong
to ``portals``; who remembers the states and holds the locks is an ``AccountBook``.
"""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from crm_assets.browser.chrome import START_SECONDS, BrowserChoice, open_page
from crm_assets.browser.evidence import EvidenceShelf
from crm_assets.browser.fingerprint import Fingerprint
from crm_assets.browser.guard import HostGuard
from crm_assets.browser.profile import Profile
from crm_assets.browser.sealing import parse_key
from crm_assets.browser.sessions import Profiles
from crm_assets.browser.storage import captured
from crm_assets.credentials import Credentials, credentials, profile_keys, secret_name, secret_values
from crm_assets.errors import AccountLocked, LoginMissing, LoginRejected, NeedsPerson, PersonAwaited, StoreSkipped
from crm_assets.logs import say
from crm_assets.model import IST, Account, AccountState, Clock, Store
from crm_assets.otp import automatic_answer
from crm_assets.portals.contract import Portal, SecondFactor, find_portal, site_of
from crm_assets.portals.visit import Visit, in_time, understood
from crm_assets.settings import Settings

EVIDENCE_FOLDER = "evidence"
SCRATCH_PREFIX = "crm_assets_"
NEVER_RETRIED = (LoginRejected.__name__, AccountLocked.__name__)


class AccountBook(Protocol):
    """Who remembers the accounts: ``hold`` lets one run at a time into an account, and raises AccountBusy."""

    def hold(self, store: Store) -> AbstractAsyncContextManager[None]: ...

    def account(self, store: Store) -> Account | None: ...

    def record(
        self,
        store: Store,
        state: AccountState,
        *,
        reason: str | None = None,
        error_code: str | None = None,
        profile_digest: str | None = None,
        signed_in: bool = False,
    ) -> None: ...


class Access(Enum):
    """What an unattended run may do: anything, or only look whether the session a person brought is good."""

    FULL = auto()
    PROBE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every visit of one piece of work has in common; ``headless`` and ``trace`` overrule the settings for it."""

    settings: Settings
    book: AccountBook
    clock: Clock
    run_id: str
    headless: bool | None = None
    trace: bool = False

    @property
    def profiles(self) -> Profiles:
        return profiles_of(self.settings)

    @property
    def shelf(self) -> EvidenceShelf:
        return EvidenceShelf(folder=self.settings.local_dir / EVIDENCE_FOLDER, run_id=self.run_id, clock=self.clock)


@dataclass(slots=True, kw_only=True)
class OpenAccount:
    """A store account in its browser, signed in once ``sign_in`` was there. ``saved`` tells whether this visit kept a session."""

    visit: Visit
    portal: Portal
    fingerprint: Fingerprint
    signed_in_again: bool = field(default=False)
    saved: bool = field(default=False)


def profiles_of(settings: Settings) -> Profiles:
    """The saved sessions of an installation. Raises ConfigurationError when ``CRM_PROFILE_KEY`` is none."""
    return Profiles(folder=settings.profiles_dir, keys=tuple(map(parse_key, profile_keys(settings))))


def access_to(store: Store, known: Account | None, profile_digest: str | None) -> Access:
    """What may be done in an account of which this is known, with the saved session of this digest. Raises PersonAwaited.

    A session other than the one that failed was brought by a person: it is tried. A login is tried with it only where what
    failed was no login: a rejected password is still the rejected one.
    """
    if known is None or known.state is not AccountState.NEEDS_PERSON:
        return Access.FULL
    if profile_digest is None or profile_digest == known.profile_digest:
        raise PersonAwaited(
            f"{store}: waits for a person since {known.since.astimezone(IST):%Y-%m-%d %H:%M}, so the portal was not asked: "
            f"{(known.reason or '').removeprefix(f'{store}: ')}"
        )
    return Access.PROBE if known.error_code in NEVER_RETRIED else Access.FULL


@asynccontextmanager
async def open_account(desk: Desk, store: Store) -> AsyncIterator[OpenAccount]:
    """The store's account, signed in unattended: by its saved session, or by one login from the environment's secrets.

    Hold the account meanwhile. The session is saved where it has just proved good. Raises the errors of ``crm_assets.errors``.
    """
    profiles = desk.profiles
    access = access_to(store, desk.book.account(store), profiles.digest(store))
    profile = profiles.load(store)
    async with visiting(desk, store, profile) as account:
        async with understood(account.visit), in_time(account.visit):
            try:
                await _sign_in_if_needed(desk, account, access, probe=profile is not None)
            except NeedsPerson as error:
                record_person_needed(desk, store, error)
                raise
            except StoreSkipped:
                await _keep_good(desk, account)  # it is signed in; only the store's own business stands before the page
                raise
            await _keep_good(desk, account)
        say(store, "signed in" if account.signed_in_again else "session reused")
        yield account


async def _keep_good(desk: Desk, account: OpenAccount) -> None:
    desk.book.record(account.visit.store, AccountState.OK, signed_in=account.signed_in_again)
    await save_session(desk, account)


async def _sign_in_if_needed(desk: Desk, account: OpenAccount, access: Access, *, probe: bool) -> None:
    """Probe the saved session, and log in where it has ended."""
    visit, store = account.visit, account.visit.store
    if probe and await account.portal.signed_in(visit):
        return
    if access is Access.PROBE:
        raise PersonAwaited(
            f"{store}: the session that was brought is not signed in. Run: {visit.store.bootstrap_command}"
        )
    if probe:
        desk.book.record(store, AccountState.EXPIRED)
    login = await asyncio.to_thread(credentials, desk.settings, store)
    if login is None:
        raise LoginMissing(
            f"{store}: signed out, and there is no login to use. Set {secret_name(store, 'USER')} and "
            f"{secret_name(store, 'PASSWORD')}, or run: {visit.store.bootstrap_command}"
        )
    answer = await asyncio.to_thread(automatic_answer, desk.settings, store, desk.clock)
    account.signed_in_again = True
    await log_in(account, login, SecondFactor(answer=answer) if answer else None)


async def log_in(account: OpenAccount, login: Credentials, second_factor: SecondFactor | None) -> None:
    """Log in once; what was typed shows in no evidence."""
    account.visit.secrets += [login.user, login.password.get_secret_value()]
    await account.portal.sign_in(account.visit, login, second_factor)


def record_person_needed(desk: Desk, store: Store, error: NeedsPerson) -> None:
    """Remember what only a person can settle. A login that is merely missing may be set at any time, and costs no attempt."""
    if isinstance(error, LoginMissing):
        desk.book.record(store, AccountState.EXPIRED, reason=str(error), error_code=error.code)
        return
    known = desk.book.account(store)
    still = isinstance(error, PersonAwaited) and known  # the first failure stands; only the session is another one now
    desk.book.record(
        store,
        AccountState.NEEDS_PERSON,
        reason=known.reason if known and still else str(error),
        error_code=known.error_code if known and still else error.code,
        profile_digest=desk.profiles.digest(store),
    )


async def save_session(desk: Desk, account: OpenAccount) -> Path | None:
    """Keep the session as it is now, unless the page is a signed-out one: then the good one that is saved stays."""
    visit, store = account.visit, account.visit.store
    if not await account.portal.holds_session(visit):
        say(store, "session not saved", "the page is signed out", level=logging.WARNING)
        return None
    state, session_storage = await captured(visit.page)
    profile = Profile(
        state=state, session_storage=session_storage, fingerprint=account.fingerprint, saved_at=desk.clock()
    )
    # The state before this visit stays beside it: saving again after each window must not push it out.
    path = desk.profiles.save(store, profile, keep_previous=not account.saved)
    account.saved = True
    return path


@asynccontextmanager
async def visiting(desk: Desk, store: Store, profile: Profile | None) -> AsyncIterator[OpenAccount]:
    """The store's own browser with a saved session or none, fenced in, with a scratch folder that goes with it."""
    env, crm = desk.settings.env, desk.settings.crm(store.crm)
    site, portal = site_of(store.crm, crm), find_portal(crm.portal)
    guard = HostGuard.of(portal.addresses(site), crm.hosts)
    ends_at = asyncio.get_running_loop().time() + env.store_deadline_s
    choice = BrowserChoice(
        channel=env.browser_channel,
        path=env.browser_path,
        headless=env.headless if desk.headless is None else desk.headless,
    )
    with tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX) as scratch:
        async with open_page(
            choice,
            owner=str(store),
            profile=profile,
            guard=guard,
            page_timeout_seconds=env.page_timeout_seconds,
            start_seconds=min(START_SECONDS, env.store_deadline_s),
            trace=_trace_path(desk, store),
        ) as opened:
            for difference in opened.differences:
                say(store, "fingerprint differs", difference, level=logging.WARNING)
            visit = Visit(
                page=opened.page,
                store=store,
                site=site,
                scratch=Path(scratch),
                clock=desk.clock,
                guard=guard,
                shelf=desk.shelf,
                ends_at=ends_at,
                secrets=list(secret_values(desk.settings, store)),
            )
            yield OpenAccount(visit=visit, portal=portal, fingerprint=opened.fingerprint)
            if guard.blocked:
                say(store, "blocked", guard.summary(), level=logging.WARNING)


def _trace_path(desk: Desk, store: Store) -> Path | None:
    if not desk.trace:
        return None
    path = desk.shelf.trace_path(store)
    say(store, "tracing", f"{path} will hold cookies and what is typed: keep it to yourself", level=logging.WARNING)
    return path
