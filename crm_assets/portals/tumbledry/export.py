"""Getting TumbleDry's order report: asked for, prepared by the portal in the background, then downloaded.

The list of requests also holds older ones of the same range: which row is ours, and how it stands, ``requests_list.py`` tells.
A request that an earlier attempt did not wait for is taken up again. Where the page has a direct Export button, that one is used.
"""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from crm_assets.errors import (
    ExportFailed,
    ExportTimedOut,
    PortalChanged,
    PortalUnavailable,
    SessionDropped,
    WrongStore,
)
from crm_assets.logs import say
from crm_assets.model import Export, Report, Window
from crm_assets.portals.tumbledry.notices import notices_closed, refuse_overdue
from crm_assets.portals.tumbledry.pages import (
    LOGIN_ADDRESS,
    REPORT_OR_LOGIN,
    HomePage,
    RangeDialog,
    ReportApp,
    button_text,
    list_text,
)
from crm_assets.portals.tumbledry.requests_list import OwnRequest, RequestList, State
from crm_assets.portals.visit import Visit

if TYPE_CHECKING:
    from playwright.async_api import Locator

STRATEGIES = ("report_request", "export_button")
CLOCK_SKEW = timedelta(minutes=10)  # the portal's clock is not ours
DOWNLOAD_SECONDS = 10  # of the attempt's time, kept for the download itself
REQUEST_SECONDS = 60  # a new request stands in the list at once, or when it is opened anew
WORD_LENGTH = 40
FILE_NAME = re.compile(r"(\d+)-(?!\d\d-)[\w-]+\.xlsx", re.IGNORECASE)  # no date is a store's number
LIST_SECONDS = 10  # an account without any request shows an empty list for ever


async def export(visit: Visit, report: Report, window: Window) -> Export:
    """The order report of a window. Raises ExportTimedOut when the portal does not finish it in time, ExportFailed when it
    gives it up, WrongStore when it shows another store's."""
    async with notices_closed(visit):
        return await _exported(visit, window)


async def _exported(visit: Visit, window: Window) -> Export:
    app = await _open_report(visit)
    if await app.export_now.is_visible():
        await _set_range(visit, app, window)
        return await _download(visit, window, app.export_now, "export_button", visit.now())
    await _open_requests(visit, app)
    own = await _taken_up(visit, app, window) or await _asked_for(visit, app, window)
    link = await _own_link(visit, app, window, own)
    return await _download(visit, window, link, "report_request", own.asked_at)


async def _open_report(visit: Visit) -> ReportApp:
    """From home over the legacy report page into the report app; its one-time token is handed over only there."""
    visit.step("open the order report")
    home, app = HomePage(visit.page), ReportApp(visit.page)
    await refuse_overdue(visit)
    if await home.report_link.is_visible():
        await _press_report_link(visit, home)
        await visit.page.wait_for_url(REPORT_OR_LOGIN, wait_until="domcontentloaded")
    else:
        await visit.goto(visit.site.order_report(visit.store.code))
    if LOGIN_ADDRESS.search(visit.page.url):
        raise SessionDropped(f"{visit.store}: the session ended before {visit.at}; the next run signs in again")
    await app.expand.or_(app.export_now).first.wait_for()
    await _refuse_other_store(visit, app)
    return app


async def _refuse_other_store(visit: Visit, app: ReportApp) -> None:
    """Raise WrongStore when the frame's address names another store; some day it may name none."""
    query = urlsplit(await app.holder.get_attribute("src") or "").query
    found = {name.casefold(): value for name, value in parse_qsl(query)}.get("storecode")
    if found and found.casefold() != visit.store.code.casefold():
        raise WrongStore(
            f"{visit.store}: expected the report app of {visit.store.code}, found that of {found}. Nothing was requested. "
            "The saved session or the login may be the other store's: sign in anew with "
            f"{visit.store.bootstrap_command}"
        )


async def _press_report_link(visit: Visit, home: HomePage) -> None:
    """The list of overdue orders may come up late, and then nothing below it can be pressed."""
    from playwright.async_api import TimeoutError as WaitedTooLong

    try:
        await home.report_link.click()
    except WaitedTooLong:
        await refuse_overdue(visit)
        raise


async def _open_requests(visit: Visit, app: ReportApp) -> None:
    """Expand, then the historical reports with their list of requests, seen to have loaded."""
    visit.step("open the report requests")
    await app.expand.click()
    await app.historical.click()
    await app.generate.click()
    from playwright.async_api import TimeoutError as WaitedTooLong

    try:
        await app.any_request.wait_for(timeout=LIST_SECONDS * 1000)
    except WaitedTooLong:
        visit.step("the list of requests is empty")


async def _set_range(visit: Visit, app: ReportApp, window: Window) -> None:
    """Set both dates and read them back; a range that differs from the wanted one is never requested.

    Year and month go before the day: an input refuses a day that the month now shown does not have.
    """
    visit.step(f"set the range {window}")
    await app.range_button.click()
    dialog = RangeDialog(app)
    for end, day in enumerate((window.first, window.last)):
        fields = dialog.day_fields(end)
        await fields.year.fill(str(day.year))
        await fields.month.fill(str(day.month))
        await fields.day.fill(str(day.day))
    await dialog.update.click()
    found = " ".join((await app.range_button.inner_text()).split())
    if found != button_text(window.first, window.last):
        raise PortalChanged(
            f"{visit.store}: expected the range {button_text(window.first, window.last)}, the page took {found}"
        )


