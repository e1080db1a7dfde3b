"""Getting UClean's GST report. Three API calls and the page's own Export, each one a strategy; the store's list names them in the
order in which they are tried, for any of them may be gone one day. The calls themselves belong to ``api.py``.

An answer in JSON rows is as good as a workbook: it becomes one (``json_rows.py``).
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from crm_assets.errors import PortalChanged
from crm_assets.logs import say
from crm_assets.model import Claims, Export, Report, Window
from crm_assets.portals.uclean import api
from crm_assets.portals.uclean.json_rows import is_empty_workbook, write_workbook
from crm_assets.portals.uclean.pages import Calendar, GstPage, period_text, range_text
from crm_assets.portals.visit import Visit

if TYPE_CHECKING:
    from datetime import date

    from playwright.async_api import APIResponse

BANNER = ("taxable_value", "cgst", "sgst", "invoice_value")
PICK_SECONDS = 3  # the picker asks nobody: a day that is not there by then is not on offer


async def export(visit: Visit, report: Report, window: Window) -> Export:
    """The GST report by the first of the store's strategies that still works, ``ui`` where none is named.

    Only what is not as we know it (PortalChanged) makes way for the next: not an ended session, not a portal in trouble, and
    never a finding about the file itself. Raises PortalChanged, naming each strategy and why, when all are gone.
    """
    gone: list[str] = []
    for strategy in visit.store.strategies or ("ui",):
        visit.step(f"export by {strategy}")
        try:
            return await STRATEGIES[strategy](visit, report, window)
        except PortalChanged as error:
            gone.append(f"{strategy}: {str(error).removeprefix(f'{visit.store}: ')}")
            say(visit.store, "strategy gone", gone[-1], level=logging.WARNING)
    raise PortalChanged(f"{visit.store}: no way to the report of {window} is left. {'; '.join(gone)}")


async def export_report_get(visit: Visit, report: Report, window: Window) -> Export:
    """``GET export-report``: a workbook straight away. The names of its date parameters are configuration."""
    asked = visit.now()
    url = visit.site.api + visit.site.export_report_path + api.dates(visit, window)
    return await _taken(visit, report, window, await api.call(visit, "GET", url), "export_report_get", asked)


async def generate_gst_post(visit: Visit, report: Report, window: Window) -> Export:
    """``POST generateGST``: JSON rows in practice, a workbook by the requirements; both are taken."""
    asked = visit.now()
    body = {"from_date": str(window.first), "to_date": str(window.last)}
    url = visit.site.api + visit.site.generate_gst_path
    return await _taken(
        visit, report, window, await api.call(visit, "POST", url, data=body), "generate_gst_post", asked
    )


async def tax_report(visit: Visit, report: Report, window: Window) -> Export:
    """``GET tax-report``, page by page."""
    asked = visit.now()
    return _written(visit, report, window, await api.every_row(visit, window), "tax_report", asked)


async def ui(visit: Visit, report: Report, window: Window) -> Export:
    """The page's Export button, once the page shows the window and its data have arrived."""
    page = GstPage(visit.page)
    await visit.goto(visit.site.panel + visit.site.gst_report_path)
    await _apply_range(visit, page, window)
    asked = visit.now()
    async with visit.page.expect_download() as waiting:
        await page.export.click()
    download = await waiting.value
    file = visit.scratch_file(window)
    await download.save_as(file)
    api.refuse_other_window(visit, window, download.suggested_filename)
    return Export(
        file=file,
        strategy="ui",
        requested_at=asked,
        suggested_name=download.suggested_filename,
        claims=Claims(sums=dict(zip(BANNER, await _banner(page), strict=True))),
    )


