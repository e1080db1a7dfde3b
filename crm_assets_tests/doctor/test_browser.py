"""The browser's findings: one real start, and the ways it can fail."""

from pathlib import Path

import psutil
import pytest

from crm_assets.doctor.browser import BrowserLook, look_at_browser
from crm_assets.doctor.findings import Level
from crm_assets_tests.fixtures.sandbox import Installation


@pytest.fixture
def without_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


def look(installation: Installation, **environ: str) -> BrowserLook:
    installation.environ.update(environ)
    return look_at_browser(installation.settings)


@pytest.mark.usefixtures("without_screen")
def test_a_browser_starts_shows_a_page_and_closes_and_a_window_without_a_screen_is_told(
    installation: Installation,
) -> None:
    look_ = look(installation, CRM_HEADLESS="false")
    screen, browser = look_.findings
    assert (screen.name, screen.level) == ("screen", Level.YELLOW)
    assert "CRM_HEADLESS is false: expected a screen for the browser's window" in screen.found
    assert screen.next_step.startswith("Set CRM_HEADLESS=true")
    assert browser.level is Level.GREEN
    assert look_.fingerprint is not None
    assert look_.fingerprint.headless is False
    assert look_.fingerprint.version in browser.found
    path = browser.found.partition("(")[2].partition(")")[0]
    assert Path(path).is_file()
    left = [process.name() for process in psutil.Process().children(recursive=True)]
    assert not [name for name in left if "chrom" in name]


def test_a_path_that_leads_nowhere_is_red(installation: Installation) -> None:
    (finding,) = look(installation, CRM_BROWSER_PATH="/nowhere/chrome").findings
    assert (finding.name, finding.level) == ("/nowhere/chrome", Level.RED)
    assert finding.found == "CRM_BROWSER_PATH: expected a browser, found none at /nowhere/chrome"
    assert finding.next_step == "Mend or unset it"


def test_a_program_that_is_no_browser_is_red(installation: Installation, tmp_path: Path) -> None:
    program = tmp_path / "browser"
    program.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    seen = look(installation, CRM_BROWSER_PATH=str(program))
    (finding,) = seen.findings
    assert finding.level is Level.RED
    assert "the browser did not start" in finding.found
    assert "playwright install-deps" in finding.next_step
    assert seen.fingerprint is None
