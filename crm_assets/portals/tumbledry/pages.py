"""Every locator of TumbleDry's pages, and nothing else: what to do with them is ``login.py``'s and ``export.py``'s business."""

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from crm_assets.portals.tumbledry.requests_list import RequestList
from crm_assets.portals.visit import LOCKED

if TYPE_CHECKING:
    from playwright.async_api import FrameLocator, Locator, Page

    from crm_assets.model import Report

REPORT_OR_LOGIN = re.compile(r"/App/Reports/OrderReport|/Login\b", re.IGNORECASE)
HOME_ADDRESS = re.compile(r"/App/home", re.IGNORECASE)
LOGIN_ADDRESS = re.compile(r"/Login\b", re.IGNORECASE)
LICENCE_ADDRESS = re.compile(r"/App/frmLicence", re.IGNORECASE)
OTP_ADDRESS = re.compile(r"/App/frmVerification", re.IGNORECASE)
SOME_TEXT = re.compile(r"\S")
GOOD_NEWS = re.compile(r"success|welcome|please wait|signing in|logging in|redirect", re.IGNORECASE)
WRONG = re.compile(r"invalid|incorrect|wrong|(does|do) ?n.t match|not valid", re.IGNORECASE)
CODE_WORDS = re.compile(r"\b(otp|one.?time|(verification|security) code)\b", re.IGNORECASE)
CODE_OR_PASSWORD = re.compile(r"\b(code|otp|password)\b", re.IGNORECASE)
EXPIRY = re.compile(r"\b(expir\w+|valid)\b", re.IGNORECASE)
DOWNLOAD = re.compile(r"download", re.IGNORECASE)

FORM = "#txtUserId"
OVERDUE = "#pnlOrderOverDuePopup"
REFUSAL = "#lblError, .alert-danger, .text-danger, [role='alert']"


class AnyPage:
    """What every page can show.

    ``LEAVE`` marks the page at hand, and the form and the notices it shows, until they change: what is found unmarked is news.
    """

    LEAVE = f"""() => {{
        document.documentElement.dataset.left = '';
        document.querySelectorAll("{FORM}, {REFUSAL}").forEach(shown => {{
            if (!shown.checkVisibility()) return;
            shown.dataset.known = '';
            new MutationObserver(() => delete shown.dataset.known)
                .observe(shown, {{childList: true, characterData: true, subtree: true}});
        }});
    }}"""

    def __init__(self, page: "Page") -> None:
        self.another = page.locator("html:not([data-left]) :is(a, button, input, select)").filter(visible=True).first


class LoginPage:
    """``/Login``: user, password and, as "branch pin", the store code."""

    def __init__(self, page: "Page") -> None:
        self.user = page.locator(FORM)
        self.anew = page.locator(f"{FORM}:not([data-known])").filter(visible=True)
        self.password = page.locator("#txtPassword")
        self.store_code = page.locator("#txtBranchPin")
        self.submit = page.locator("#btnLogin")
        self.refusal = (
            page.locator(f":is({REFUSAL}):not([data-known])")
            .filter(has_text=SOME_TEXT, visible=True)
            .filter(has_not_text=GOOD_NEWS)
        )
        self.wrong = self.refusal.filter(has_text=WRONG)
        self.locked = page.get_by_text(LOCKED).filter(visible=True)


class HomePage:
    """``/<code>/App/home``: signed in when the order report's link is there.

    The overdue orders are up when they show, or a modal in them does; a notice is what stands neither in them nor around them.
    """

    def __init__(self, page: "Page") -> None:
        closer = "[data-dismiss='modal']"
        self.report_link = page.locator("#achrOrderReport")
        self.overdue_orders = (
            page.locator(f"{OVERDUE}, {OVERDUE} :is(.modal, [role='dialog'])").filter(visible=True).first
        )
        self.notices = page.locator(
            f".modal.show:not({OVERDUE}):not({OVERDUE} .modal):not(:has({OVERDUE})):has({closer})"
        ).filter(visible=True)
        self.notice = self.notices.first
        self.close_notice = self.notice.locator(closer).first


class LicencePage:
    """``frmLicence``: a bill to be paid, now or later."""

    def __init__(self, page: "Page") -> None:
        unnamed = page.locator("body:not(:has(#btnPayLater)) :is(a, button)")
        words = re.compile("pay later", re.IGNORECASE)
        self.pay_later = page.locator("#btnPayLater").or_(unnamed.filter(has_text=words)).first


class OtpPage:
    """``frmVerification``: its ids are not recorded, so its parts are found by what they say they are.

    ``fields`` are where the code may go, the surest first; ``boxes`` where there is one for each digit. ``expiry`` is what stands
    around a word of it: the time itself may be an element of its own.
    """

    def __init__(self, page: "Page") -> None:
        typed = page.locator(
            "input:is([type='text'], [type='tel'], [type='number'], [type='password'], :not([type]))"
            ":enabled:not([readonly])"
        ).filter(visible=True)
        named = page.get_by_label(CODE_WORDS).or_(page.get_by_placeholder(CODE_WORDS))
        self.one_time_field = page.locator("input[autocomplete='one-time-code']").filter(visible=True).first
        self.fields = (self.one_time_field, typed.and_(named).first, typed.first)
        self.boxes = typed.and_(page.locator("[maxlength='1']"))
        self.trust = page.get_by_role("checkbox", name=re.compile("trust|remember", re.IGNORECASE)).first
        names = re.compile("verify|submit|continue|confirm|validate|proceed|(log|sign) ?in", re.IGNORECASE)
        self.submit = page.get_by_role("button", name=names).filter(visible=True).first
        self.words = page.get_by_text(CODE_OR_PASSWORD).filter(visible=True)
        self.expiry = page.get_by_text(EXPIRY).filter(visible=True).locator("..")


