"""The browser: which one a run would start, and that it really starts, shows a page and closes.

Starting one is the business of ``crm_assets.browser``.
"""

import asyncio
from dataclasses import dataclass, replace

from crm_assets.browser.checkup import BrowserSeen, check_up
from crm_assets.browser.chrome import BrowserChoice
from crm_assets.browser.fingerprint import Fingerprint
from crm_assets.doctor.findings import Finding, green, of_error, yellow
from crm_assets.errors import BrowserFroze, BrowserMissing, ConfigurationError
from crm_assets.settings import Settings

SUBJECT = "browser"
FROZEN = "Start it by hand and see what it says; its libraries may be missing (playwright install-deps chromium)"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserLook:
    """What was found, and how the browser of this machine looks to a portal; None when there is none that starts."""

    findings: list[Finding]
    fingerprint: Fingerprint | None = None


def look_at_browser(settings: Settings) -> BrowserLook:
    """Start the configured browser once; where it wants a window and there is no screen, without one."""
    env = settings.env
    choice = BrowserChoice(channel=env.browser_channel, path=env.browser_path, headless=env.headless)
    try:
        return _started(choice)
    except ConfigurationError as error:
        without = _started(replace(choice, headless=True))
        look = without.fingerprint and replace(without.fingerprint, headless=False)
        return BrowserLook(findings=[_no_screen(error), *without.findings], fingerprint=look)


def _started(choice: BrowserChoice) -> BrowserLook:
    """Raises ConfigurationError when there is no screen for a window."""
    name = str(choice.path or choice.channel)
    try:
        seen = asyncio.run(check_up(choice))
    except BrowserMissing as error:
        return BrowserLook(findings=[of_error(SUBJECT, name, error)])
    except BrowserFroze as error:
        return BrowserLook(findings=[of_error(SUBJECT, name, error, next_step=FROZEN)])
    return BrowserLook(findings=[green(SUBJECT, seen.fingerprint.browser, _told(seen))], fingerprint=seen.fingerprint)


def _told(seen: BrowserSeen) -> str:
    where = f" ({seen.path})" if seen.path else ""
    return f"version {seen.fingerprint.version}{where} started, showed a page and closed in {seen.seconds:.1f} s"


def _no_screen(error: ConfigurationError) -> Finding:
    found = str(error).removeprefix("doctor: ").partition(". ")[0]
    return yellow(
        SUBJECT,
        "screen",
        f"CRM_HEADLESS is false: {found}",
        "Set CRM_HEADLESS=true, or run it where there is a screen; until then no run starts a browser",
    )
