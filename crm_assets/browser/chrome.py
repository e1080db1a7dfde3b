"""Chrome: found, launched with one pinned fingerprint, and gone when its session ends, frozen or not.

A session is one browser process with one context and one page. The saved state belongs to ``sessions.py``, pages to the portals.
"""

import asyncio
import logging
import os
import shutil
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from crm_assets.errors import BrowserFroze, BrowserMissing

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, Playwright

log = logging.getLogger(__name__)

SYSTEM_COMMANDS = ("google-chrome", "google-chrome-stable", "chromium", "chromium-browser")
MAC_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-gpu",
    "--no-default-browser-check",
    "--no-first-run",
)
FINGERPRINT: dict[str, Any] = {
    "locale": "en-IN",
    "timezone_id": "Asia/Kolkata",
    "viewport": {"width": 1366, "height": 900},
}
SESSION_MARK = "--crm-assets-session="
START_SECONDS = 60
CLOSE_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserChoice:
    """Which browser to launch: a channel to try first, or the path that overrules it."""

    channel: str
    path: Path | None
    headless: bool


@asynccontextmanager
async def open_page(
    choice: BrowserChoice, *, owner: str, state: dict[str, Any] | None, page_timeout_seconds: int
) -> AsyncIterator["Page"]:
    """One page in a browser of its own, with the saved storage state; every process of it is gone afterwards.

    ``owner`` names the session in messages. Raises BrowserMissing when this machine has none, BrowserFroze when it does not
    start.
    """
    from playwright.async_api import async_playwright

    mark = f"{SESSION_MARK}{uuid.uuid4().hex}"
    async with async_playwright() as playwright:
        try:
            page = await _started(playwright, choice, mark, owner, state)
            page.set_default_timeout(page_timeout_seconds * 1000)
            page.context.set_default_timeout(page_timeout_seconds * 1000)
            yield page
            await _closed(page)
        finally:
            _end_processes(mark)  # before Playwright leaves: it would wait for a frozen browser


async def _started(
    playwright: "Playwright", choice: BrowserChoice, mark: str, owner: str, state: dict[str, Any] | None
) -> "Page":
    """Launch and open the page, within the time a healthy browser needs many times over."""
    from playwright.async_api import Error

    try:
        async with asyncio.timeout(START_SECONDS):
            browser = await _launch(playwright, choice, mark)
            context = await browser.new_context(storage_state=state, accept_downloads=True, **FINGERPRINT)  # type: ignore[arg-type]
            return await context.new_page()
    except TimeoutError:
        raise BrowserFroze(f"{owner}: the browser did not start within {START_SECONDS} s. It was ended") from None
    except Error as error:
        raise BrowserFroze(f"{owner}: the browser did not start: {error.message.splitlines()[0]}") from None


async def _closed(page: "Page") -> None:
    """Ask the browser to close; one that does not answer is ended with its processes."""
    from playwright.async_api import Error

    browser = page.context.browser
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            if browser:
                await browser.close()
    except (TimeoutError, Error) as error:
        log.warning("the browser did not close by itself: %s", type(error).__name__)


async def _launch(playwright: "Playwright", choice: BrowserChoice, mark: str) -> "Browser":
    """Launch the wanted channel; where it is absent, Playwright's Chromium or the system's."""
    from playwright.async_api import Error

    arguments = [*QUIET, mark, *(["--no-sandbox"] if _is_root() else [])]
    for where in _candidates(playwright, choice):
        try:
            return await playwright.chromium.launch(headless=choice.headless, args=arguments, **where)
        except Error as error:
            if not _is_absence(error.message):
                raise
    if choice.path:
        raise BrowserMissing(f"CRM_BROWSER_PATH: expected a browser, found none at {choice.path}. Mend or unset it")
    raise BrowserMissing(
        f"expected Google Chrome (channel {choice.channel!r}), Playwright's Chromium or the system's, found none. "
        "Run: playwright install chromium (or install the chromium package), or set CRM_BROWSER_PATH"
    )


def _candidates(playwright: "Playwright", choice: BrowserChoice) -> list[dict[str, Any]]:
    if choice.path:
        return [{"executable_path": str(choice.path)}] if choice.path.exists() else []
    found = [{"channel": choice.channel}]
    if Path(playwright.chromium.executable_path).exists():
        found.append({})
    system = next(filter(None, map(shutil.which, SYSTEM_COMMANDS)), None)
    if sys.platform == "darwin":
        system = system or next((path for path in MAC_APPLICATIONS if Path(path).exists()), None)
    return [*found, *([{"executable_path": system}] if system else [])]


def _is_absence(message: str) -> bool:
    """Playwright has no error class for a browser that is not installed."""
    return (
        "is not found at" in message
        or "Executable doesn't exist" in message
        or "Unsupported chromium channel" in message
    )


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _end_processes(mark: str) -> None:
    """End every browser process that carries this session's mark: a frozen browser ignores a polite close."""
    marked = [process for process in psutil.process_iter(["cmdline"]) if mark in (process.info["cmdline"] or [])]
    family = {child for process in marked for child in _children(process)} | set(marked)
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    if family:
        log.warning("ended %d browser processes that had not closed", len(family))
        psutil.wait_procs(list(family), timeout=5)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
