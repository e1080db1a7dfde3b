"""Bad days: each fault, for whom it is, and that it is over when it should be."""

import time
from collections.abc import Callable
from datetime import date

import httpx
import pytest
from playwright.sync_api import Error, Page

from crm_assets.model import Window
from crm_assets.sandbox import Sandbox
from crm_assets.sandbox.layouts import GST_REPORT, ORDER_REPORT
from crm_assets.sandbox.tumbledry.kinds import KINDS, ReportKind
from crm_assets.sandbox.workbooks import workbook
from crm_assets_tests.sandbox.visitors import ReportAppVisitor, report_address, td_form, td_visitor, uc_visitor

PROFILE = "/api/v1/stores/profile?franchise=UCLEAN"
EXPORT = "/api/v1/sales/export-report?type=GST&format=excel"
GENERATE = "/api/v1/stores/generateGST?franchise=UCLEAN"
TAX_REPORT = "/api/v1/stores/report/tax-report"
HOME = "/a668/App/home"


def test_a_502_hits_as_many_answers_as_asked_for(sandbox: Sandbox) -> None:
    with uc_visitor(sandbox) as visitor:
        sandbox.fault("502", crm="uc", times=2)
        assert [visitor.get(PROFILE).status_code for _ in range(3)] == [502, 502, 200]


def test_a_502_keeps_to_its_store(sandbox: Sandbox) -> None:
    sandbox.fault("502", crm="td", store="a817")
    with td_visitor(sandbox, "a668") as visitor:
        assert visitor.get(HOME).status_code == 200
    with httpx.Client(base_url=sandbox.urls["subs"]) as visitor:
        assert visitor.post("/Login", data=td_form(sandbox, "a817")).status_code == 502


def test_a_502_hits_each_kind_of_td_answer(sandbox: Sandbox) -> None:
    with td_visitor(sandbox) as visitor:
        app = ReportAppVisitor(visitor)
        row = app.rows()[0]
        asked = {
            "login": lambda: visitor.post("/Login", data=td_form(sandbox, "a668"), follow_redirects=False),
            "page": lambda: visitor.get(HOME),
            "list": app.answer,
            "request": lambda: app.ask("2026-02-14", "2026-02-14"),
            "download": lambda: app.download(row),
        }
        for kind, ask in asked.items():
            sandbox.fault("502", crm="td", store="a668", at=[kind])
            others = [each().status_code for other, each in asked.items() if other != kind]
            assert (502 in others, ask().status_code, ask().status_code < 400) == (False, 502, True)


def test_a_slow_portal_takes_its_seconds_until_cleared(sandbox: Sandbox) -> None:
    with uc_visitor(sandbox) as visitor:
        sandbox.fault("slow", crm="uc", seconds=0.4)
        slow = [seconds_of(visitor), seconds_of(visitor)]
        sandbox.clear_faults()
        assert min(slow) >= 0.4 > seconds_of(visitor)


def seconds_of(visitor: httpx.Client) -> float:
    before = time.monotonic()
    visitor.get(PROFILE)
    return time.monotonic() - before


@pytest.mark.parametrize("origin", ["subs", "reports", "store", "storepanel", "api"])
def test_a_portal_that_is_down_gives_no_answer_until_cleared(sandbox: Sandbox, origin: str) -> None:
    address = sandbox.urls[origin] + (
        "/en/order-report" if origin == "reports" else PROFILE if origin == "api" else "/"
    )
    up = httpx.get(address).status_code
    sandbox.fault("down")
    for _ in range(2):
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            httpx.get(address)
    sandbox.clear_faults()
    assert httpx.get(address).status_code == up


def test_a_portal_that_is_down_cuts_connections_that_were_good(sandbox: Sandbox) -> None:
    with td_visitor(sandbox) as td, uc_visitor(sandbox) as uc:
        sandbox.fault("down", crm="td", store="a668")
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            td.get(HOME)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            td.post("/Login", data=td_form(sandbox, "a668"))
        assert td.post("/Login", data=td_form(sandbox, "a817")).status_code == 200
        assert uc.get(PROFILE).status_code == 200


