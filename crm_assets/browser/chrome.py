"""Chrome: found, launched with one pinned fingerprint, and gone when its session ends, frozen or not.

A session is one browser process with one context and one page. The saved profile belongs to ``sessions.py``, where the browser
may go to ``guard.py``, its processes to ``processes.py``, pages to the portals.
"""

import asyncio
import logging
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_assets.browser.fingerprint import Fingerprint, own_user_agent
from crm_assets.browser.guard import HostGuard
from crm_assets.browser.processes import BrowserProcesses
from crm_assets.browser.profile import Profile
from crm_assets.browser.storage import restore_session_storage
from crm_assets.errors import BrowserFroze, BrowserMissing, ConfigurationError

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page, Playwright

log = logging.getLogger(__name__)

CHROME_COMMANDS = ("google-chrome", "google-chrome-stable")
CHROMIUM_COMMANDS = ("chromium", "chromium-browser")
HEADLESS_SHELL = "chromium-headless-shell"  # Chromium without what makes windows: it starts in two thirds of the time
MAC_CHROMIUM = "/Applications/Chromium.app/Contents/MacOS/Chromium"
# Where Playwright looks for a channel. Asked first, because it leaves folders behind for a browser that is not there.
CHANNELS = {
    ("linux", "chrome"): "/opt/google/chrome/chrome",
    ("linux", "chrome-beta"): "/opt/google/chrome-beta/chrome",
    ("darwin", "chrome"): "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ("darwin", "chrome-beta"): "/Applications/Google Chrome Beta.app/Contents/MacOS/Google Chrome Beta",
}
# The browser reads the last of these lists only, so Playwright's own is said again; a test keeps it whole.
PLAYWRIGHTS_LIST = (
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,"
    "LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,"
    "TcpPortRandomizationWin,OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch,"
    "msForceBrowserSignIn,msEdgeUpdateLaunchServicesPreferredVersion"
)
# The address bar's suggestions are pages of their own, made ready at every start: half of its time, and nobody types there.
ADDRESS_BAR = "WebUIOmniboxPopup,WebUIOmniboxAimPopup"
# A renderer that waits for a second site: a process more, and a store's session has one page of one portal.
SPARE_RENDERER = "SpareRendererForSitePerProcess"
DISABLED_FEATURES = "--disable-features="
QUIET = (
    f"{DISABLED_FEATURES}{PLAYWRIGHTS_LIST},{ADDRESS_BAR},{SPARE_RENDERER}",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-gpu",
    "--site-per-process",  # as Chrome does, and the headless shell does not: a stranger's busy frame holds up no page
    "--no-default-browser-check",
    "--no-first-run",
)
START_SECONDS = 60
CLOSE_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserChoice:
    """Which browser to launch: a channel to try first, or the path that overrules it."""

    channel: str
    path: Path | None
    headless: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPage:
    """The session's page, the fingerprint it shows, and in which ways the browser behind it is another one."""

    page: "Page"
    fingerprint: Fingerprint
    differences: list[str]


@asynccontextmanager
async def open_page(
    choice: BrowserChoice,
    *,
    owner: str,
    profile: Profile | None,
    guard: HostGuard,
    page_timeout_seconds: int,
    start_seconds: float = START_SECONDS,
    trace: Path | None = None,
) -> AsyncIterator[OpenPage]:
    """One page in a browser of its own, with the saved profile; every process of it is gone afterwards.

    ``owner`` names the session in messages; ``trace`` is where a Playwright trace goes, which holds cookies and what was typed.
    Raises BrowserMissing when this machine has no browser, ConfigurationError when a window is wanted and there is no screen,
    BrowserFroze when it does not start in time.
    """
    from playwright.async_api import async_playwright

    _need_screen(choice, owner)
    _keep_compiled_driver()
    processes = BrowserProcesses()
    arguments = [*QUIET, processes.mark, guard.browser_argument, *(["--no-sandbox"] if _is_root() else [])]
    async with async_playwright() as playwright:
        try:
            async with _starting(owner, start_seconds):
                browser, name = await _launch(playwright, choice, args=arguments, env=_environment())
                fingerprint = await _own_fingerprint(browser, name, choice.headless)
                opened = await _opened(browser, fingerprint, profile, guard)
            context = opened.page.context
            context.set_default_timeout(page_timeout_seconds * 1000)
            async with _closed(context), _traced(context, trace):
                yield opened
        finally:
            processes.end()  # before Playwright leaves: it would wait for a frozen browser


@asynccontextmanager
async def _starting(owner: str, seconds: float) -> AsyncIterator[None]:
    """The time a healthy browser needs many times over. Raises BrowserFroze."""
    from playwright.async_api import Error

    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise BrowserFroze(f"{owner}: the browser did not start within {seconds:.0f} s. It was ended") from None
    except Error as error:
        raise BrowserFroze(f"{owner}: the browser did not start: {error.message.splitlines()[0]}") from None


async def _opened(browser: "Browser", own: Fingerprint, profile: Profile | None, guard: HostGuard) -> OpenPage:
    """The page, looking as the profile looked when the portal came to trust it."""
    shown = (profile and profile.fingerprint) or own
    context = await browser.new_context(
        storage_state=dict(profile.state) if profile else None,  # type: ignore[arg-type]
        accept_downloads=True,
        service_workers="block",  # their requests would pass the guard unseen
        **shown.context_options(),
    )
    await guard.stand_before(context)
    page = await context.new_page()
    if profile and profile.session_storage:
        await restore_session_storage(page, profile.session_storage)
    return OpenPage(page=page, fingerprint=shown, differences=shown.differences(own))


