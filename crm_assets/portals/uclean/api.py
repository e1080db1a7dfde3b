"""Calling UClean's API for a report: patience, what an answer may be, and its rows. Which call serves is ``export.py``'s."""

import asyncio
import json
import re
from collections.abc import Mapping
from email.message import Message
from itertools import count
from typing import TYPE_CHECKING, Any

from crm_assets.errors import PortalChanged, PortalUnavailable, SessionDropped, WrongWindow
from crm_assets.model import Window
from crm_assets.portals.uclean.login import token_of
from crm_assets.portals.visit import TOO_OFTEN, Visit

if TYPE_CHECKING:
    from playwright.async_api import APIResponse, Response

type Row = Mapping[str, Any]

WAITS = (1.0, 2.0)  # seconds before the second and the third try
LONGEST_WAIT = 10.0  # of those that the portal may ask for
FILE_NAME = re.compile(r"GST_Report_(\d{4}-\d\d-\d\d)_to_(\d{4}-\d\d-\d\d)", re.IGNORECASE)
SHOWN_BYTES = 24


async def call(visit: Visit, method: str, url: str, **options: Any) -> "APIResponse":
    """The API's answer, up to three tries: only 429 and 5xx are tried again. Raises as ``refuse`` does."""
    headers = {"Authorization": f"Bearer {await token_of(visit)}"}
    answer = await visit.ask(method, url, headers=headers, **options)
    for seconds in WAITS:
        wait = max(seconds, _asked_to_wait(answer))
        if not (answer.status == TOO_OFTEN or answer.status >= 500) or wait > LONGEST_WAIT:
            break
        await asyncio.sleep(wait)
        answer = await visit.ask(method, url, headers=headers, **options)
    refuse(visit, answer)
    return answer


def refuse(visit: Visit, answer: "APIResponse | Response") -> None:
    """Raise PortalUnavailable for a 5xx or 429, SessionDropped for an ended session, PortalChanged for every other refusal.

    A 403 is such a refusal: the session was good a moment ago, so it is this call that the account may not make, or no longer.
    """
    visit.refuse_server_error(answer.status, answer.url)
    address = answer.url.split("?")[0]
    if answer.status == TOO_OFTEN:
        raise PortalUnavailable(
            f"{visit.store}: {address} answered {TOO_OFTEN}, too often ({visit.at}). Try again later"
        )
    if answer.status == 401:
        raise SessionDropped(
            f"{visit.store}: the API refused the session during {visit.at}; the next run signs in again"
        )
    if not answer.ok:
        raise PortalChanged(f"{visit.store}: expected 200 from {address}, found {answer.status}")


async def every_row(visit: Visit, window: Window) -> list[Row]:
    """All rows of ``tax-report``, page by page up to the first short one. A row that moved to the next page counts once."""
    found: dict[str, Row] = {}
    for page in count(1):
        rows = await page_of_rows(visit, window, page, visit.site.page_rows)
        new = {_identity(row): row for row in rows if _identity(row) not in found}
        found |= new
        if len(rows) < visit.site.page_rows:
            break
        if not new:
            raise PortalChanged(
                f"{visit.store}: expected further rows on page {page} of the tax report, found those of the pages before it"
            )
    return list(found.values())


async def page_of_rows(visit: Visit, window: Window, page: int, limit: int) -> list[Row]:
    """One page of ``tax-report``."""
    url = f"{visit.site.api}{visit.site.tax_report_path}{dates(visit, window)}&page={page}&limit={limit}"
    return json_rows(visit, await (await call(visit, "GET", url)).body())


def json_rows(visit: Visit, body: bytes) -> list[Row]:
    """The rows of a JSON answer. Raises PortalChanged when it is none, or holds something else."""
    try:
        found = json.loads(body)
    except ValueError:
        raise PortalChanged(
            f"{visit.store}: expected JSON rows ({visit.at}), found {len(body)} bytes that begin {body[:SHOWN_BYTES]!r}"
        ) from None
    rows = found.get("data") if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PortalChanged(f"{visit.store}: expected rows under 'data' ({visit.at}), found {type(rows).__name__}")
    return rows


def dates(visit: Visit, window: Window) -> str:
    """The window as parameters of an address."""
    return f"&{visit.site.from_parameter}={window.first}&{visit.site.to_parameter}={window.last}"


def file_name(answer: "APIResponse") -> str:
    """The file name an answer suggests, or nothing."""
    header = Message()
    header["Content-Disposition"] = answer.headers.get("content-disposition", "")
    return header.get_filename() or ""


def refuse_other_window(visit: Visit, window: Window, name: str) -> None:
    """Raise WrongWindow when a file's name tells of other days; a name of another form says nothing."""
    told = FILE_NAME.search(name)
    if told and told.groups() != (f"{window.first}", f"{window.last}"):
        raise WrongWindow(f"{visit.store}: expected a file of {window}, found one named {told[0]}")


def _identity(row: Row) -> str:
    return str(row.get("invoice_number") or json.dumps(row, sort_keys=True))


def _asked_to_wait(answer: "APIResponse") -> float:
    """Seconds of the answer's ``Retry-After``; a date there is not read."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else 0.0