def test_a_browser_finds_nobody_when_the_portal_is_down(page: Page, sandbox: Sandbox) -> None:
    sandbox.fault("down", crm="td")
    with pytest.raises(Error, match=r"ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET"):
        page.goto(sandbox.urls["subs"] + "/a668")


def test_a_refused_token_is_as_good_as_before_on_the_next_call(sandbox: Sandbox) -> None:
    with uc_visitor(sandbox) as visitor:
        sandbox.fault("token_refused", store="sector56")
        assert visitor.get(EXPORT).status_code == 200, "exports are another kind of answer"
        assert [visitor.get(PROFILE).status_code for _ in range(2)] == [401, 200]
        sandbox.fault("token_refused", at=["export"])
        assert [visitor.get(each).status_code for each in (PROFILE, EXPORT, EXPORT)] == [200, 401, 200]


def test_html_comes_under_an_xlsx_name_by_every_way_of_export(sandbox: Sandbox) -> None:
    sandbox.fault("html_instead_of_xlsx", times=3)
    with td_visitor(sandbox) as visitor:
        app = ReportAppVisitor(visitor)
        row = app.rows()[0]
        answers = [app.download(row)]
    with uc_visitor(sandbox) as visitor:
        answers += [visitor.get(EXPORT), visitor.post(GENERATE, json={})]
        assert visitor.get(EXPORT).content.startswith(b"PK")
    assert all(answer.text.startswith("<!DOCTYPE html>") for answer in answers)
    assert ['.xlsx"' in answer.headers.get("content-disposition", "") for answer in answers] == [True, True, True]


def test_a_session_of_one_store_may_show_the_other(sandbox: Sandbox) -> None:
    with td_visitor(sandbox) as td, uc_visitor(sandbox) as uc:
        sandbox.fault("other_store", at=["page", "api"], crm="td", times=1)
        assert [report_address(td)[-4:] for _ in range(2)] == ["a817", "a668"]
        app = ReportAppVisitor(td)
        sandbox.fault("other_store", at=["download"])
        assert "1247-" in app.download(app.rows()[0]).headers["content-disposition"]
        sandbox.fault("other_store", crm="uc", times=1)
        assert [uc.get(PROFILE).json()["data"]["store_code"] for _ in range(2)] == ["UC610", "UC567"]


def test_sales_and_delivery_has_the_bad_days_of_the_order_report(sandbox: Sandbox) -> None:
    sales = KINDS[1]
    with td_visitor(sandbox) as visitor:
        sandbox.fault("other_store", at=["page"], crm="td", times=1)
        assert [report_address(visitor, kind=sales)[-4:] for _ in range(2)] == ["a817", "a668"]
        app = ReportAppVisitor(visitor, kind=sales)
        row = app.rows()[0]
        sandbox.fault("other_store", at=["download"], times=1)
        assert "1247-" in app.download(row).headers["content-disposition"]
        sandbox.fault("html_instead_of_xlsx", crm="td")
        assert [app.download(row).content[:2] for _ in range(2)] == [b"<!", b"PK"]
        asked: dict[str, Callable[[], httpx.Response]] = {
            "list": app.answer,
            "request": lambda: app.ask("2026-02-14", "2026-02-14"),
            "download": lambda: app.download(row),
        }
        for kind, ask in asked.items():
            sandbox.fault("502", crm="td", at=[kind])
            assert (ask().status_code, ask().status_code < 400) == (502, True)
        sandbox.fault("session_expired", crm="td")
        assert app.answer().status_code == 401


@pytest.mark.parametrize(
    ("word", "begins"), [("404", '{"message"'), ("403", '{"message"'), ("html", "<!DOCTYPE"), ("json", '{"status"')]
)
def test_a_call_that_is_gone_answers_something_else(sandbox: Sandbox, word: str, begins: str) -> None:
    with uc_visitor(sandbox) as visitor:
        sandbox.fault("gone", word=word)
        answer = visitor.get(EXPORT)
        assert (answer.status_code, answer.text.startswith(begins)) == (int(word) if word.isdigit() else 200, True)
        assert visitor.get(PROFILE).status_code == 200, "other calls are still there"


