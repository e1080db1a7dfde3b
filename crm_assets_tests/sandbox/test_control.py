"""The control API, and its page in a browser."""

from datetime import datetime

import httpx
from playwright.sync_api import Page, expect

from crm_assets.model import IST
from crm_assets.sandbox import Sandbox
from crm_assets_tests.sandbox.visitors import td_form, td_visitor, uc_visitor

PROFILE = "/api/v1/stores/profile?franchise=UCLEAN"


def test_faults_are_switched_on_listed_and_cleared(sandbox: Sandbox) -> None:
    with httpx.Client(base_url=sandbox.urls["control"]) as control, uc_visitor(sandbox) as visitor:
        state = control.post("/faults", json={"name": "502", "crm": "uc", "store": "sector56", "times": 5}).json()
        assert state["faults"] == [{"name": "502", "crm": "uc", "store": "sector56", "at": [], "left": 5}]
        assert visitor.get(PROFILE).status_code == 502
        assert control.delete("/faults").json()["faults"] == []
        assert visitor.get(PROFILE).status_code == 200


def test_a_fault_with_unknown_words_is_refused(sandbox: Sandbox) -> None:
    with httpx.Client(base_url=sandbox.urls["control"]) as control:
        assert control.post("/faults", json={"name": "502", "shop": "a668"}).status_code == 422
        assert control.post("/faults", json={"name": "nothing"}).status_code == 422
        assert control.get("/state").json()["faults"] == []


def test_a_fault_that_the_store_cannot_have_is_refused_in_words(page: Page, sandbox: Sandbox) -> None:
    page.goto(sandbox.urls["control"])
    page.get_by_label("Fault").select_option("otp")
    page.get_by_label("Store").select_option("uc/sector56")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("alert")).to_have_text("'otp' is unknown to uc; only td has such days")


def test_a_person_reads_the_code_that_was_sent(page: Page, sandbox: Sandbox) -> None:
    with httpx.Client(base_url=sandbox.urls["control"]) as control, td_visitor(sandbox) as visitor:
        assert control.post("/faults", json={"name": "otp", "crm": "td", "store": "a668"}).json()["codes"] == {}
        visitor.post("/Login", data=td_form(sandbox, "a668"))
        assert control.get("/state").json()["codes"] == {"td/a668": sandbox.otp_code("td/a668")}
    page.goto(sandbox.urls["control"])
    expect(page.get_by_text(f"td/a668: {sandbox.otp_code('td/a668')}")).to_be_visible()
    expect(page.get_by_role("cell", name=sandbox.totp_secret("td/a668"))).to_be_visible()


def test_quiet_days_are_given_as_iso_dates(sandbox: Sandbox) -> None:
    with httpx.Client(base_url=sandbox.urls["control"]) as control, uc_visitor(sandbox) as visitor:
        control.post("/faults", json={"name": "no_business", "first": "2026-02-01", "last": "2026-02-14"})
        asked = {"from": "2026-01-31", "to": "2026-02-14"}
        rows = visitor.get("/api/v1/stores/report/tax-report", params=asked).json()["data"]
    assert {row["invoice_date"][:10] for row in rows} == {"2026-01-31"}


def test_the_clock_is_set_moved_and_let_go(sandbox: Sandbox) -> None:
    with httpx.Client(base_url=sandbox.urls["control"]) as control:
        control.post("/clock", json={"set": "2026-03-01T09:00"})
        assert sandbox.clock.now() == datetime(2026, 3, 1, 9, 0, tzinfo=IST)
        control.post("/clock", json={"advance_seconds": 3600})
        assert sandbox.clock.now() == datetime(2026, 3, 1, 10, 0, tzinfo=IST)
        assert control.post("/clock", json={"run": True}).json()["clock"]["stands_still"] is False


def test_the_log_counts_by_account(sandbox: Sandbox) -> None:
    with td_visitor(sandbox):
        counts = httpx.get(sandbox.urls["control"] + "/log").json()
    assert counts.pop("logins") == {"td/a668": 1}
    names = ["rejected_logins", "codes_sent", "rejected_codes", "overdue_forced", "requests", "exports"]
    assert counts == {name: {} for name in names}


def test_a_person_sees_the_logins_and_switches_a_fault_on(page: Page, sandbox: Sandbox) -> None:
    page.goto(sandbox.urls["control"])
    expect(page.get_by_role("cell", name=sandbox.secrets()["CRM_TD_A817_PASSWORD"])).to_be_visible()
    page.get_by_label("Fault").select_option("502")
    page.get_by_label("Store").select_option("td/a817")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("502 for td a817, every answer, 1")).to_be_visible()
