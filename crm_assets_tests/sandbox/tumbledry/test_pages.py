"""TumbleDry in a real browser: from the login form to a saved workbook, and the traps on the way."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from crm_assets.model import Window
from crm_assets.sandbox import Sandbox, SandboxClock, SandboxOptions
from crm_assets.sandbox.layouts import ORDER_REPORT
from crm_assets.sandbox.workbooks import workbook
from crm_assets_tests.sandbox.visitors import td_form


def sign_in(page: Page, sandbox: Sandbox) -> None:
    page.goto(sandbox.urls["subs"] + "/a668")
    for field, value in td_form(sandbox, "a668").items():
        page.fill(f"#{field}", value)
    page.click("#btnLogin")
    expect(page.locator("#achrOrderReport")).to_be_visible()


def report_app(page: Page) -> FrameLocator:
    page.click("#achrOrderReport")
    frame = page.frame_locator("iframe#ifrmReport")
    frame.get_by_role("heading", name="Order Report").wait_for()
    return frame


def request_form(page: Page) -> FrameLocator:
    app = report_app(page)
    app.get_by_text("Expand").click()
    app.get_by_role("link", name="download historical report").click()
    app.get_by_role("button", name="Generate Report").click()
    return app


def fill(dialog: Locator, *values: int | None) -> None:
    """Fill the six inputs from right to left, year before month before day, as far as values are given."""
    inputs = dialog.get_by_role("spinbutton")
    for index in (2, 1, 0, 5, 4, 3):
        if (value := values[index]) is not None:
            inputs.nth(index).fill(str(value))


@pytest.fixture
def form(page: Page, sandbox: Sandbox) -> Iterator[FrameLocator]:
    sign_in(page, sandbox)
    yield request_form(page)


def range_button(app: FrameLocator) -> Locator:
    return app.get_by_role("button", name=" - ")


def test_a_report_is_asked_for_processed_and_saved(page: Page, sandbox: Sandbox, form: FrameLocator) -> None:
    expect(range_button(form)).to_have_text("Dec 1, 2025 - Feb 14, 2026")
    range_button(form).click()
    fill(form.get_by_role("dialog"), 30, 1, 2026, 31, 1, 2026)
    form.get_by_role("button", name="Update").click()
    expect(range_button(form)).to_have_text("Jan 30, 2026 - Jan 31, 2026")
    form.get_by_role("button", name="Request Report").click()
    row = form.get_by_role("row").filter(has_text="30 Jan 2026 - 31 Jan 2026")
    with page.expect_download() as saving:
        row.get_by_role("link", name="Download").click()
    window = Window(first=date(2026, 1, 30), last=date(2026, 1, 31))
    expected = workbook(ORDER_REPORT, sandbox.books.td_orders("a668", window))
    assert Path(saving.value.path()).read_bytes() == expected


def test_a_day_the_shown_month_does_not_have_is_not_accepted(form: FrameLocator) -> None:
    range_button(form).click()
    inputs = form.get_by_role("dialog").get_by_role("spinbutton")
    inputs.nth(0).fill("14")
    inputs.nth(3).fill("30")
    inputs.nth(4).fill("1")
    inputs.nth(1).fill("1")
    inputs.nth(2).fill("2026")
    form.get_by_role("button", name="Update").click()
    expect(range_button(form)).to_have_text("Jan 14, 2026 - Jan 14, 2026")


def test_a_range_the_wrong_way_round_keeps_the_dialog_open(form: FrameLocator) -> None:
    range_button(form).click()
    fill(form.get_by_role("dialog"), 20, 2, 2026, None, None, None)
    form.get_by_role("button", name="Update").click()
    expect(form.get_by_role("alert")).to_have_text("From must not be after To.")
    expect(form.get_by_role("dialog")).to_be_visible()


def test_a_stored_browser_session_comes_back_to_the_login_form(page: Page, sandbox: Sandbox, chromium: Browser) -> None:
    sign_in(page, sandbox)
    page.goto(sandbox.urls["subs"] + "/a668/App/home")
    expect(page.locator("#achrOrderReport")).to_be_visible()
    state = page.context.storage_state()
    with chromium.new_context(storage_state=state) as returning:
        again = returning.new_page()
        again.goto(sandbox.urls["subs"] + "/a668/App/home")
        expect(again.locator("#txtUserId")).to_be_visible()
        assert again.url.endswith("/Login")


def test_the_direct_export_saves_the_shown_range_at_once(page: Page, clock: SandboxClock) -> None:
    with Sandbox(SandboxOptions(td_direct_export=True), clock) as sandbox:
        sign_in(page, sandbox)
        app = report_app(page)
        range_button(app).click()
        fill(app.get_by_role("dialog"), 13, 2, 2026, 13, 2, 2026)
        app.get_by_role("button", name="Update").click()
        with page.expect_download() as saving:
            app.get_by_role("button", name="Export", exact=True).click()
        window = Window(first=date(2026, 2, 13), last=date(2026, 2, 13))
        expected = workbook(ORDER_REPORT, sandbox.books.td_orders("a668", window))
        assert Path(saving.value.path()).read_bytes() == expected


def test_there_is_no_direct_export_unless_chosen(page: Page, sandbox: Sandbox) -> None:
    sign_in(page, sandbox)
    expect(report_app(page).get_by_role("button", name="Export", exact=True)).to_be_hidden()
