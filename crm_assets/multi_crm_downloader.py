"""Bootstrap and download for any store: session, portal, landed file. Knows no Dagster and no SQL.

One browser per store account; several stores at once are several browsers in one event loop. What happens is told to a
``Journal`` while it happens, so that whoever keeps the books can write a line before the browser starts. How an account comes to
be signed in belongs to ``account.py``.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from crm_assets import landing, workbook
from crm_assets.account import (
    AccountBook,
    Desk,
    OpenAccount,
    log_in,
    open_account,
    record_person_needed,
    save_session,
    visiting,
)
from crm_assets.browser.profile import Profile
from crm_assets.cancellation import run_to_end
from crm_assets.credentials import Credentials, secret_name
from crm_assets.errors import (
    BadReport,
    BrowserFroze,
    CrmError,
    LoginMissing,
    NeedsPerson,
    OtpRequired,
    PersonAwaited,
    PortalTrouble,
    RunCancelled,
    StoreSkipped,
)
from crm_assets.logs import say
from crm_assets.model import Clock, Download, Export, Report, Store, Window, system_clock
from crm_assets.otp import Answer, attended_answer
from crm_assets.portals.contract import SecondFactor
from crm_assets.portals.visit import Visit, in_time, understood
from crm_assets.session_care import keep_signed_in, opens
from crm_assets.settings import Settings

PERSON_SECONDS = 300
CODES_TRIED = 3


class Journal(AccountBook, Protocol):
    """Who keeps the books of a download: ``started`` is called before anything is asked of the portal.

    ``fetched_meanwhile``: whether another run did this work before the account was ours.
    ``pending_request``: when an earlier attempt asked the portal for this very window, and did not wait to the end.
    """

    run_id: str

    def started(self, store: Store, report: Report, window: Window) -> None: ...

    def fetched_meanwhile(self, store: Store, report: Report, window: Window) -> bool: ...

    def pending_request(self, store: Store, report: Report, window: Window) -> datetime | None: ...

    def landed(self, download: Download) -> None: ...

    def failed(self, store: Store, report: Report, window: Window, error: CrmError) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to fetch from one store account: a report and its windows, oldest first."""

    store: Store
    report: Report
    windows: tuple[Window, ...]


def download_all(
    settings: Settings,
    orders: Sequence[Order],
    journal: Journal,
    *,
    headless: bool | None = None,
    trace: bool = False,
    clock: Clock = system_clock,
) -> None:
    """Fetch every order, the stores beside each other; each store and each window fails alone, into the journal.

    Raises KeyboardInterrupt when a signal ended it: browsers are gone then, and the windows not done are in the journal.
    """
    desk = Desk(settings=settings, book=journal, clock=clock, run_id=journal.run_id, headless=headless, trace=trace)
    run_to_end(_all_of(settings, [partial(_download_store, desk, order, journal) for order in orders]))


def bootstrap_in_window(desk: Desk, store: Store, login: Credentials | None) -> Path:
    """Open the login page in a window, filled with what is known; save the session once the person has signed in.

    Returns the profile's path. Raises PersonAwaited when the window was closed, or nobody signed in within five minutes.
    """

    async def by_hand(account: OpenAccount) -> None:
        visit = account.visit
        visit.secrets += [login.user, login.password.get_secret_value()] if login else []
        await account.portal.open_login(visit, login)
        say(
            store,
            "waiting for a person",
            f"sign in in the browser's window within {PERSON_SECONDS} s; it closes by itself",
        )
        try:
            async with asyncio.timeout(PERSON_SECONDS):
                await account.portal.arrived(visit, 2 * PERSON_SECONDS)  # ours is the limit that ends it
        except TimeoutError:
            raise PersonAwaited(
                f"{store}: expected a person to sign in within {PERSON_SECONDS} s, but the window is still at {visit.address}. "
                f"Run again: {visit.store.bootstrap_command}"
            ) from None

    return run_to_end(_bootstrap(desk, store, by_hand, patience=PERSON_SECONDS))


def bootstrap_in_terminal(desk: Desk, store: Store, login: Credentials, ask: Answer) -> Path:
    """Sign in without a window; a one-time password comes from the store's OTP settings, or from ``ask``."""

    async def typed(account: OpenAccount) -> None:
        answer = await asyncio.to_thread(attended_answer, desk.settings, store, desk.clock, ask)
        await log_in(account, login, SecondFactor(answer=answer, tries=CODES_TRIED))

    return run_to_end(_bootstrap(desk, store, typed, patience=CODES_TRIED * PERSON_SECONDS))


def bootstrap_from_file(desk: Desk, store: Store, login: Credentials | None, state_file: Path) -> Path:
    """Accept a storage state that was made on another machine, once it opens the portal here: by its session, or by the trust
    that its cookies carry (TumbleDry honours no session, but asks no one-time password of a browser it knows).
    """
    profile = desk.profiles.imported(store, state_file)

    async def trusted(account: OpenAccount) -> None:
        if login is None:
            raise LoginMissing(
                f"{store}: expected a session that is signed in, but the one in {state_file} has ended, and there is no login to "
                f"go on with. Nothing was changed. Bring a newer one, or set {secret_name(store, 'USER')} and "
                f"{secret_name(store, 'PASSWORD')}"
            )
        try:
            await log_in(account, login, None)
        except OtpRequired:
            raise OtpRequired(
                f"{store}: expected a session that the portal trusts, but with the one in {state_file} it asks for an OTP. "
                f"Nothing was changed. Sign in here: {store.bootstrap_command}"
            ) from None

    return run_to_end(_bootstrap(desk, store, trusted, brought=profile))


