"""Chrome: what is launched, how it looks to a portal, and that nothing of it stays, however and wherever it hangs."""

import asyncio
import os
import signal
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from crm_assets.browser import chrome
from crm_assets.browser.chrome import BrowserChoice, OpenPage, open_page
from crm_assets.browser.fingerprint import Fingerprint
from crm_assets.browser.guard import HostGuard
from crm_assets.browser.processes import SESSION_MARK
from crm_assets.browser.profile import Profile
from crm_assets.errors import BrowserFroze, BrowserMissing, ConfigurationError
from crm_assets.model import Download, Window
from crm_assets.multi_crm_downloader import download_all
from crm_assets_tests.fixtures.sandbox import Installation, RememberedEvents, days

CHOICE = BrowserChoice(channel="chrome", path=None, headless=True)
PORTAL_LOOK = "[new Date(0).getTimezoneOffset(), navigator.language, innerWidth, innerHeight]"
MAC = Fingerprint(
    browser="chrome",
    version="141.0.7390.55",
    headless=False,
    platform="darwin",
    user_agent="Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0",
)


def opened(choice: BrowserChoice = CHOICE, **other: Any) -> AbstractAsyncContextManager[OpenPage]:
    usual: dict[str, Any] = {
        "owner": "td/a668",
        "profile": None,
        "guard": HostGuard(hosts=("127.0.0.1",)),
        "page_timeout_seconds": 5,
    }
    return open_page(choice, **usual | other)


def marked_processes() -> list[psutil.Process]:
    """The browsers this process has started, and that still run; another test session's are not ours."""
    ours = psutil.Process().children(recursive=True)
    return [process for process in ours if any(word.startswith(SESSION_MARK) for word in command(process))]


def command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def browser_processes() -> list[psutil.Process]:
    """All of a browser's processes: renderers and helpers do not carry its mark."""
    return [each for browser in marked_processes() for each in [browser, *browser.children(recursive=True)]]


def freeze() -> None:
    """Stop every browser of ours, with all its processes, as a hanging machine would: nothing answers, nothing ends."""
    for process in browser_processes():
        os.kill(process.pid, signal.SIGSTOP)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    before = {process.pid for process in psutil.process_iter()}
    yield
    left = [each for each in psutil.Process().children(recursive=True) if each.pid not in before and is_browser(each)]
    assert psutil.wait_procs(left, timeout=5)[1] == []


def is_browser(process: psutil.Process) -> bool:
    try:
        return "chrom" in process.name() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def look(choice: BrowserChoice = CHOICE, script: str = PORTAL_LOOK, **other: Any) -> Any:
    async def once() -> Any:
        async with opened(choice, **other) as browser:
            assert marked_processes() != []
            return await browser.page.evaluate(script)

    return asyncio.run(once())


def test_every_browser_looks_the_same_to_a_portal() -> None:
    assert look() == [-330, "en-IN", 1366, 900]
    assert "Headless" not in look(script="navigator.userAgent")


def test_the_driver_is_kept_compiled_for_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NODE_COMPILE_CACHE", raising=False)
    look()
    assert any(Path(os.environ["NODE_COMPILE_CACHE"]).rglob("*"))


def test_a_session_is_opened_by_the_look_that_made_it_and_the_difference_is_told() -> None:
    profile = Profile(state={"cookies": [], "origins": []}, fingerprint=MAC)

    async def once() -> tuple[str, OpenPage]:
        async with opened(profile=profile) as browser:
            return await browser.page.evaluate("navigator.userAgent"), browser

    shown, browser = asyncio.run(once())
    assert shown == MAC.user_agent
    assert browser.fingerprint == MAC
    assert [text for text in browser.differences if "headed chrome 141 on darwin" in text] == browser.differences != []


