"""Getting UClean's GST report. Three API calls and the page's own Export, each one strategy; the store's list says which to use.

An answer in JSON rows is as good as a workbook: it becomes one (``json_rows.py``).
"""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from crm_assets.errors import PortalChanged, SessionDropped
from crm_assets.model import Claims, Export, Report, Window
from crm_assets.portals.uclean.json_rows import write_workbook
from crm_assets.portals.uclean.login import token_of
from crm_assets.portals.uclean.pages import Calendar, GstPage, period_text, range_text
from crm_assets.portals.visit import Visit

if TYPE_CHECKING:
    from datetime import date

    from playwright.async_api import APIResponse, Response

BANNER = ("taxable_value", "cgst", "sgst", "invoice_value")


async def export(visit: Visit, report: Report, window: Window) -> Export:
    """The GST report by the store's first strategy, ``ui`` where none is named."""
    strategy = visit.store.strategies[0] if visit.store.strategies else "ui"
    visit.step(f"export by {strategy}")
    return await STRATEGIES[strategy](visit, report, window)


async def export_report_get(visit: Visit, report: Report, window: Window) -> Export:
    """``GET export-report``: a workbook straight away. The names of its date parameters are configuration."""
    asked = visit.now()
    url = visit.site.api + visit.site.export_report_path + _dates(visit, window)
    answer = await visit.fetch("GET", url, headers=await _bearer(visit))
    return await _taken(visit, report, window, answer, strategy="export_report_get", asked=asked)


async def generate_gst_post(visit: Visit, report: Report, window: Window) -> Export:
    """``POST generateGST``: JSON rows in practice, a workbook by the requirements; both are taken."""
    asked = visit.now()
    body = {"from_date": str(window.first), "to_date": str(window.last)}
    url = visit.site.api + visit.site.generate_gst_path
    answer = await visit.fetch("POST", url, data=body, headers=await _bearer(visit))
    return await _taken(visit, report, window, answer, strategy="generate_gst_post", asked=asked)


async def tax_report(visit: Visit, report: Report, window: Window) -> Export:
    """``GET tax-report``, page by page up to the first short one."""
    asked = visit.now()
    rows: list[dict[str, object]] = []
    url = visit.site.api + visit.site.tax_report_path + _dates(visit, window)
    while len(rows) % visit.site.page_rows == 0:
        page = len(rows) // visit.site.page_rows + 1
        answer = await visit.fetch(
            "GET", f"{url}&page={page}&limit={visit.site.page_rows}", headers=await _bearer(visit)
        )
        more = _json_rows(visit, await _body(visit, answer))
        rows += more
        if not more:
            break
    file = _scratch(visit, window)
    write_workbook(rows, report, file)
    return Export(file=file, strategy="tax_report", requested_at=asked)


async def ui(visit: Visit, report: Report, window: Window) -> Export:
    """The page's Export button, once the page shows the window and its data have arrived."""
    page = GstPage(visit.page)
    await visit.goto(visit.site.panel + visit.site.gst_report_path)
    await _apply_range(visit, page, window)
    asked = visit.now()
    async with visit.page.expect_download() as waiting:
        await page.export.click()
    download = await waiting.value
    file = _scratch(visit, window)
    await download.save_as(file)
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
    await _pick(page.calendar("start-date"), window.first)
    await _pick(page.calendar("end-date"), window.last)
    data = visit.site.tax_report_path.split("?")[0]
    async with visit.page.expect_response(
        lambda response: data in response.url and str(window.last) in response.url
    ) as loading:
        await page.apply.click()
    rows = _json_rows(visit, await _body(visit, await loading.value))
    await visit.page.locator(f"input.search-user[placeholder='{range_text(window.first, window.last)}']").wait_for()
    if any(float(str(row.get("final_amount") or 0)) for row in rows):
        await page.loaded_banner.wait_for()  # all is ₹0 until every row has come; Export would write what is there


async def _pick(calendar: Calendar, day: "date") -> None:
    """Turn the calendar's pages to the day's month and press that very day; a near one is never taken."""
    shown = datetime.strptime((await calendar.period.inner_text()).strip().title(), "%b %Y").date()  # noqa: DTZ007
    months = (day.year - shown.year) * 12 + day.month - shown.month
    for _ in range(abs(months)):
        await (calendar.next if months > 0 else calendar.previous).click()
    await calendar.period.filter(has_text=period_text(day)).wait_for()
    await calendar.cell(day).click()


async def _banner(page: GstPage) -> list[Decimal]:
    """The four totals above the table, in rupees."""
    texts = await page.banner.all_inner_texts()
    return [Decimal("".join(sign for sign in text if sign.isdigit() or sign in ".-") or 0) for text in texts]


async def _taken(
    visit: Visit, report: Report, window: Window, answer: "APIResponse", *, strategy: str, asked: datetime
) -> Export:
    """Write an API answer to the scratch file: a workbook as it is, JSON rows as a workbook."""
    body = await _body(visit, answer)
    file = _scratch(visit, window)
    if body[:1] in (b"{", b"["):
        write_workbook(_json_rows(visit, body), report, file)
    else:
        file.write_bytes(body)
    return Export(file=file, strategy=strategy, requested_at=asked)


async def _body(visit: Visit, answer: "APIResponse | Response") -> bytes:
    """The answer's bytes. Raises PortalUnavailable for a 5xx, SessionDropped for an ended session, PortalChanged otherwise."""
    visit.refuse_server_error(answer.status, answer.url)
    if answer.status == 401:
        raise SessionDropped(
            f"{visit.store}: the API refused the session during {visit.at}; the next run signs in again"
        )
    if not answer.ok:
        raise PortalChanged(f"{visit.store}: expected 200 from {answer.url.split('?')[0]}, found {answer.status}")
    return await answer.body()


def _json_rows(visit: Visit, body: bytes) -> list[dict[str, object]]:
    try:
        found = json.loads(body)
    except ValueError:
        raise PortalChanged(
            f"{visit.store}: expected JSON rows ({visit.at}), found {len(body)} bytes that begin {body[:24]!r}"
        ) from None
    rows = found.get("data") if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PortalChanged(f"{visit.store}: expected rows under 'data' ({visit.at}), found {type(rows).__name__}")
    return rows


def _dates(visit: Visit, window: Window) -> str:
    return f"&{visit.site.from_parameter}={window.first}&{visit.site.to_parameter}={window.last}"


async def _bearer(visit: Visit) -> dict[str, str]:
    return {"Authorization": f"Bearer {await token_of(visit)}"}


def _scratch(visit: Visit, window: Window) -> Path:
    return visit.scratch / f"{window.first}_{window.last}.xlsx"


STRATEGIES: dict[str, Callable[[Visit, Report, Window], Awaitable[Export]]] = {
    "export_report_get": export_report_get,
    "generate_gst_post": generate_gst_post,
    "tax_report": tax_report,
    "ui": ui,
}