def test_a_hurried_visitor_is_asked_to_wait(sandbox: Sandbox) -> None:
    with uc_visitor(sandbox) as visitor:
        sandbox.fault("429", seconds=2)
        answer = visitor.get(PROFILE)
        assert (answer.status_code, answer.headers["retry-after"], visitor.get(PROFILE).status_code) == (429, "2", 200)


def test_an_empty_export_and_overlapping_pages_contradict_what_was_sold(sandbox: Sandbox) -> None:
    asked = {"from": "2026-02-01", "to": "2026-02-14", "limit": "5"}
    with uc_visitor(sandbox) as visitor:
        sandbox.fault("empty_export")
        assert visitor.get(EXPORT, params=asked).content == workbook(GST_REPORT, [])
        sandbox.fault("pages_overlap", word="2")
        pages = [visitor.get(TAX_REPORT, params={**asked, "page": page}).json()["data"] for page in (1, 2)]
    assert pages[0][-2:] == pages[1][:2]
    assert [len(page) for page in pages] == [5, 5]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.word)
def test_a_stuck_desk_and_a_failing_request_end_as_told(sandbox: Sandbox, kind: ReportKind) -> None:
    with td_visitor(sandbox) as visitor:
        app = ReportAppVisitor(visitor, kind=kind)
        sandbox.fault("request_fails", word="Expired")
        app.ask("2026-02-01", "2026-02-14")
        sandbox.fault("stuck")
        states = [app.rows()[0]["status"] for _ in range(3)]
        sandbox.clear_faults()
        assert [*states, app.rows()[0]["status"]] == ["Processing, Estimated Time 0m 0s"] * 3 + ["Expired"]
        assert app.rows()[0]["href"] is None


def test_expired_sessions_are_over_until_the_next_login(sandbox: Sandbox) -> None:
    with td_visitor(sandbox) as visitor:
        app = ReportAppVisitor(visitor)
        sandbox.fault("session_expired", crm="td", store="a668")
        assert visitor.get(HOME).url.path == "/Login"
        assert app.answer().status_code == 401
        visitor.post("/Login", data=td_form(sandbox, "a668"))
        assert visitor.get(HOME).url.path == HOME


def test_expired_sessions_of_one_store_leave_the_other_alone(sandbox: Sandbox) -> None:
    with uc_visitor(sandbox, "sector56") as one, uc_visitor(sandbox, "sushantlok1") as other:
        sandbox.fault("session_expired", crm="uc", store="sector56")
        assert (one.get(PROFILE).status_code, other.get(PROFILE).status_code) == (401, 200)


def test_no_business_makes_valid_empty_workbooks_for_its_days(sandbox: Sandbox) -> None:
    day, before = date(2026, 2, 13), date(2026, 2, 12)
    sandbox.fault("no_business", first=day, last=day)
    assert sandbox.books.td_orders("a668", Window(first=day, last=day)) == []
    assert sandbox.books.td_orders("a668", Window(first=before, last=before)) != []
    with td_visitor(sandbox) as visitor:
        app = ReportAppVisitor(visitor)
        row = next(row for row in app.rows() if row["range"] == "13 Feb 2026 - 13 Feb 2026")
        assert app.download(row).content == workbook(ORDER_REPORT, [])
    with uc_visitor(sandbox) as visitor:
        asked = {"from": "2026-02-13", "to": "2026-02-13"}
        assert visitor.get(EXPORT, params=asked).content == workbook(GST_REPORT, [])


@pytest.mark.parametrize(
    "words",
    [{"name": "no_such_day"}, {"name": "502", "at": ["nowhere"]}, {"name": "502", "crm": "uc", "store": "a668"}],
)
def test_a_fault_that_does_not_exist_is_refused(sandbox: Sandbox, words: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="unknown"):
        sandbox.fault(**words)  # type: ignore[arg-type]


def test_a_fault_keeps_to_the_portal_that_has_such_days(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="'otp' is unknown to uc; only td has such days"):
        sandbox.fault("otp", crm="uc")
    with pytest.raises(ValueError, match="unknown store td/sector56"):
        sandbox.fault("modal", store="sector56")
