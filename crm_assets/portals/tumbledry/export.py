"""Getting TumbleDry's order report: asked for, prepared by the portal in the background, then downloaded.

The list of requests also holds older ones of the same range, so ours is told apart twice: by comparing the list before and after
asking, and by its ``Requested`` time. Where the page has a direct Export button, that one is used.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crm_assets.errors import ExportTimedOut, PortalChanged, SessionDropped
from crm_assets.model import IST, Export, Report, Window
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
from crm_assets.portals.visit import Visit

if TYPE_CHECKING:
    from playwright.async_api import Locator

STRATEGIES = ("report_request", "export_button")
CLOCK_SKEW = timedelta(minutes=10)  # the portal's clock is not ours
DOWNLOAD_SECONDS = 10  # of the attempt's time, kept for the download itself
LIST_SECONDS = 10  # an account without any request shows an empty list for ever


async def export(visit: Visit, report: Report, window: Window) -> Export:
    """The order report of a window. Raises ExportTimedOut when the portal does not finish it in time."""
    async with notices_closed(visit):
        return await _exported(visit, window)


async def _exported(visit: Visit, window: Window) -> Export:
    app = await _open_report(visit)
    if await app.export_now.is_visible():
        await _set_range(visit, app, window)
        return await _download(visit, window, app.export_now, "export_button", visit.now())
    await _open_requests(visit, app)
    known = await _requested_times(app, window)
    await _set_range(visit, app, window)
    visit.step(f"request the report of {window}")
    asked = visit.now()
    await app.request.click()
    link = await _own_link(visit, app, window, known, asked)
    return await _download(visit, window, link, "report_request", asked)


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
    return app


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


async def _requested_times(app: ReportApp, window: Window) -> list[str]:
    """The ``Requested`` texts of the requests of this range, newest first."""
    return await app.requested_cells(list_text(window.first, window.last)).all_inner_texts()


async def _own_link(visit: Visit, app: ReportApp, window: Window, known: list[str], asked: datetime) -> "Locator":
    """The Download link of our own request, once the portal has prepared it."""
    from playwright.async_api import TimeoutError as WaitedTooLong

    asked_range = list_text(window.first, window.last)
    await app.request_after(asked_range, known).wait_for()
    requested = (await _requested_times(app, window))[0]
    if _moment(requested) < asked - CLOCK_SKEW:
        raise PortalChanged(
            f"{visit.store}: expected our request of {window} on top of the list, found one of {requested}"
        )
    visit.step(f"wait for the report of {window}")
    link = app.download_link(asked_range, requested)
    patience = max(1.0, min(visit.site.report_seconds, visit.seconds_left() - DOWNLOAD_SECONDS))
    try:
        await link.wait_for(timeout=patience * 1000)
    except WaitedTooLong:
        raise ExportTimedOut(
            f"{visit.store}: the report of {window} was requested and is not ready after {patience:.0f} s. Try again later"
        ) from None
    return link


async def _download(visit: Visit, window: Window, control: "Locator", strategy: str, asked: datetime) -> Export:
    """Press the control and take the file it hands over."""
    visit.step(f"download the report of {window}")
    async with visit.page.expect_download() as waiting:
        await control.click()
    download = await waiting.value
    file = visit.scratch / f"{window.first}_{window.last}.xlsx"
    await download.save_as(file)
    return Export(file=file, strategy=strategy, requested_at=asked, suggested_name=download.suggested_filename)


def _moment(requested: str) -> datetime:
    """``07 Jan 2026 01:55 PM``, in Kolkata."""
    return datetime.strptime(requested.strip(), "%d %b %Y %I:%M %p").replace(tzinfo=IST)
