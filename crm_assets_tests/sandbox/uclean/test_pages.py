"""The panel in a real browser: both login pages, the stored session, the GST page and its home-made workbook."""

import json
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from crm_assets.model import Window
from crm_assets.sandbox import Sandbox, SandboxClock, SandboxOptions
from crm_assets.sandbox.layouts import GST_REPORT, Row
from crm_assets.sandbox.uclean.panel import FRONTS
from crm_assets.sandbox.workbooks import workbook

WINDOW = Window(first=date(2026, 1, 28), last=date(2026, 2, 14))

WRITE_IN_THE_PAGE = """async ([headers, rows]) => {
  const { loadParts, workbook } = await import("/assets/sheetjs.js");
  const blob = workbook(await loadParts(), "GST Report", headers, rows);
  return [...new Uint8Array(await blob.arrayBuffer())];
}"""


def sign_in(page: Page, sandbox: Sandbox, front: str = "storepanel") -> None:
    page.goto(sandbox.urls[front])
    page.wait_for_url("**/login")
    page.fill("input[type=email]", sandbox.secrets()["CRM_UC_SECTOR56_USER"])
    page.fill("input[type=password]", sandbox.secrets()["CRM_UC_SECTOR56_PASSWORD"])
    page.click("button[type='submit']")
    page.wait_for_url("**/dashboard")
    expect(page.locator("nav")).to_be_visible()


def choose_window(page: Page) -> None:
    page.locator("input.search-user").click()
    page.locator(".start-date .mat-calendar-previous-button").click()
    expect(page.locator(".start-date .mat-calendar-period-button")).to_have_text("JAN 2026")
    page.locator(".start-date td[aria-label='January 28, 2026']").click()
    page.locator(".end-date td[aria-label='February 14, 2026']").click()


def apply(page: Page) -> None:
    page.locator(".apply .buttons button.btn.primary").click()
    expect(page.locator("input.search-user")).to_have_attribute("placeholder", "Jan 28, 2026 - Feb 14, 2026")


def export(page: Page) -> Download:
    with page.expect_download() as saving:
        page.locator("button.btn.primary.export").click()
    return saving.value


