"""Going about in TumbleDry's report app: into its frame, to the list of requests, to a range of dates. What to ask for there, and
which report is ours, is ``export.py``'s business.
"""

from urllib.parse import parse_qsl, urlsplit

from crm_assets.errors import PortalChanged, SessionDropped, WrongStore
from crm_assets.model import Report, Window
from crm_assets.portals.tumbledry.notices import refuse_overdue
from crm_assets.portals.tumbledry.pages import (
    LOGIN_ADDRESS,
    REPORT_OR_LOGIN,
    HomePage,
    RangeDialog,
    ReportApp,
    button_text,
)
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.portals.visit import Visit

LIST_SECONDS = 10  # an account without any request shows an empty list for ever


async def open_report(visit: Visit, report: Report) -> ReportApp:
    """Over the legacy page of a report into the report app; its one-time token is handed over only there."""
    visit.step(f"open the {report.name.replace('_', ' ')}")
    home, app = HomePage(visit.page), ReportApp(visit.page, report)
    await refuse_overdue(visit)
    if report is ORDER_REPORT and await home.report_link.is_visible():
        await _press_report_link(visit, home)
        await visit.page.wait_for_url(REPORT_OR_LOGIN, wait_until="domcontentloaded")
    else:
        await visit.goto(visit.site.report(report.name, visit.store.code))
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


async def open_requests(visit: Visit, app: ReportApp) -> None:
    """Expand, then the historical reports with their list of requests, seen to have loaded."""
    visit.step("open the report requests")
    from playwright.async_api import TimeoutError as WaitedTooLong

    await app.expand.click()
    await app.historical.click()
    await app.generate.click()
    try:
        await app.any_request.wait_for(timeout=LIST_SECONDS * 1000)
    except WaitedTooLong:
        visit.step("the list of requests is empty")


async def set_range(visit: Visit, app: ReportApp, window: Window) -> None:
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