async def _apply_range(visit: Visit, page: GstPage, window: Window) -> None:
    """Pick both days, apply, and see that the page took them and has loaded their data."""
    await page.range.click()
    await page.open_picker.wait_for()
    await _pick(visit, page.calendar("start-date"), window.first)
    await _pick(visit, page.calendar("end-date"), window.last)
    data = visit.site.tax_report_path.split("?")[0]
    async with visit.page.expect_response(
        lambda response: data in response.url and str(window.last) in response.url
    ) as loading:
        await page.apply.click()
    answer = await loading.value
    api.refuse(visit, answer)
    rows = api.json_rows(visit, await answer.body())
    await visit.page.locator(f"input.search-user[placeholder='{range_text(window.first, window.last)}']").wait_for()
    if any(float(str(row.get("final_amount") or 0)) for row in rows):
        await page.loaded_banner.wait_for()  # all is ₹0 until every row has come; Export would write what is there


async def _pick(visit: Visit, calendar: Calendar, day: "date") -> None:
    """Choose the very day; a near one is never taken. Raises PortalChanged when the calendar does not offer it."""
    from playwright.async_api import TimeoutError as WaitedTooLong

    try:
        await _turn_and_press(calendar, day, PICK_SECONDS * 1000)
    except WaitedTooLong:
        raise PortalChanged(
            f"{visit.store}: expected the range picker to offer {calendar.label(day)}, but that very day cannot be chosen"
        ) from None


async def _turn_and_press(calendar: Calendar, day: "date", patience: int) -> None:
    """Turn the calendar's pages to the day's month and press the day, each within so many milliseconds."""
    shown = datetime.strptime((await calendar.period.inner_text()).strip().title(), "%b %Y").date()  # noqa: DTZ007
    months = (day.year - shown.year) * 12 + day.month - shown.month
    for _ in range(abs(months)):
        await (calendar.next if months > 0 else calendar.previous).click(timeout=patience)
    await calendar.period.filter(has_text=period_text(day)).wait_for(timeout=patience)
    await calendar.open_day(day).click(timeout=patience)


async def _banner(page: GstPage) -> list[Decimal]:
    """The four totals above the table, in rupees."""
    texts = await page.banner.all_inner_texts()
    return [Decimal("".join(sign for sign in text if sign.isdigit() or sign in ".-") or 0) for text in texts]


async def _taken(
    visit: Visit, report: Report, window: Window, answer: "APIResponse", strategy: str, asked: datetime
) -> Export:
    """An API answer as an export: JSON rows become a workbook, a file stays as it is. A page that is no file is no answer."""
    body, name = await answer.body(), api.file_name(answer)
    file = visit.scratch_file(window)
    file.write_bytes(body)
    api.refuse_other_window(visit, window, name)
    begins = body.lstrip()[:1]
    if begins in (b"{", b"[") or (begins == b"<" and not name):
        rows = api.json_rows(visit, body)
        return replace(_written(visit, report, window, rows, strategy, asked), suggested_name=name)
    claims = await _second_word(visit, window) if is_empty_workbook(body) else Claims()
    return Export(file=file, strategy=strategy, requested_at=asked, suggested_name=name, claims=claims)


def _written(
    visit: Visit, report: Report, window: Window, rows: Sequence[api.Row], strategy: str, asked: datetime
) -> Export:
    """JSON rows as an export: the API itself has counted them."""
    file = visit.scratch_file(window)
    write_workbook(rows, report, file)
    return Export(file=file, strategy=strategy, requested_at=asked, claims=Claims(rows=len(rows)))


async def _second_word(visit: Visit, window: Window) -> Claims:
    """What the tax report says of a window whose workbook came without a row; nothing when that call is gone."""
    try:
        return Claims(rows=len(await api.page_of_rows(visit, window, page=1, limit=1)))
    except PortalChanged as error:
        say(visit.store, "no second word on an empty file", str(error).removeprefix(f"{visit.store}: "))
        return Claims()


STRATEGIES: dict[str, Callable[[Visit, Report, Window], Awaitable[Export]]] = {
    "export_report_get": export_report_get,
    "generate_gst_post": generate_gst_post,
    "tax_report": tax_report,
    "ui": ui,
}