def content(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


@pytest.mark.parametrize("front", FRONTS)
def test_a_session_is_kept_in_local_storage_and_comes_back(
    page: Page, sandbox: Sandbox, chromium: Browser, front: str
) -> None:
    sign_in(page, sandbox, front)
    state = page.context.storage_state()
    assert [item["name"] for item in state["origins"][0]["localStorage"]] == [FRONTS[front].token_key]
    with chromium.new_context(storage_state=state) as returning:
        again = returning.new_page()
        again.goto(sandbox.urls[front])
        expect(again.get_by_text("Sector 56, Gurugram")).to_be_visible()


def test_a_session_of_the_old_host_is_unknown_to_the_new_one(page: Page, sandbox: Sandbox) -> None:
    sign_in(page, sandbox, "store")
    page.goto(sandbox.urls["storepanel"])
    page.wait_for_url("**/login")


def test_a_wrong_password_shows_an_alert(page: Page, sandbox: Sandbox) -> None:
    page.goto(sandbox.urls["storepanel"] + "/login")
    page.fill("#email", sandbox.secrets()["CRM_UC_SECTOR56_USER"])
    page.fill("#password", "guess")
    page.click("button[type='submit']")
    expect(page.locator(".alert.alert-danger")).to_have_text("Invalid email or password")


@pytest.mark.parametrize("front", FRONTS)
def test_a_locked_account_shows_an_alert(page: Page, sandbox: Sandbox, front: str) -> None:
    sandbox.fault("locked")
    page.goto(sandbox.urls[front] + "/login")
    page.fill("input[type=email]", sandbox.secrets()["CRM_UC_SECTOR56_USER"])
    page.fill("input[type=password]", "whatever")
    page.click("button[type='submit']")
    expect(page.locator(".alert.alert-danger")).to_have_text("Your account has been locked. Contact support.")


def test_a_refused_token_leads_to_the_login_form(page: Page, sandbox: Sandbox) -> None:
    sign_in(page, sandbox)
    expect(page.locator("#store-name")).not_to_be_empty()
    sandbox.fault("token_refused")
    page.reload()
    page.wait_for_url("**/login")


def test_the_dashboard_leaves_a_mark_in_every_storage(page: Page, sandbox: Sandbox) -> None:
    sign_in(page, sandbox)
    expect(page.locator("#store-name")).not_to_be_empty()
    state: Any = page.context.storage_state(indexed_db=True)
    (database,) = state["origins"][0]["indexedDB"]
    assert database["name"] == "uclean-panel"
    assert [record["key"] for record in database["stores"][0]["records"]] == ["notices_seen"]
    assert page.evaluate("Object.keys(sessionStorage)") == ["notices_seen"]


@pytest.mark.parametrize("place", ["session", "indexed"])
def test_the_token_may_be_kept_elsewhere_than_in_local_storage(
    page: Page, clock: SandboxClock, place: Literal["session", "indexed"]
) -> None:
    with Sandbox(SandboxOptions(uc_session=place), clock) as sandbox:
        sign_in(page, sandbox)
        page.goto(sandbox.urls["storepanel"] + "/gst-report")
        choose_window(page)
        apply(page)
        expect(page.locator(".gst-banner-card .value").first).not_to_have_text("₹0")
        page.goto(sandbox.urls["storepanel"] + "/login")
        page.wait_for_url("**/dashboard")
        kept = {
            "local": page.evaluate("Object.keys(localStorage)"),
            "session": page.evaluate("Object.keys(sessionStorage)"),
        }
        assert kept["local"] == []
        assert ("uclean_auth_token" in kept["session"]) == (place == "session")


def test_a_token_kept_in_a_database_comes_back_with_it(page: Page, clock: SandboxClock, chromium: Browser) -> None:
    with Sandbox(SandboxOptions(uc_session="indexed"), clock) as sandbox:
        sign_in(page, sandbox)
        whole, lesser = page.context.storage_state(indexed_db=True), page.context.storage_state()
        for state, address in ((whole, "**/dashboard"), (lesser, "**/login")):
            with chromium.new_context(storage_state=state) as returning:
                again = returning.new_page()
                again.goto(sandbox.urls["storepanel"])
                again.wait_for_url(address)
                expect(again.locator("nav, form").first).to_be_visible()


def test_values_set_without_input_events_are_not_noticed(page: Page, sandbox: Sandbox) -> None:
    page.goto(sandbox.urls["storepanel"] + "/login")
    page.evaluate("document.querySelectorAll('form input').forEach((input) => { input.value = 'a@uclean.example'; })")
    page.click("button[type='submit']")
    expect(page.locator(".alert.alert-danger")).to_have_text("Email and password are required")
    assert not sandbox.log.rejected_logins


def test_an_expired_session_leads_back_to_the_login(page: Page, sandbox: Sandbox) -> None:
    sign_in(page, sandbox)
    sandbox.fault("session_expired", crm="uc")
    page.goto(sandbox.urls["storepanel"])
    page.wait_for_url("**/login")
    expect(page.locator("#email")).to_be_visible()


def test_the_browser_builds_the_workbook_the_server_would(page: Page, sandbox: Sandbox) -> None:
    sign_in(page, sandbox)
    page.goto(sandbox.urls["storepanel"] + "/gst-report")
    choose_window(page)
    apply(page)
    rows = sandbox.books.uc_invoices("sector56", WINDOW)
    total = sum(float(row["Taxable Value"] or 0) for row in rows)
    expect(page.locator(".gst-banner-card .value").first).to_have_text(indian_rupees(total))
    saved = export(page)
    assert saved.suggested_filename == "GST_Report_2026-01-28_to_2026-02-14.xlsx"
    assert content(saved) == workbook(GST_REPORT, rows)
    assert sandbox.log.exports == {"uc/sector56": 1}


def test_export_before_the_data_has_arrived_gives_an_empty_workbook(page: Page, sandbox: Sandbox) -> None:
    sign_in(page, sandbox)
    page.goto(sandbox.urls["storepanel"] + "/gst-report")
    expect(page.locator("button.btn.primary.export")).to_be_enabled()
    choose_window(page)
    apply(page)
    expect(page.locator(".gst-banner-card .value").first).not_to_have_text("₹0")
    sandbox.fault("slow", crm="uc", seconds=2, at=["api"], times=1)
    page.locator("input.search-user").click()
    apply(page)
    assert page.locator(".gst-banner-card .value").all_inner_texts() == ["₹0"] * 4
    assert content(export(page)) == workbook(GST_REPORT, [])


def test_both_calendars_hold_the_same_labels_and_no_future_day(page: Page, sandbox: Sandbox) -> None:
    sign_in(page, sandbox)
    page.goto(sandbox.urls["storepanel"] + "/gst-report")
    expect(page.locator(".calendar-body")).to_be_hidden()
    page.locator("input.search-user").click()
    expect(page.locator(".calendar-body.show")).to_be_visible()
    expect(page.locator("td[aria-label='February 14, 2026']")).to_have_count(2)
    tomorrow = page.locator(".end-date td[aria-label='February 15, 2026']")
    expect(tomorrow).to_have_attribute("aria-disabled", "true")


def test_the_two_writers_agree_on_awkward_cells(page: Page, sandbox: Sandbox) -> None:
    page.goto(sandbox.urls["storepanel"] + "/login")
    texts = ["", " before", "after ", "two\nlines", "<&>\"'", "₹ and हिन्दी"]
    numbers = [0, 1, 0.1, 1e-3, 1234567.89, 100.0, -3.5]
    cells = [*texts, *numbers]
    rows: list[Row] = [dict(zip(GST_REPORT.headers, cells, strict=True)), dict.fromkeys(GST_REPORT.headers)]
    sent = json.loads(json.dumps([GST_REPORT.headers, [list(row.values()) for row in rows]]))
    assert bytes(page.evaluate(WRITE_IN_THE_PAGE, sent)) == workbook(GST_REPORT, rows)


def indian_rupees(amount: float) -> str:
    """``₹1,23,456.7``: groups of two before the last three, no trailing zeros."""
    whole, _, fraction = f"{amount:.2f}".partition(".")
    head, tail = whole[:-3], whole[-3:]
    groups = [head[max(end - 2, 0) : end] for end in range(len(head), 0, -2)][::-1]
    return f"₹{','.join([*groups, tail])}.{fraction}".rstrip("0").rstrip(".")
