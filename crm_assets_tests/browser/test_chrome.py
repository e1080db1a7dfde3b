"""Chrome: what is launched, how it looks to a portal, and that nothing of it stays, however it ends."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from crm_assets.browser import chrome
from crm_assets.browser.chrome import SESSION_MARK, BrowserChoice, open_page
from crm_assets.errors import BrowserFroze, BrowserMissing
from crm_assets.model import Download, Window
from crm_assets.multi_crm_downloader import download_all
from crm_assets_tests.fixtures.sandbox import Installation, RememberedEvents, days

CHOICE = BrowserChoice(channel="chrome", path=None, headless=True)
PORTAL_LOOK = "[new Date(0).getTimezoneOffset(), navigator.language, innerWidth, innerHeight]"


def marked_processes() -> list[psutil.Process]:
    """The browsers this process has started, and that still run; another test session's are not ours."""
    ours = psutil.Process().children(recursive=True)
    return [process for process in ours if any(word.startswith(SESSION_MARK) for word in command(process))]


def command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def freeze() -> None:
    """Stop every browser of ours as a hanging machine would: nothing answers, nothing ends."""
    for process in marked_processes():
        os.kill(process.pid, signal.SIGSTOP)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    assert marked_processes() == []


def look(choice: BrowserChoice) -> Any:
    async def once() -> Any:
        async with open_page(choice, owner="td/a668", state=None, page_timeout_seconds=5) as page:
            assert marked_processes() != []
            return await page.evaluate(PORTAL_LOOK)

    return asyncio.run(once())


def test_every_browser_looks_the_same_to_a_portal() -> None:
    assert look(CHOICE) == [-330, "en-IN", 1366, 900]


def test_a_channel_that_is_not_installed_gives_way_to_the_browser_that_is() -> None:
    assert look(replace(CHOICE, channel="chrome-canary"))[0] == -330


def test_a_path_that_leads_nowhere_is_told_with_its_setting() -> None:
    with pytest.raises(BrowserMissing, match="CRM_BROWSER_PATH: expected a browser, found none at /nowhere"):
        look(replace(CHOICE, path=Path("/nowhere")))


def test_a_program_that_is_no_browser_does_not_start(tmp_path: Path) -> None:
    program = tmp_path / "browser"
    program.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    with pytest.raises(BrowserFroze, match="td/a668: the browser did not start: "):
        look(replace(CHOICE, path=program))


def test_an_error_inside_a_session_leaves_no_process() -> None:
    async def once() -> None:
        async with open_page(CHOICE, owner="td/a668", state=None, page_timeout_seconds=5):
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        asyncio.run(once())


def test_a_browser_that_freezes_before_its_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chrome, "CLOSE_SECONDS", 1)

    async def once() -> None:
        async with open_page(CHOICE, owner="td/a668", state=None, page_timeout_seconds=5):
            freeze()

    asyncio.run(once())


@dataclass(kw_only=True)
class Watching(RememberedEvents):
    """Does something the first time a window has landed."""

    then: Callable[[], None]

    def landed(self, download: Download) -> None:
        self.downloads.append(download)
        if len(self.downloads) == 1:
            self.then()


def test_a_browser_that_freezes_at_work_is_ended_at_the_deadline_and_costs_its_own_windows(
    installation: Installation,
) -> None:
    installation.environ["CRM_DOWNLOAD_TIMEOUT_SECONDS"] = "10"
    installation.environ["CRM_PAGE_TIMEOUT_SECONDS"] = "60"
    journal = Watching(then=freeze)
    windows = (days("2026-02-11"), days("2026-02-12"), days("2026-02-13"))
    orders = [installation.order("uc/sector56", *windows)]
    download_all(installation.settings, orders, journal, clock=installation.sandbox.clock)
    assert [each.window for each in journal.downloads] == [windows[0]]
    assert [type(error) for _, error in journal.errors] == [BrowserFroze, BrowserFroze]
    message = "uc/sector56: not done after 10 s, during: export by export_report_get. The browser was ended"
    assert {str(error) for _, error in journal.errors} == {message}
    assert failed_windows(journal) == list(windows[1:])


def failed_windows(journal: RememberedEvents) -> list[Window]:
    return [window for what, _, window in journal.events if what == "failed"]


def test_a_portal_that_hangs_past_the_deadline_costs_its_own_store(installation: Installation) -> None:
    installation.environ["CRM_DOWNLOAD_TIMEOUT_SECONDS"] = "10"
    installation.environ["CRM_PAGE_TIMEOUT_SECONDS"] = "60"
    installation.sandbox.fault("slow", crm="td", at=["login"], seconds=40)
    journal = installation.download(dict.fromkeys(("td/a668", "uc/sector56"), days("2026-02-13")))
    error = journal.error_of("td/a668")
    assert isinstance(error, BrowserFroze)
    assert str(error) == "td/a668: not done after 10 s, during: sign in. The browser was ended"
    assert [str(each.store) for each in journal.downloads] == ["uc/sector56"]


def test_a_browser_that_crashes_at_work_costs_its_own_store(installation: Installation) -> None:
    def crash() -> None:
        for process in marked_processes():
            process.kill()

    journal = Watching(then=crash)
    windows = (days("2026-02-12"), days("2026-02-13"))
    orders = [installation.order("uc/sector56", *windows)]
    download_all(installation.settings, orders, journal, clock=installation.sandbox.clock)
    error = journal.error_of("uc/sector56")
    assert error.code == "PortalUnavailable"
    assert str(error).startswith("uc/sector56: ")
