"""Every locator of UClean's pages, and nothing else: what to do with them is ``login.py``'s and ``export.py``'s business.

Both calendars of the range picker are in the page at once, so every cell is sought inside its own calendar, by its exact label.
"""

import re
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

SOME_TEXT = re.compile(r"\S")
LOGIN_ADDRESS = re.compile(r"/login\b", re.IGNORECASE)
CODE_WORDS = re.compile(r"\botp\b|one.?time", re.IGNORECASE)
CLOSED = ":is([aria-disabled='true'], .mat-calendar-body-disabled)"

EMAIL = "#email, input[type='email']"
PASSWORD = "#password, input[type='password']"  # noqa: S105 - a selector
SUBMIT = "button[type='submit']"


class LoginPage:
    """``/login``, today's markup and the older one without ids. Other forms may stand beside it."""

    def __init__(self, page: "Page") -> None:
        self.email = page.locator(EMAIL).filter(visible=True).first
        self.password = page.locator(PASSWORD).filter(visible=True).first
        own = f"form:has({PASSWORD}) {SUBMIT}, body:not(:has(form :is({PASSWORD}))) {SUBMIT}"
        self.submit = page.locator(own).filter(visible=True).first
        self.one_time_code = page.locator("input[autocomplete='one-time-code']").filter(visible=True)


class Shell:
    """What stands around every page once signed in; some login pages have a ``nav`` too."""

    def __init__(self, page: "Page") -> None:
        self.navigation = page.locator("nav").filter(visible=True).first
        self.without_form = page.locator(f"body:not(:has(:is({PASSWORD}):visible)) nav").filter(visible=True).first


class GstPage:
    """``/gst-report``: the range, the four banner cards, Export."""

    def __init__(self, page: "Page") -> None:
        self.range = page.locator("input.search-user[readonly]")
        self.picker = page.locator(".calendar-body")
        self.open_picker = page.locator(".calendar-body.show")
        self.apply = page.locator(".apply .buttons button.btn.primary", has_text="Apply")
        self.export = page.locator("button.btn.primary.export")
        self.banner = page.locator(".gst-banner-card .value")
        self.loaded_banner = self.banner.filter(has_text=re.compile("[1-9]")).first

    def calendar(self, end: str) -> "Calendar":
        """The calendar of ``start-date`` or ``end-date``."""
        return Calendar(self.picker.locator(f".{end}"))


class Calendar:
    """One Material calendar of the range picker."""

    def __init__(self, root: "Locator") -> None:
        self.period = root.locator(".mat-calendar-period-button")
        self.previous = root.locator(".mat-calendar-previous-button")
        self.next = root.locator(".mat-calendar-next-button")
        self._root = root

    @staticmethod
    def label(day: date) -> str:
        """A day as its cell is labelled: ``January 1, 2026``."""
        return f"{day:%B} {day.day}, {day.year}"

    def open_day(self, day: date) -> "Locator":
        """The day's cell, if the day can be chosen."""
        return self._root.locator(f"td[aria-label='{self.label(day)}']:not({CLOSED}):not(:has({CLOSED}))")


def range_text(first: date, last: date) -> str:
    """A range as the picker's placeholder shows it: ``Jan 1, 2026 - Jan 15, 2026``."""
    return " - ".join(f"{day:%b} {day.day}, {day.year}" for day in (first, last))


def period_text(day: date) -> str:
    """A month as the period button shows it: ``JAN 2026``."""
    return f"{day:%b %Y}".upper()
