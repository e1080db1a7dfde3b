"""Bootstrap and download for any store: session, portal, landed file. Knows no Dagster and no SQL.

One browser per store account; several stores at once are several browsers in one event loop. What happens is told to a
``Journal`` while it happens, so that whoever keeps the books can write a line before the browser starts.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from crm_assets import landing, workbook
from crm_assets.browser import sessions
from crm_assets.browser.chrome import BrowserChoice, open_page
from crm_assets.errors import (
    BrowserFroze,
    CrmError,
    LoginRejected,
    NeedsPerson,
    PortalChanged,
    PortalUnavailable,
)
from crm_assets.logs import say
from crm_assets.model import Clock, Download, Report, Store, Window, system_clock
from crm_assets.portals.contract import Portal, Visit, find_portal, site_of
from crm_assets.settings import Settings, secret_name

PERSON_SECONDS = 300


class Journal(Protocol):
    """Who keeps the books of a download: ``started`` is called before anything is asked of the portal."""

    def started(self, store: Store, report: Report, window: Window) -> None: ...

    def landed(self, download: Download) -> None: ...

    def failed(self, store: Store, window: Window, error: CrmError) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to fetch from one store account: a report and its windows, oldest first."""

    store: Store
    report: Report
    windows: tuple[Window, ...]


@dataclass(slots=True, kw_only=True)
class OpenStore:
    """A signed-in store account in its browser."""

    visit: Visit
    portal: Portal
    signed_in_again: bool = field(default=False)


def download_all(
    settings: Settings,
    orders: Sequence[Order],
    journal: Journal,
    *,
    headless: bool | None = None,
    clock: Clock = system_clock,
) -> None:
    """Fetch every order, the stores beside each other; each store and each window fails alone, into the journal."""

    async def together() -> None:
        await _all_of(settings, (_download_store(settings, order, journal, headless, clock) for order in orders))

    asyncio.run(together())


def sign_in_all(settings: Settings, stores: Sequence[Store], *, clock: Clock = system_clock) -> None:
    """Make sure every store's saved session is good, the stores beside each other. Raises the first store's error."""

    async def together() -> None:
        await _all_of(settings, (_sign_in(settings, store, clock) for store in stores))

    asyncio.run(together())


def bootstrap(settings: Settings, store: Store, *, clock: Clock = system_clock) -> Path:
    """Open the login page in a window, filled with what is known; save the session once the person has signed in.

    Returns the profile's path. Raises PortalUnavailable when nobody signed in within five minutes.
    """

    async def once() -> Path:
        async with _visit(settings, store, headless=False, state=_state(settings, store), clock=clock) as visit:
            portal = _portal(settings, store)
            with _understood(visit):
                if not await portal.signed_in(visit):
                    await portal.open_login(visit, settings.credentials(store))
                    await portal.arrived(visit, PERSON_SECONDS)
                return await _save(settings, visit)

    return asyncio.run(once())


async def _all_of(settings: Settings, stores: Iterable[Awaitable[None]]) -> None:
    """Every store to its end, ``CRM_PARALLEL_STORES`` at once, whatever happens to another; then the first error, if any."""
    places = asyncio.Semaphore(settings.env.parallel_stores)

    async def in_turn(store: Awaitable[None]) -> None:
        async with places:
            await store

    for outcome in await asyncio.gather(*map(in_turn, stores), return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def _sign_in(settings: Settings, store: Store, clock: Clock) -> None:
    async with _opened(settings, store, None, clock):
        return


async def _download_store(
    settings: Settings, order: Order, journal: Journal, headless: bool | None, clock: Clock
) -> None:
    """One store's windows in one session; when the session itself fails, so do its windows."""
    waiting = list(order.windows)
    journal.started(order.store, order.report, waiting[0])
    try:
        async with _opened(settings, order.store, headless, clock) as account:
            for number, window in enumerate(order.windows):
                if number:
                    journal.started(order.store, order.report, window)
                try:
                    journal.landed(await _export(settings, account, order.report, window))
                except (NeedsPerson, BrowserFroze):
                    raise
                except CrmError as error:
                    journal.failed(order.store, window, error)
                waiting.remove(window)
    except CrmError as error:
        for window in waiting:
            journal.failed(order.store, window, error)


async def _export(settings: Settings, account: OpenStore, report: Report, window: Window) -> Download:
    """Export one window, look at its first bytes, save the session that was good for it, land the file."""
    visit, store = account.visit, account.visit.store
    started = visit.now()
    with _understood(visit):
        async with _deadline(visit, settings.env.download_timeout_seconds):
            export = await account.portal.export(visit, report, window)
            workbook.sniff(export.file)
            await _save(settings, visit)
    file = landing.land(export.file, settings.downloads_dir, report, store, window)
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
        seconds=(visit.now() - started).total_seconds(),
    )


