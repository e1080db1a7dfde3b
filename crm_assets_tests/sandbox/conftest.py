"""A sandbox at a fixed moment, and one browser per test module."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from crm_assets.browser.chrome import system_browser
from crm_assets.model import IST
from crm_assets.sandbox import Sandbox, SandboxClock

NOON = datetime(2026, 2, 14, 12, 30, tzinfo=IST)


@pytest.fixture
def clock() -> SandboxClock:
    """Stands at half past twelve on 14 February 2026: a short month, with a longer one behind it."""
    clock = SandboxClock()
    clock.set(NOON)
    return clock


@pytest.fixture
def sandbox(clock: SandboxClock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system_browser(headless=True), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(timezone_id="Asia/Kolkata") as context:
        context.set_default_timeout(15_000)
        yield context.new_page()
