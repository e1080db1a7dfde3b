"""Getting TumbleDry's reports: asked for, prepared by the portal in the background, then downloaded.

The list of requests also holds older ones of the same range: which row is ours, and how it stands, ``requests_list.py`` tells.
A request that an earlier attempt did not wait for is taken up again. Where the page has a direct Export button, that one is used.
"""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

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
from crm_assets.portals.tumbledry.notices import notices_closed
from crm_assets.portals.tumbledry.pages import ReportApp, list_text
from crm_assets.portals.tumbledry.report_app import open_report, open_requests, set_range
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


async def export(visit: Visit, report: Report, window: Window) -> Export:
    """A report of a window. Raises ExportTimedOut when the portal does not finish it in time, ExportFailed when it
    gives it up, WrongStore when it shows another store's."""
    async with notices_closed(visit):
        return await _exported(visit, report, window)


async def _exported(visit: Visit, report: Report, window: Window) -> Export:
    app = await open_report(visit, report)
    if await app.export_now.is_visible():
        await set_range(visit, app, window)
        return await _download(visit, window, app.export_now, "export_button", visit.now())
    await open_requests(visit, app)
    own = await _taken_up(visit, app, window) or await _asked_for(visit, app, window)
    link = await _own_link(visit, app, window, own)
    return await _download(visit, window, link, "report_request", own.asked_at)


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
    await set_range(visit, app, window)
    before = await app.listed()
    visit.step(f"request the report of {window}")
    asked = visit.now()
    await app.request.click()

    def ours(listed: RequestList) -> OwnRequest | None:
        return listed.newcomer(before, list_text(window.first, window.last), asked, asked - CLOCK_SKEW)

    patience = _patience(visit, REQUEST_SECONDS)
    try:
        async with asyncio.timeout(patience):
            return await _watched(visit, app, ours)
    except TimeoutError:
        raise PortalChanged(
            f"{visit.store}: expected our request of {window} in the list of requests, found none of it in {patience:.0f} s"
        ) from None


async def _own_link(visit: Visit, app: ReportApp, window: Window, own: OwnRequest) -> "Locator":
    """The Download link of our own request, once the portal has prepared it."""
    from playwright.async_api import TimeoutError as WaitedTooLong

    visit.step(f"wait for the report of {window}")
    patience = _patience(visit, visit.site.report_seconds)
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


def _patience(visit: Visit, seconds: float) -> float:
    """So long, or what the attempt's deadline leaves of it: who is told in time can go on later."""
    return max(1.0, min(seconds, visit.seconds_left() - DOWNLOAD_SECONDS))


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
        await open_requests(visit, await open_report(visit, app.report))
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