@asynccontextmanager
async def _opened(settings: Settings, store: Store, headless: bool | None, clock: Clock) -> AsyncIterator[OpenStore]:
    """The store's account, signed in: by its saved session, or by a login from the environment's secrets.

    The session is saved where it has just proved good: here after the sign-in, later after each export.
    """
    state = _state(settings, store)
    async with _visit(settings, store, headless=headless, state=state, clock=clock) as visit:
        account = OpenStore(visit=visit, portal=_portal(settings, store))
        with _understood(visit):
            async with _deadline(visit, settings.env.download_timeout_seconds):
                account.signed_in_again = await _sign_in_if_needed(settings, account, probe=state is not None)
                await _save(settings, visit)
        say(store, "signed in" if account.signed_in_again else "session reused")
        yield account


async def _sign_in_if_needed(settings: Settings, account: OpenStore, *, probe: bool) -> bool:
    """Returns whether a login was needed."""
    visit = account.visit
    if probe and await account.portal.signed_in(visit):
        return False
    credentials = settings.credentials(visit.store)
    if credentials is None:
        store = visit.store
        raise LoginRejected(
            f"{store}: signed out, and there is no login to use. Set {secret_name(store, 'USER')} and "
            f"{secret_name(store, 'PASSWORD')}, or run: crm_download bootstrap --crm {store.crm} --store {store.code}"
        )
    await account.portal.sign_in(visit, credentials)
    return True


@asynccontextmanager
async def _visit(
    settings: Settings, store: Store, *, headless: bool | None, state: Mapping[str, Any] | None, clock: Clock
) -> AsyncIterator[Visit]:
    """A page of the store's own browser, and a scratch folder that goes with it."""
    env = settings.env
    choice = BrowserChoice(
        channel=env.browser_channel,
        path=env.browser_path,
        headless=env.headless if headless is None else headless,
    )
    site = site_of(store.crm, settings.crm(store.crm))
    with tempfile.TemporaryDirectory(prefix="crm_assets_") as scratch:
        async with open_page(
            choice,
            owner=str(store),
            state=dict(state) if state else None,
            page_timeout_seconds=env.page_timeout_seconds,
        ) as page:
            visit = Visit(page=page, store=store, site=site, scratch=Path(scratch), clock=clock)
            page.on("response", lambda response: visit.notice(response))
            yield visit


@asynccontextmanager
async def _deadline(visit: Visit, seconds: int) -> AsyncIterator[None]:
    """A hard limit. The browser ends with the session, so a frozen one cannot hold up another store."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise BrowserFroze(
            f"{visit.store}: not done after {seconds} s, during: {visit.at}. The browser was ended"
        ) from None


@contextmanager
def _understood(visit: Visit) -> Iterator[None]:
    """Playwright's errors in our words: what was waited for, and where. Every error of a visit names its store.

    Playwright's own error is not kept as the cause: its call log holds what was typed and sent, passwords and tokens too.
    """
    from playwright.async_api import Error as BrowserError
    from playwright.async_api import TimeoutError as WaitedTooLong

    try:
        yield
    except WaitedTooLong as error:
        raise _in_vain(visit, error.message.splitlines()[0]) from None
    except BrowserError as error:
        raise PortalUnavailable(f"{visit.store}: {error.message.splitlines()[0]} (during: {visit.at})") from None
    except CrmError as error:
        if str(error).startswith(f"{visit.store}: "):
            raise
        raise type(error)(f"{visit.store}: {error}") from None


def _in_vain(visit: Visit, waited: str) -> CrmError:
    """What a wait without an ending means. The page's address is shown without its query, which may hold a token."""
    if visit.server_error:
        return PortalUnavailable(f"{visit.store}: {visit.server_error} ({visit.at}). Try again later")
    address = visit.page.url.split("?")[0]
    return PortalChanged(f"{visit.store}: waited in vain during: {visit.at}; at {address}. {waited}")


def _portal(settings: Settings, store: Store) -> Portal:
    return find_portal(settings.crm(store.crm).portal)


def _state(settings: Settings, store: Store) -> dict[str, Any] | None:
    return sessions.load(settings.profiles_dir, store)


async def _save(settings: Settings, visit: Visit) -> Path:
    return sessions.save(settings.profiles_dir, visit.store, await visit.context.storage_state())
