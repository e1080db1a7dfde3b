"""Every ending of a TumbleDry login, over plain HTTP: the one-time code, a locked account, a refusal without a word."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pyotp
import pytest

from crm_assets.sandbox import Sandbox, SandboxClock, SandboxOptions
from crm_assets_tests.sandbox.visitors import another_code, td_form, td_visitor

HOME = "/a668/App/home"
VERIFICATION = "/a668/App/frmVerification"
TRUST = {"ctl00_x21": "on"}


@pytest.fixture
def visitor(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A browser that nobody knows."""
    with httpx.Client(base_url=sandbox.urls["subs"], follow_redirects=True) as client:
        yield client


def log_in(visitor: httpx.Client, sandbox: Sandbox, **changed: str) -> httpx.Response:
    return visitor.post("/Login", data=td_form(sandbox, "a668", **changed))


def say(visitor: httpx.Client, code: str, trust: dict[str, str] = TRUST) -> httpx.Response:
    return visitor.post(VERIFICATION, data={"ctl00_x17": code, **trust})


def test_no_code_is_asked_for_before_devices_were_forgotten(sandbox: Sandbox, visitor: httpx.Client) -> None:
    assert log_in(visitor, sandbox).url.path == HOME
    assert not sandbox.log.codes_sent


def test_a_login_from_an_unknown_browser_waits_for_the_code_that_was_sent(
    sandbox: Sandbox, visitor: httpx.Client
) -> None:
    sandbox.fault("otp", crm="td", store="a668")
    asked = log_in(visitor, sandbox)
    assert (asked.status_code, asked.url.path) == (200, VERIFICATION)
    assert 'autocomplete="one-time-code" autofocus' in asked.text
    assert "We sent a code to your registered mobile. The code is valid for 5 minutes." in asked.text
    assert visitor.get(HOME).url.path == "/Login"
    assert (sandbox.log.codes_sent, sandbox.log.logins) == ({"td/a668": 1}, {})


def test_the_right_code_opens_home_and_makes_the_browser_trusted(sandbox: Sandbox, visitor: httpx.Client) -> None:
    sandbox.fault("otp")
    log_in(visitor, sandbox)
    assert say(visitor, sandbox.otp_code("td/a668")).url.path == HOME
    assert sandbox.log.logins == {"td/a668": 1}
    assert log_in(visitor, sandbox).url.path == HOME
    assert sandbox.log.codes_sent == {"td/a668": 1}


def test_a_browser_that_is_not_to_be_trusted_is_asked_again(sandbox: Sandbox, visitor: httpx.Client) -> None:
    sandbox.fault("otp")
    log_in(visitor, sandbox)
    assert say(visitor, sandbox.otp_code("td/a668"), trust={}).url.path == HOME
    assert log_in(visitor, sandbox).url.path == VERIFICATION


def test_forgetting_devices_again_forgets_the_new_ones_too(sandbox: Sandbox, visitor: httpx.Client) -> None:
    sandbox.fault("otp")
    log_in(visitor, sandbox)
    say(visitor, sandbox.otp_code("td/a668"))
    sandbox.fault("otp")
    assert visitor.get(HOME).url.path == HOME, "a session that is open stays open"
    assert log_in(visitor, sandbox).url.path == VERIFICATION


def test_a_browser_trusted_before_is_forgotten_and_one_of_another_store_is_not(sandbox: Sandbox) -> None:
    with td_visitor(sandbox, "a668") as one, td_visitor(sandbox, "a817") as other:
        sandbox.fault("otp", crm="td", store="a668")
        assert log_in(one, sandbox).url.path == VERIFICATION
        assert other.post("/Login", data=td_form(sandbox, "a817")).url.path == "/a817/App/home"


def test_forgotten_devices_stay_forgotten_after_a_restart(tmp_path: Path) -> None:
    options = SandboxOptions(state_dir=tmp_path)
    with Sandbox(options) as before, td_visitor(before) as visitor:
        before.fault("otp")
        cookies = visitor.cookies
    with (
        Sandbox(options) as after,
        httpx.Client(base_url=after.urls["subs"], follow_redirects=True, cookies=cookies) as returning,
    ):
        assert log_in(returning, after).url.path == VERIFICATION


