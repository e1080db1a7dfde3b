"""The subs origin over plain HTTP: login, the session that does not come back, the one-time token."""

import re
from urllib.parse import urljoin

import httpx
import pytest

from crm_assets.sandbox import Sandbox, SandboxOptions
from crm_assets.sandbox.tumbledry.kinds import KINDS, ReportKind
from crm_assets_tests.sandbox.visitors import report_address, td_form, td_visitor

HOME = "/a668/App/home"


def test_the_store_address_leads_to_the_login_form(sandbox: Sandbox) -> None:
    with httpx.Client(base_url=sandbox.urls["subs"], follow_redirects=True) as visitor:
        for address in ("/", "/a668", HOME, *(f"/a668/App/Reports/{kind.page}" for kind in KINDS)):
            answer = visitor.get(address)
            assert (answer.status_code, answer.url.path) == (200, "/Login")
            assert 'id="txtBranchPin"' in answer.text


def test_a_good_login_ends_on_the_stores_home(sandbox: Sandbox) -> None:
    with httpx.Client(base_url=sandbox.urls["subs"], follow_redirects=True) as visitor:
        answer = visitor.post("/Login", data=td_form(sandbox, "a668"))
    assert answer.url.raw_path == b"/a668/App/home?EventClick=True"
    assert 'id="achrOrderReport" href="Reports/OrderReport.aspx"' in answer.text
    assert sandbox.log.logins == {"td/a668": 1}


@pytest.mark.parametrize(
    "wrong", [{"txtPassword": "guess"}, {"txtBranchPin": "A817"}, {"txtBranchPin": "A999"}, {"txtUserId": "nobody"}]
)
def test_a_wrong_login_stays_at_the_form_and_says_so(sandbox: Sandbox, wrong: dict[str, str]) -> None:
    with httpx.Client(base_url=sandbox.urls["subs"], follow_redirects=True) as visitor:
        answer = visitor.post("/Login", data=td_form(sandbox, "a668", **wrong))
        assert answer.url.path == "/Login"
        assert "Invalid user id" in answer.text
        assert visitor.get(HOME).url.path == "/Login"
    assert not sandbox.log.logins
    assert sandbox.log.rejected_logins.total() == 1


def test_a_session_does_not_open_another_stores_pages(sandbox: Sandbox) -> None:
    with td_visitor(sandbox, "a668") as visitor:
        assert visitor.get("/a817/App/home").url.path == "/Login"


def test_a_stored_session_is_dropped_and_a_live_one_is_not(sandbox: Sandbox) -> None:
    with td_visitor(sandbox) as visitor:
        assert visitor.get(HOME).url.path == HOME
        stored = visitor.cookies
        with httpx.Client(base_url=sandbox.urls["subs"], follow_redirects=True, cookies=stored) as returning:
            assert returning.get(HOME).url.path == "/Login"
        assert visitor.get(HOME).url.path == HOME


def test_a_stored_session_is_honoured_where_the_option_says_so() -> None:
    with (
        Sandbox(SandboxOptions(td_sessions="kept")) as sandbox,
        td_visitor(sandbox) as visitor,
        httpx.Client(base_url=sandbox.urls["subs"], follow_redirects=True, cookies=visitor.cookies) as returning,
    ):
        assert returning.get(HOME).url.path == HOME


def test_the_device_is_trusted_for_long_and_the_session_is_not(sandbox: Sandbox) -> None:
    with httpx.Client(base_url=sandbox.urls["subs"]) as visitor:
        cookies = visitor.post("/Login", data=td_form(sandbox, "a668")).headers.get_list("set-cookie")
    lasting = {cookie.partition("=")[0]: "Max-Age" in cookie for cookie in cookies}
    assert lasting == {"td_auth": False, "td_device": True}


def test_the_report_app_opens_once_per_token_and_not_without_one(sandbox: Sandbox) -> None:
    with td_visitor(sandbox) as visitor:
        address = report_address(visitor)
        assert "&source=store&storeCode=a668" in address
        assert visitor.get(address).status_code == 200
        assert visitor.get(address).status_code == 401
        assert visitor.get(sandbox.urls["reports"] + "/en/order-report").status_code == 401
        assert visitor.get(report_address(visitor)).status_code == 200


@pytest.mark.parametrize(("issued_for", "shown_to"), [KINDS, KINDS[::-1]], ids=["orders", "sales"])
def test_a_token_opens_either_report_and_only_one(
    sandbox: Sandbox, issued_for: ReportKind, shown_to: ReportKind
) -> None:
    with td_visitor(sandbox) as visitor:
        address = report_address(visitor, kind=issued_for)
        elsewhere = address.replace(f"/en/{issued_for.word}?", f"/en/{shown_to.word}?")
        answer = visitor.get(elsewhere)
        assert (answer.status_code, f"<h1>{shown_to.title}</h1>" in answer.text) == (200, True)
        assert [visitor.get(each).status_code for each in (elsewhere, address)] == [401, 401]


@pytest.mark.parametrize("page", ["home", "Reports/OrderReport.aspx", "Reports/NEWSalesAndDeliveryReport"])
def test_sales_and_delivery_stands_under_reports_on_home_and_on_the_report_pages(sandbox: Sandbox, page: str) -> None:
    with td_visitor(sandbox) as visitor:
        shown = visitor.get(f"/a668/App/{page}")
        link = re.search(r'<aside>Reports:.*<a href="([^"]+)">Sales and Delivery</a>', shown.text)
        assert link
        report = visitor.get(urljoin(str(shown.url), link[1]))
    assert report.url.path == "/a668/App/Reports/NEWSalesAndDeliveryReport"
    assert f'src="{sandbox.urls["reports"]}/en/sales-and-delivery?token=' in report.text