def test_what_playwright_turns_off_stays_off_beside_what_we_do() -> None:
    """Two lists: Playwright's, and the one that counts, ours."""

    async def lists() -> list[set[str]]:
        async with opened():
            words = command(marked_processes()[0])
        return [set(word.partition("=")[2].split(",")) for word in words if word.startswith(chrome.DISABLED_FEATURES)]

    playwrights, ours = asyncio.run(lists())
    assert playwrights < ours
    assert ours - playwrights == {"WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "SpareRendererForSitePerProcess"}


def test_a_channel_that_is_not_installed_gives_way_to_the_browser_that_is() -> None:
    assert look(replace(CHOICE, channel="chrome-canary"))[0] == -330


@pytest.mark.parametrize(
    ("installed", "without_window", "with_window"),
    [
        (("chromium", "chromium-headless-shell"), "chromium-headless-shell", "chromium"),
        (("google-chrome", "chromium-headless-shell"), "google-chrome", "google-chrome"),
        (("chromium-browser",), "chromium-browser", "chromium-browser"),
        (("chromium-headless-shell",), "chromium-headless-shell", None),
    ],
)
def test_the_systems_browser_is_chrome_or_without_a_window_the_shell_that_has_none(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    installed: Sequence[str],
    without_window: str,
    with_window: str | None,
) -> None:
    for name in installed:
        program(tmp_path, "exit 0").rename(tmp_path / name)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(chrome.sys, "platform", "linux")
    found = [chrome.system_browser(headless=headless) for headless in (True, False)]
    assert found == [name and str(tmp_path / name) for name in (without_window, with_window)]


def test_a_path_that_leads_nowhere_is_told_with_its_setting() -> None:
    with pytest.raises(BrowserMissing, match="CRM_BROWSER_PATH: expected a browser, found none at /nowhere"):
        look(replace(CHOICE, path=Path("/nowhere")))


def test_a_window_without_a_screen_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(chrome.sys, "platform", "linux")
    with pytest.raises(ConfigurationError, match=r"expected a screen .* found neither DISPLAY .* --terminal"):
        look(replace(CHOICE, headless=False))


def test_a_program_that_is_no_browser_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(BrowserFroze, match="td/a668: the browser did not start: "):
        look(replace(CHOICE, path=program(tmp_path, "exit 3")))


def program(folder: Path, script: str) -> Path:
    path = folder / "browser"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_an_error_inside_a_session_leaves_no_process() -> None:
    async def once() -> None:
        async with opened():
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        asyncio.run(once())


def test_a_trace_is_for_its_owner_alone(tmp_path: Path) -> None:
    trace = tmp_path / "trace.zip"
    look(trace=trace)
    assert trace.stat().st_size > 1000
    assert stat.S_IMODE(trace.stat().st_mode) == 0o600


# A browser that hangs, at each point of its life.


def test_a_browser_that_hangs_at_its_launch_is_ended(tmp_path: Path) -> None:
    stopped = program(tmp_path, "kill -STOP $$")
    with pytest.raises(BrowserFroze, match=r"td/a668: the browser did not start within 2 s. It was ended"):
        look(replace(CHOICE, path=stopped), start_seconds=2)


def test_a_browser_that_hangs_before_its_page_is_open_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    launch = chrome._launch

    async def launch_and_freeze(*arguments: Any, **options: Any) -> Any:
        launched = await launch(*arguments, **options)
        freeze()
        return launched

    monkeypatch.setattr(chrome, "_launch", launch_and_freeze)
    with pytest.raises(BrowserFroze, match=r"td/a668: the browser did not start within 5 s. It was ended"):
        look(start_seconds=5)


def test_a_browser_that_hangs_at_its_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chrome, "CLOSE_SECONDS", 1)

    async def once() -> None:
        async with opened():
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


def test_a_browser_that_hangs_at_work_is_ended_at_the_deadline_and_costs_its_own_windows(
    installation: Installation,
) -> None:
    installation.environ["CRM_STORE_DEADLINE_S"] = "15"
    installation.environ["CRM_PAGE_TIMEOUT_SECONDS"] = "60"
    journal = Watching(then=freeze)
    windows = (days("2026-02-11"), days("2026-02-12"), days("2026-02-13"))
    orders = [installation.order("uc/sector56", *windows)]
    download_all(installation.settings, orders, journal, clock=installation.sandbox.clock)
    assert [each.window for each in journal.downloads] == [windows[0]]
    assert [type(error) for _, error in journal.errors] == [BrowserFroze, BrowserFroze]
    message = "uc/sector56: not done after 15 s, during: export by export_report_get. The browser was ended"
    assert {str(error) for _, error in journal.errors} == {message}
    assert failed_windows(journal) == list(windows[1:])
    evidence = journal.errors[0][1].evidence
    assert evidence
    assert "export by export_report_get" in (evidence / "steps.txt").read_text(encoding="utf-8")


def failed_windows(journal: RememberedEvents) -> list[Window]:
    return [window for what, _, window in journal.events if what == "failed"]


def test_a_portal_that_hangs_past_the_deadline_costs_its_own_store(installation: Installation) -> None:
    installation.environ["CRM_STORE_DEADLINE_S"] = "15"
    installation.environ["CRM_PAGE_TIMEOUT_SECONDS"] = "60"
    installation.sandbox.fault("slow", crm="td", at=["login"], seconds=40)
    journal = installation.download(dict.fromkeys(("td/a668", "uc/sector56"), days("2026-02-13")))
    error = journal.error_of("td/a668")
    assert isinstance(error, BrowserFroze)
    assert "not done after" in str(error)
    assert "during: sign in. The browser was ended" in str(error)
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


# A run that is cancelled.


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_run_ends_its_browsers_and_tells_its_windows(
    installation: Installation, number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    installation.sandbox.fault("slow", crm="uc", at=["export"], seconds=60)
    journal = RememberedEvents()
    orders = [installation.order("uc/sector56", days("2026-02-12"), days("2026-02-13"))]
    threading.Thread(target=lambda: cancel_once_signed_in(installation, number), daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        download_all(installation.settings, orders, journal, clock=installation.sandbox.clock)
    assert [error.code for _, error in journal.errors] == ["RunCancelled", "RunCancelled"]
    assert marked_processes() == []
    assert signal.getsignal(number) is before


def cancel_once_signed_in(installation: Installation, number: signal.Signals) -> None:
    waiting = threading.Event()
    for _ in range(600):
        if installation.sandbox.log.logins["uc/sector56"]:
            break
        waiting.wait(0.1)
    os.kill(os.getpid(), number)
