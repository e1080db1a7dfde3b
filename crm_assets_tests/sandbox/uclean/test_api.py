"""The API over plain HTTP."""

from datetime import date
from pathlib import Path

import httpx
import pytest

from crm_assets.model import Window
from crm_assets.sandbox import Sandbox, SandboxClock, SandboxOptions
from crm_assets.sandbox.layouts import GST_REPORT
from crm_assets.sandbox.workbooks import workbook
from crm_assets_tests.sandbox.visitors import uc_token, uc_visitor

FEBRUARY = Window(first=date(2026, 2, 1), last=date(2026, 2, 14))
ASKED = {"from": "2026-02-01", "to": "2026-02-14"}
EXPORT = "/api/v1/sales/export-report?type=GST&format=excel"
GENERATE = "/api/v1/stores/generateGST?franchise=UCLEAN"
TAX_REPORT = "/api/v1/stores/report/tax-report"
PROFILE = "/api/v1/stores/profile?franchise=UCLEAN"


def test_a_wrong_password_is_refused(sandbox: Sandbox) -> None:
    sent = {"email": "sector56@uclean.example", "password": "guess"}
    answer = httpx.post(sandbox.urls["api"] + "/api/v1/stores/login?franchise=UCLEAN", json=sent)
    assert answer.status_code == 401
    assert sandbox.log.rejected_logins == {"uc/sector56": 1}


@pytest.mark.parametrize("password", ["right", "guess"])
def test_a_locked_account_is_told_so_whatever_its_password(sandbox: Sandbox, password: str) -> None:
    known = sandbox.secrets()["CRM_UC_SECTOR56_PASSWORD"]
    sent = {"email": "sector56@uclean.example", "password": known if password == "right" else password}
    sandbox.fault("locked", crm="uc", store="sector56")
    answer = httpx.post(sandbox.urls["api"] + "/api/v1/stores/login?franchise=UCLEAN", json=sent)
    assert answer.status_code == 423
    assert answer.json() == {"message": "Your account has been locked. Contact support."}
    assert sandbox.log.rejected_logins == {"uc/sector56": 1}
    with uc_visitor(sandbox, "sushantlok1") as other:
        assert other.get(PROFILE).status_code == 200


@pytest.mark.parametrize("address", [EXPORT, TAX_REPORT, PROFILE])
@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer made.up.token"}])
def test_no_call_is_answered_without_a_good_token(sandbox: Sandbox, address: str, header: dict[str, str]) -> None:
    assert httpx.get(sandbox.urls["api"] + address, headers=header).status_code == 401
    assert httpx.post(sandbox.urls["api"] + GENERATE, headers=header, json={}).status_code == 401


def test_the_export_is_the_workbook_of_the_dates_asked_for(sandbox: Sandbox) -> None:
    with uc_visitor(sandbox) as visitor:
        answer = visitor.get(EXPORT, params={"type": "GST", "format": "excel", **ASKED})
    assert answer.content == workbook(GST_REPORT, sandbox.books.uc_invoices("sector56", FEBRUARY))
    assert "GST_Report_2026-02-01_to_2026-02-14.xlsx" in answer.headers["content-disposition"]
    assert sandbox.log.exports == {"uc/sector56": 1}


def test_dates_under_other_names_are_not_heard(sandbox: Sandbox) -> None:
    with uc_visitor(sandbox) as visitor:
        answer = visitor.get(EXPORT, params={"start": "2026-01-05", "end": "2026-01-06"})
    assert answer.content == workbook(GST_REPORT, sandbox.books.uc_invoices("sector56", FEBRUARY))


def test_generate_gst_answers_rows_with_the_tax_reports_names(sandbox: Sandbox) -> None:
    with uc_visitor(sandbox, "sushantlok1") as visitor:
        sent = {"from_date": "2026-02-01", "to_date": "2026-02-14"}
        rows = visitor.post(GENERATE, json=sent).json()["data"]
    expected = sandbox.books.uc_invoices("sushantlok1", FEBRUARY)
    assert rows and [row["invoice_number"] for row in rows] == [row["Invoice No."] for row in expected]
    assert {row["order_number"][:6] for row in rows} == {"UC610-"}


def test_generate_gst_answers_a_workbook_where_the_option_says_so(clock: SandboxClock) -> None:
    with Sandbox(SandboxOptions(uc_generate_gst="workbook"), clock) as sandbox, uc_visitor(sandbox) as visitor:
        answer = visitor.post(GENERATE, json={"from_date": "2026-02-01", "to_date": "2026-02-14"})
        assert answer.content == workbook(GST_REPORT, sandbox.books.uc_invoices("sector56", FEBRUARY))


def test_the_tax_report_comes_in_pages_newest_first_and_the_last_is_short(sandbox: Sandbox) -> None:
    found: list[str] = []
    with uc_visitor(sandbox) as visitor:
        for page in range(1, 10):
            rows = visitor.get(TAX_REPORT, params={**ASKED, "page": page, "limit": 20}).json()["data"]
            found += [row["invoice_number"] for row in rows]
            if len(rows) < 20:
                break
    assert page > 1
    assert found[::-1] == [row["Invoice No."] for row in sandbox.books.uc_invoices("sector56", FEBRUARY)]


def test_an_account_sees_its_own_store_only(sandbox: Sandbox) -> None:
    with uc_visitor(sandbox, "sushantlok1") as visitor:
        assert visitor.get(PROFILE).json()["data"]["store_code"] == "UC610"
        rows = visitor.get(TAX_REPORT, params=ASKED).json()["data"]
    assert {row["order_number"][:6] for row in rows} == {"UC610-"}


def test_both_front_ends_may_call_and_nobody_else(sandbox: Sandbox) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    allowed = {
        origin: httpx.options(sandbox.urls["api"] + GENERATE, headers={**asked, "Origin": url}).status_code
        for origin, url in sandbox.urls.items()
    }
    assert {origin for origin, status in allowed.items() if status == 200} == {"store", "storepanel"}


def test_a_token_outlives_a_restart_until_sessions_are_ended(tmp_path: Path, clock: SandboxClock) -> None:
    options = SandboxOptions(state_dir=tmp_path)
    with Sandbox(options, clock) as before, httpx.Client(base_url=before.urls["api"]) as visitor:
        header = {"Authorization": f"Bearer {uc_token(visitor, before, 'sector56')}"}
    with Sandbox(options, clock) as after:
        assert httpx.get(after.urls["api"] + PROFILE, headers=header).status_code == 200
        after.fault("session_expired", crm="uc", store="sector56")
        assert httpx.get(after.urls["api"] + PROFILE, headers=header).status_code == 401
    with Sandbox(options, clock) as later:
        assert httpx.get(later.urls["api"] + PROFILE, headers=header).status_code == 401