def test_a_wrong_code_is_told_so_and_the_right_one_is_still_good(sandbox: Sandbox, visitor: httpx.Client) -> None:
    sandbox.fault("otp")
    log_in(visitor, sandbox)
    code = sandbox.otp_code("td/a668")
    refused = say(visitor, another_code(code))
    assert (refused.url.path, "The code is wrong or has expired." in refused.text) == (VERIFICATION, True)
    assert sandbox.log.rejected_codes == {"td/a668": 1}
    assert say(visitor, code).url.path == HOME


def test_the_third_wrong_code_leads_back_to_the_login_form(sandbox: Sandbox, visitor: httpx.Client) -> None:
    sandbox.fault("otp")
    log_in(visitor, sandbox)
    wrong = another_code(sandbox.otp_code("td/a668"))
    assert [say(visitor, wrong).url.path for _ in range(2)] == [VERIFICATION] * 2
    refused = say(visitor, wrong)
    assert (refused.url.path, "Too many wrong codes." in refused.text) == ("/Login", True)
    assert "Too many wrong codes." not in visitor.get("/Login").text
    assert visitor.get(VERIFICATION).url.path == "/Login"
    assert sandbox.log.rejected_codes == {"td/a668": 3}


def test_an_expired_code_is_wrong_and_another_login_sends_another(
    sandbox: Sandbox, visitor: httpx.Client, clock: SandboxClock
) -> None:
    sandbox.fault("otp")
    log_in(visitor, sandbox)
    code = sandbox.otp_code("td/a668")
    clock.advance(timedelta(minutes=5, seconds=1))
    assert "has expired" in say(visitor, code).text
    with pytest.raises(LookupError, match="td/a668: no code is in force"):
        sandbox.otp_code("td/a668")
    log_in(visitor, sandbox)
    assert say(visitor, sandbox.otp_code("td/a668")).url.path == HOME
    assert sandbox.log.codes_sent == {"td/a668": 2}


def test_a_used_code_opens_nothing_more(sandbox: Sandbox, visitor: httpx.Client) -> None:
    sandbox.fault("otp")
    log_in(visitor, sandbox)
    code = sandbox.otp_code("td/a668")
    say(visitor, code)
    assert say(visitor, code).url.path == "/Login"


def test_the_authenticators_code_is_as_good(sandbox: Sandbox, visitor: httpx.Client, clock: SandboxClock) -> None:
    sandbox.fault("otp")
    log_in(visitor, sandbox)
    shown = pyotp.TOTP(sandbox.totp_secret("td/a668")).at(clock.now())
    assert say(visitor, shown).url.path == HOME


def test_no_code_is_asked_for_where_nobody_logged_in(sandbox: Sandbox, visitor: httpx.Client) -> None:
    sandbox.fault("otp")
    assert visitor.get(VERIFICATION).url.path == "/Login"
    assert say(visitor, "123456").url.path == "/Login"


def test_a_wrong_password_is_asked_for_no_code(sandbox: Sandbox, visitor: httpx.Client) -> None:
    sandbox.fault("otp")
    assert log_in(visitor, sandbox, txtPassword="guess").url.path == "/Login"
    assert not sandbox.log.codes_sent


@pytest.mark.parametrize("changed", [{}, {"txtPassword": "guess"}])
def test_a_locked_account_is_told_so_until_the_fault_is_cleared(
    sandbox: Sandbox, visitor: httpx.Client, changed: dict[str, str]
) -> None:
    sandbox.fault("locked", crm="td", store="a668")
    for _ in range(2):
        refused = log_in(visitor, sandbox, **changed)
        assert refused.url.path == "/Login"
        assert "Your account has been locked. Contact support." in refused.text
    assert sandbox.log.rejected_logins == {"td/a668": 2}
    assert visitor.post("/Login", data=td_form(sandbox, "a817")).url.path == "/a817/App/home"
    sandbox.clear_faults()
    assert log_in(visitor, sandbox).url.path == HOME


def test_a_refusal_may_come_without_a_word() -> None:
    with (
        Sandbox(SandboxOptions(td_login_error="silent")) as sandbox,
        httpx.Client(base_url=sandbox.urls["subs"]) as visitor,
    ):
        refused = log_in(visitor, sandbox, txtPassword="guess")
        assert 'id="txtBranchPin"' in refused.text
        assert '<span id="lblError" role="alert"></span>' in refused.text
        assert sandbox.log.rejected_logins == {"td/a668": 1}