async def _bootstrap(
    desk: Desk,
    store: Store,
    sign_in: Callable[[OpenAccount], Awaitable[None]],
    *,
    brought: Profile | None = None,
    patience: float = 0,
) -> Path:
    """Sign in with a person's help, for whom ``patience`` seconds more are waited, and keep the session.

    A session that was ``brought`` and is refused changes nothing.
    """
    async with desk.book.hold(store):
        profile = brought or desk.profiles.load(store)
        async with visiting(desk, store, profile) as account, _window_open(desk, account.visit):
            account.visit.ends_at += patience
            async with understood(account.visit), in_time(account.visit):
                again = profile is None or not await opens(account)
                if again:
                    await _sign_in_attended(desk, account, sign_in, record=brought is None)
                return await keep_signed_in(desk, account, signed_in=again)


async def _sign_in_attended(
    desk: Desk, account: OpenAccount, sign_in: Callable[[OpenAccount], Awaitable[None]], *, record: bool
) -> None:
    """A person who did not act, or went away, tells nothing new of the account: its state stays what it was."""
    try:
        await sign_in(account)
    except StoreSkipped as error:
        say(account.visit.store, "notice", error)
    except NeedsPerson as error:
        if record and not isinstance(error, PersonAwaited):
            record_person_needed(desk, account.visit.store, error)
        raise


@asynccontextmanager
async def _window_open(desk: Desk, visit: Visit) -> AsyncIterator[None]:
    """A person may close the window, which shows as trouble of the portal in whatever was under way."""
    try:
        yield
    except PortalTrouble:
        if desk.headless or not visit.page.is_closed():
            raise
        raise PersonAwaited(
            f"{visit.store}: the window was closed before the session was saved (during: {visit.at}). It closes by itself. "
            f"Run again: {visit.store.bootstrap_command}"
        ) from None


async def _all_of(settings: Settings, stores: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Every store to its end, ``CRM_PARALLEL_STORES`` at once, whatever happens to another; then the first error, if any."""
    places = asyncio.Semaphore(settings.env.parallel_stores)

    async def in_turn(store: Callable[[], Awaitable[None]]) -> None:
        async with places:
            await store()

    for outcome in await asyncio.gather(*map(in_turn, stores), return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def _download_store(desk: Desk, order: Order, journal: Journal) -> None:
    """One store's windows in one session; when the session itself fails, so do its windows."""
    store, waiting = order.store, list(order.windows)
    try:
        async with journal.hold(store):
            waiting = [window for window in waiting if not journal.fetched_meanwhile(store, order.report, window)]
            if not waiting:
                return
            journal.started(store, order.report, waiting[0])
            async with open_account(desk, store) as account:
                await _download_windows(desk, account, order, journal, waiting)
    except CrmError as error:
        for window in waiting:
            journal.failed(store, order.report, window, error)
    except asyncio.CancelledError:
        for window in waiting:
            journal.failed(store, order.report, window, RunCancelled(f"{store}: the run was cancelled. Start it again"))
        raise


async def _download_windows(
    desk: Desk, account: OpenAccount, order: Order, journal: Journal, waiting: list[Window]
) -> None:
    """Each window is an attempt with a deadline of its own, and takes itself off the list; the first had the sign-in, too."""
    first = waiting[0]
    for window in list(waiting):
        if window != first:
            account.visit.ends_at = asyncio.get_running_loop().time() + desk.settings.env.store_deadline_s
            journal.started(order.store, order.report, window)
        try:
            account.visit.pending_request = journal.pending_request(order.store, order.report, window)
            journal.landed(await _export(desk, account, order.report, window))
        except (NeedsPerson, BrowserFroze, StoreSkipped):
            raise
        except CrmError as error:
            journal.failed(order.store, order.report, window, error)
        waiting.remove(window)


async def _good_export(desk: Desk, account: OpenAccount, report: Report, window: Window) -> Export:
    """The portal's file, seen to be a workbook. The scratch folder goes with the browser, so a refused file is kept elsewhere."""
    visit = account.visit
    file = visit.scratch_file(window)
    file.unlink(missing_ok=True)
    try:
        export = await account.portal.export(visit, report, window)
        workbook.sniff(export.file)
    except BadReport as error:
        if file.exists():
            name = landing.canonical_name(report, visit.store, window)
            kept = landing.set_aside(file, desk.settings.downloads_dir, name, visit.now())
            error.args = (f"{str(error).rstrip('.')}. It was kept as {kept}",)
        raise
    return export


async def _export(desk: Desk, account: OpenAccount, report: Report, window: Window) -> Download:
    """Export one window, look at its first bytes, save the session that was good for it, land the file."""
    visit, store = account.visit, account.visit.store
    started = visit.now()
    async with understood(visit), in_time(visit):
        await visit.refresh_spent_page()
        export = await _good_export(desk, account, report, window)
        await save_session(desk, account)
    file = landing.land(export.file, desk.settings.downloads_dir, report, store, window)
    say(store, "downloaded", file.name)
    return Download(
        store=store,
        window=window,
        file=file,
        bytes=file.stat().st_size,
        md5=landing.md5(file),
        strategy=export.strategy,
        requested_at=export.requested_at,
        suggested_name=export.suggested_name,
        claims=export.claims,
        signed_in_again=account.signed_in_again,
        blocked_requests=visit.guard.blocked.total(),
        seconds=(visit.now() - started).total_seconds(),
    )
