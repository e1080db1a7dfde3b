"""Home: what it holds, what may stand before it or lie over it, and the day it does not stay."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Error, Page, expect

from crm_assets.sandbox import Sandbox
from crm_assets_tests.sandbox.visitors import another_code, td_form, td_visitor

HOME = "/a668/App/home"
LICENCE = "/a668/App/frmLicence"


@pytest.fixture
def visitor(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with td_visitor(sandbox) as visitor:
        yield visitor


def log_in(page: Page, sandbox: Sandbox) -> None:
    page.goto(sandbox.urls["subs"] + "/a668")
    for field, value in td_form(sandbox, "a668").items():
        page.fill(f"#{field}", value)
    page.click("#btnLogin")


def is_covered(page: Page) -> bool:
    """Whether a click on the report link would land on something else."""
    try:
        page.locator("#achrOrderReport").click(trial=True, timeout=500)
    except Error as error:
        assert "intercepts pointer events" in error.message
        return True
    return False


def test_recent_orders_stand_there_with_customers_and_phones(visitor: httpx.Client) -> None:
    text = visitor.get(HOME).text
    headers = ["Order No.", "Customer", "Phone", "Status"]
    assert "".join(f"<th>{header}</th>" for header in headers) in text
    assert len(re.findall(r"<tr><td>T\d+</td><td>[\w ]+</td><td>\d{10}</td><td>\w+</td></tr>", text)) == 5


def test_hidden_fields_hold_tokens(visitor: httpx.Client) -> None:
    hidden = re.findall(r'type="hidden" name="(\w+)".* value="([^"]+)"', visitor.get(HOME).text)
    assert [name for name, _ in hidden] == ["__VIEWSTATE", "__RequestVerificationToken"]
    assert all(len(value) > 40 for _, value in hidden)


def test_the_licence_notice_stands_before_home_after_a_login(sandbox: Sandbox, visitor: httpx.Client) -> None:
    sandbox.fault("licence")
    noticed = visitor.post("/Login", data=td_form(sandbox, "a668"))
    assert (noticed.url.path, 'id="btnPayLater"' in noticed.text) == (LICENCE, True)
    assert visitor.post(LICENCE).url.path == HOME
    assert visitor.post("/Login", data=td_form(sandbox, "a668")).url.path == HOME


def test_the_licence_notice_stands_before_home_in_a_session_too(sandbox: Sandbox, visitor: httpx.Client) -> None:
    sandbox.fault("licence")
    assert [visitor.get(HOME).url.path for _ in range(2)] == [LICENCE, HOME]


def test_the_licence_notice_is_shown_once_a_session_however_long_it_stands(
    sandbox: Sandbox, visitor: httpx.Client
) -> None:
    sandbox.fault("licence", times=None)
    assert [visitor.get(HOME).url.path for _ in range(2)] == [LICENCE, LICENCE]
    assert visitor.post(LICENCE).url.path == HOME
    assert visitor.get(HOME).url.path == HOME
    assert visitor.post("/Login", data=td_form(sandbox, "a668")).url.path == LICENCE


@pytest.mark.parametrize("address", [LICENCE, "/a668/App/AllInformed"])
def test_nobody_presses_a_button_of_home_without_a_session(sandbox: Sandbox, address: str) -> None:
    with httpx.Client(base_url=sandbox.urls["subs"], follow_redirects=True) as stranger:
        assert stranger.post(address).url.path == "/Login"
    assert not sandbox.log.overdue_forced


def test_a_person_types_the_code_and_pays_the_licence_later(page: Page, sandbox: Sandbox) -> None:
    sandbox.fault("otp")
    sandbox.fault("licence")
    log_in(page, sandbox)
    code = page.locator("[autocomplete='one-time-code']")
    expect(code).to_be_focused()
    expect(page.get_by_label("Trust this device")).to_be_checked()
    code.fill(another_code(sandbox.otp_code("td/a668")))
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("alert")).to_have_text("The code is wrong or has expired.")
    code.fill(sandbox.otp_code("td/a668"))
    page.get_by_role("button", name="Verify").click()
    page.wait_for_url(f"**{LICENCE}")
    page.get_by_role("button", name="I will pay later").click()
    page.wait_for_url(f"**{HOME}?EventClick=True")
    assert not is_covered(page)


def test_overdue_orders_cover_home_until_the_fault_is_cleared(page: Page, sandbox: Sandbox) -> None:
    sandbox.fault("overdue", crm="td", store="a668")
    log_in(page, sandbox)
    panel = page.locator("#pnlOrderOverDuePopup")
    expect(panel.get_by_role("row")).to_have_count(6)
    expect(panel.get_by_role("columnheader")).to_have_text(["Order No.", "Due Date", "Status"])
    assert is_covered(page)
    page.reload()
    assert is_covered(page)
    sandbox.clear_faults()
    page.reload()
    assert not is_covered(page)
    assert not sandbox.log.overdue_forced


def test_who_waves_the_overdue_orders_away_is_counted(page: Page, sandbox: Sandbox) -> None:
    sandbox.fault("overdue")
    log_in(page, sandbox)
    page.locator(".modal.show").get_by_role("button", name="Mark all as informed").click()
    expect(page.locator(".modal.show")).to_have_count(0)
    assert sandbox.log.overdue_forced == {"td/a668": 1}


def test_a_promotion_covers_home_a_moment_later_and_can_be_closed(page: Page, sandbox: Sandbox) -> None:
    sandbox.fault("modal")
    log_in(page, sandbox)
    expect(page.locator(".modal.show")).to_be_visible()
    assert is_covered(page)
    page.locator(".modal.show [data-dismiss='modal']").click()
    assert not is_covered(page)
    page.reload()
    expect(page.locator(".modal")).to_have_count(0)


def test_home_shows_and_then_goes_back_to_the_login_form(page: Page, sandbox: Sandbox) -> None:
    sandbox.fault("bounce", crm="td", store="a668")
    log_in(page, sandbox)
    page.wait_for_url("**/Login")
    log_in(page, sandbox)
    page.wait_for_url(f"**{HOME}?EventClick=True")
    assert sandbox.log.logins == {"td/a668": 2}


def test_the_home_that_does_not_stay_looks_like_home_and_its_session_is_over(
    sandbox: Sandbox, visitor: httpx.Client
) -> None:
    sandbox.fault("bounce")
    assert visitor.get(HOME).url.path == HOME, "only a login bounces"
    shown = visitor.post("/Login", data=td_form(sandbox, "a668"))
    assert (shown.url.path, 'id="achrOrderReport"' in shown.text) == (HOME, True)
    assert visitor.get(HOME).url.path == "/Login"