async def _taken_up(visit: Visit, app: ReportApp, window: Window) -> OwnRequest | None:
    """The request an earlier attempt made and could not wait for, while the portal still has it."""
    if visit.pending_request is None:
        return None
    asked_range = list_text(window.first, window.last)
    own = (await app.listed()).standing(asked_range, visit.pending_request)
    if own:
        say(visit.store, "request taken up again", f"{window}, requested {own.requested}")
    return own


async def _asked_for(visit: Visit, app: ReportApp, window: Window) -> OwnRequest:
    """Our new request, once it stands in the list."""
    await _set_range(visit, app, window)
    before = await app.listed()
    visit.step(f"request the report of {window}")
    asked = visit.now()
    await app.request.click()

    def ours(listed: RequestList) -> OwnRequest | None:
        return listed.newcomer(before, list_text(window.first, window.last), asked, asked - CLOCK_SKEW)

    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            return await _watched(visit, app, ours)
    except TimeoutError:
        raise PortalChanged(
            f"{visit.store}: expected our request of {window} in the list of requests, found none of it in {REQUEST_SECONDS} s"
        ) from None


async def _own_link(visit: Visit, app: ReportApp, window: Window, own: OwnRequest) -> "Locator":
    """The Download link of our own request, once the portal has prepared it."""
    from playwright.async_api import TimeoutError as WaitedTooLong

    visit.step(f"wait for the report of {window}")
    patience = max(1.0, min(visit.site.report_seconds, visit.seconds_left() - DOWNLOAD_SECONDS))
    try:
        async with asyncio.timeout(patience):
            listed = await _watched(visit, app, partial(_once_ready, visit, window, own))
    except TimeoutError:
        raise _timed_out(visit, window, own, f"is not ready after {patience:.0f} s") from None
    except (PortalUnavailable, SessionDropped, WaitedTooLong) as error:  # the portal has our request all the same
        reason = str(error).splitlines()[0].removeprefix(f"{visit.store}: ")
        raise _timed_out(visit, window, own, f"could not be waited for: {reason}") from None
    return app.download_link(app.rows_of(own.range_text, own.requested).nth(listed.place_of(own)))


def _once_ready(visit: Visit, window: Window, own: OwnRequest, listed: RequestList) -> RequestList | None:
    """The list, when our row has its link. Raises ExportFailed, with the portal's word, when it never will."""
    row = listed.row_of(own)
    if row and row.state is State.ENDED:
        word = re.sub(r"\d", "#", row.status)[:WORD_LENGTH]
        raise ExportFailed(
            f"{visit.store}: expected the report of {window} requested {own.requested}, the portal says {word!r}. "
            "The next attempt requests it anew"
        )
    return listed if row and row.state is State.READY else None


def _timed_out(visit: Visit, window: Window, own: OwnRequest, what: str) -> ExportTimedOut:
    error = ExportTimedOut(
        f"{visit.store}: the report of {window} was requested {own.requested} and {what}. "
        "Try again later: it is not requested a second time while the portal has it"
    )
    error.requested_at = own.requested_at
    return error


async def _watched[T](visit: Visit, app: ReportApp, look: Callable[[RequestList], T | None]) -> T:
    """Look at the list whenever it changes. One that stays the same may only be a page that does not refresh itself: the
    report is opened anew, after longer and longer, with a fresh token.
    """
    during, seconds = visit.at, visit.site.list_seconds
    while True:
        until = asyncio.get_running_loop().time() + seconds
        while True:
            listed = await app.listed()
            if found := look(listed):
                return found
            if not await app.changes(listed, until - asyncio.get_running_loop().time()):
                break
        visit.refuse_noticed_error()
        await _open_requests(visit, await _open_report(visit))
        visit.step(during)
        seconds *= 2


async def _download(visit: Visit, window: Window, control: "Locator", strategy: str, asked: datetime) -> Export:
    """Press the control and take the file it hands over. Raises WrongStore when its name is one of another store's files."""
    visit.step(f"download the report of {window}")
    async with visit.page.expect_download() as waiting:
        await control.click()
    download = await waiting.value
    file = visit.scratch_file(window)
    await download.save_as(file)
    _refuse_other_prefix(visit, download.suggested_filename)
    return Export(file=file, strategy=strategy, requested_at=asked, suggested_name=download.suggested_filename)


def _refuse_other_prefix(visit: Visit, name: str) -> None:
    """The digits before the letters are the store's; a name of another form says nothing."""
    named = FILE_NAME.fullmatch(name)
    if named and visit.store.file_prefix and named[1] != visit.store.file_prefix:
        raise WrongStore(
            f"{visit.store}: expected a file whose name begins with {visit.store.file_prefix}-, found {named[1]}-"
        )