async def _own_fingerprint(browser: "Browser", name: str, headless: bool) -> Fingerprint:
    session = await browser.new_browser_cdp_session()
    version = await session.send("Browser.getVersion")
    await session.detach()
    return Fingerprint(
        browser=name,
        version=browser.version,
        headless=headless,
        platform=sys.platform,
        user_agent=own_user_agent(version["userAgent"]),
    )


@asynccontextmanager
async def _traced(context: "BrowserContext", trace: Path | None) -> AsyncIterator[None]:
    """Keep a Playwright trace of the block, closed to other users."""
    if trace is None:
        yield
        return
    await context.tracing.start(screenshots=True, snapshots=True, sources=False)
    try:
        yield
    finally:
        await _in_time(context.tracing.stop(path=trace), "finish its trace")
        _close_to_others(trace)


def _close_to_others(trace: Path) -> None:
    if trace.exists():
        trace.chmod(0o600)  # its folder is closed from the start


@asynccontextmanager
async def _closed(context: "BrowserContext") -> AsyncIterator[None]:
    """Ask the browser to close after the block, unless it froze in it or there is no time: then its processes are ended."""
    answers = True
    try:
        yield
    except (BrowserFroze, asyncio.CancelledError):
        answers = False
        raise
    finally:
        if answers:
            await _in_time(_browser_of(context).close(), "close by itself")


def _browser_of(context: "BrowserContext") -> "Browser":
    assert context.browser is not None  # noqa: S101 - only a persistent context has none
    return context.browser


async def _in_time(request: Awaitable[None], what: str) -> None:
    from playwright.async_api import Error

    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await request
    except (TimeoutError, Error) as error:
        log.warning("the browser did not %s: %s", what, type(error).__name__)


async def _launch(playwright: "Playwright", choice: BrowserChoice, **options: Any) -> tuple["Browser", str]:
    """Launch the wanted channel; where it is absent, Playwright's Chromium or the system's. Returns its name too."""
    from playwright.async_api import Error

    for name, where in _candidates(playwright, choice):
        try:
            return await playwright.chromium.launch(headless=choice.headless, **options, **where), name
        except Error as error:
            if not _is_absence(error.message):
                raise
    if choice.path:
        raise BrowserMissing(f"CRM_BROWSER_PATH: expected a browser, found none at {choice.path}. Mend or unset it")
    raise BrowserMissing(
        f"expected Google Chrome (channel {choice.channel!r}), Playwright's Chromium or the system's, found none. "
        "Run: playwright install chromium (or install the chromium package), or set CRM_BROWSER_PATH"
    )


def _candidates(playwright: "Playwright", choice: BrowserChoice) -> list[tuple[str, dict[str, Any]]]:
    """What to try, in turn: the browser's name in fingerprints, and where Playwright finds it."""
    if choice.path:
        return [(_product(choice.path.name), {"executable_path": str(choice.path)})] if choice.path.exists() else []
    found: list[tuple[str, dict[str, Any]]] = []
    if Path(CHANNELS.get((sys.platform, choice.channel), "/")).exists():  # one that is not in the table is tried
        found.append((choice.channel, {"channel": choice.channel}))
    if Path(playwright.chromium.executable_path).exists():
        found.append(("chromium", {}))
    system = system_browser(headless=choice.headless)
    return [*found, *([(_product(Path(system).name), {"executable_path": system})] if system else [])]


def system_browser(*, headless: bool) -> str | None:
    """The path of the browser that the machine's own packages brought; without a window, Chromium's headless shell first."""
    shell = (HEADLESS_SHELL,) if headless else ()
    found = next(filter(None, map(shutil.which, (*CHROME_COMMANDS, *shell, *CHROMIUM_COMMANDS))), None)
    on_mac = sys.platform == "darwin" and Path(MAC_CHROMIUM).exists()
    return found or (MAC_CHROMIUM if on_mac else None)


def _product(executable: str) -> str:
    """``google-chrome-stable`` is chrome, however it was found."""
    return next((name for name in ("chromium", "chrome") if name in executable.lower()), executable)


def _is_absence(message: str) -> bool:
    """Playwright has no error class for a browser that is not installed."""
    return (
        "is not found at" in message
        or "Executable doesn't exist" in message
        or "Unsupported chromium channel" in message
    )


def _need_screen(choice: BrowserChoice, owner: str) -> None:
    """Raise ConfigurationError when a window is wanted where there is no screen."""
    if not choice.headless and sys.platform == "linux" and not (os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}):
        raise ConfigurationError(
            f"{owner}: expected a screen for the browser's window, found neither DISPLAY nor WAYLAND_DISPLAY. "
            "Use --headless (for bootstrap: --terminal), or run it on a machine with a screen"
        )


def _environment() -> dict[str, str | float | bool]:
    """The browser's: without our settings, among which are the logins."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}


def _keep_compiled_driver() -> None:
    """Playwright's driver is a program for Node, and starts in two thirds of the time once it is kept compiled, beside what
    Python compiled of Playwright. Node does without where it may not write.
    """
    import playwright

    os.environ.setdefault("NODE_COMPILE_CACHE", str(Path(playwright.__file__).parent / "__pycache__" / "node"))


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