class ReportApp:
    """The report app inside ``iframe#ifrmReport``, for one of the portal's reports."""

    def __init__(self, page: "Page", report: "Report") -> None:
        self.report = report
        self.frame: FrameLocator = page.frame_locator("iframe#ifrmReport")
        self.loading = self.frame.get_by_text("Loading", exact=False)
        self.export_now = self.frame.get_by_role("button", name="Export", exact=True)
        self.expand = self.frame.get_by_text(re.compile(r"^\s*expand\s*$", re.IGNORECASE))
        self.historical = self.frame.get_by_text(re.compile(r"download historical report", re.IGNORECASE))
        self.generate = self.frame.get_by_role("button", name=re.compile(r"generate report", re.IGNORECASE))
        self.range_button = self.frame.locator("button:visible", has_text=RANGE_TEXT)
        self.request = self.frame.get_by_role("button", name=re.compile(r"request report", re.IGNORECASE))
        self.requests = self.frame.locator("table").filter(has_text="Requested")
        self.any_request = self.requests.locator("tr:has(td:nth-child(3))").first
        self.holder = page.locator("iframe#ifrmReport")
        self.body = self.frame.locator("body")

    async def listed(self) -> RequestList:
        """The request list as it is now; empty where there is none."""
        return RequestList.of(await self.body.evaluate(TABLE))

    async def changes(self, listed: RequestList, seconds: float) -> bool:
        """Wait until the list is another than this one, for so long at most; says whether it is."""
        from playwright.async_api import Error
        from playwright.async_api import TimeoutError as WaitedTooLong

        try:
            return bool(await self.body.evaluate(CHANGED, [listed.seen, max(0.0, seconds) * 1000]))
        except WaitedTooLong:
            raise
        except Error:
            return True  # the frame was loaded anew; a page that is gone shows at the next look

    def rows_of(self, range_text: str, requested: str) -> "Locator":
        """The request list's rows of one date range and ``Requested`` time, in the page's order."""
        rows = self.requests.locator("tr")
        for text in (range_text, requested):
            rows = rows.filter(has=self.frame.get_by_role("cell", name=text, exact=True))
        return rows

    def download_link(self, row: "Locator") -> "Locator":
        """What a row offers to press, once its report is there."""
        return row.locator("a, button").filter(has_text=DOWNLOAD).first


TABLE = f"""body => [...body.querySelectorAll('table')].filter(table => /Requested/.test(table.textContent))
    .flatMap(table => [...table.rows]).map(row => [...row.cells].map(cell => ({{
        text: cell.innerText.replace(/\\s+/g, ' ').trim(),
        link: [...cell.querySelectorAll('a, button')].some(each => /{DOWNLOAD.pattern}/i.test(each.innerText)),
    }})))"""
"""The request list as it stands in the page, header and all: of each cell its text, and whether it offers a download."""

CHANGED = f"""(body, [seen, milliseconds]) => new Promise(resolve => {{
    const table = {TABLE};
    const changed = () => JSON.stringify(table(body)) !== JSON.stringify(seen);
    if (changed()) return resolve(true);
    const watcher = new MutationObserver(() => {{ if (changed()) end(true) }});
    const end = answer => {{ watcher.disconnect(); resolve(answer) }};
    watcher.observe(body, {{childList: true, characterData: true, attributes: true, subtree: true}});
    setTimeout(() => end(false), milliseconds);
}})"""
"""Wait until that list is another than the one seen, or the time is over; says which."""


RANGE_TEXT = re.compile(r"^\s*[A-Z][a-z]{2} \d{1,2}, \d{4} - [A-Z][a-z]{2} \d{1,2}, \d{4}\s*$")


class RangeDialog:
    """Six numeric inputs, day, month and year of From and then of To, and Update."""

    def __init__(self, app: ReportApp) -> None:
        dialog = app.frame.get_by_role("dialog")
        self.inputs = dialog.locator("input")
        self.update = dialog.get_by_role("button", name=re.compile(r"update", re.IGNORECASE))

    def day_fields(self, end: int) -> "DayFields":
        """The inputs of From (``end`` 0) or To (1)."""
        day, month, year = (self.inputs.nth(3 * end + at) for at in range(3))
        return DayFields(day=day, month=month, year=year)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFields:
    """Day, month and year inputs of one date."""

    day: "Locator"
    month: "Locator"
    year: "Locator"


def button_text(first: date, last: date) -> str:
    """A range as the range button shows it: ``Mar 1, 2025 - May 29, 2025``."""
    return " - ".join(f"{day:%b} {day.day}, {day.year}" for day in (first, last))


def list_text(first: date, last: date) -> str:
    """A range as the request list shows it: ``08 Dec 2025 - 07 Jan 2026``."""
    return f"{first:%d %b %Y} - {last:%d %b %Y}"
