"""A browser's checkup: does one start here, open a page and close, which one is it, and how long did it take?

For ``crm_assets.doctor``; it talks to no host at all.
"""

import time
from dataclasses import dataclass

import psutil

from crm_assets.browser.chrome import BrowserChoice, open_page
from crm_assets.browser.fingerprint import Fingerprint
from crm_assets.browser.guard import HostGuard
from crm_assets.browser.processes import SESSION_MARK

START_SECONDS = 40
PAGE_SECONDS = 8
TITLE = "it works"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserSeen:
    """A browser that started, showed a page and closed. ``path`` is its program, empty where the machine does not say."""

    fingerprint: Fingerprint
    path: str
    seconds: float


async def check_up(choice: BrowserChoice) -> BrowserSeen:
    """Start the browser a run would start, without a session, and let it show a page. Raises like ``open_page``."""
    began = time.monotonic()
    async with open_page(
        choice,
        owner="doctor",
        profile=None,
        guard=HostGuard.of((), ()),
        page_timeout_seconds=PAGE_SECONDS,
        start_seconds=START_SECONDS,
    ) as opened:
        await opened.page.set_content(f"<title>{TITLE}</title>")
        await opened.page.wait_for_function("title => document.title === title", arg=TITLE)
        path = _program()
    return BrowserSeen(fingerprint=opened.fingerprint, path=path, seconds=time.monotonic() - began)


def _program() -> str:
    """The program of the browser this process has started; its helpers are of a ``--type``."""
    for process in psutil.Process().children(recursive=True):
        try:
            words = process.cmdline()
            if any(word.startswith(SESSION_MARK) for word in words) and not any("--type=" in word for word in words):
                return process.exe()
        except psutil.Error:
            continue
    return ""
