"""One-time codes: how long they are good, for what, and how often one may be wrong."""

from datetime import timedelta

import pyotp
import pytest

from crm_assets.sandbox import SandboxClock
from crm_assets.sandbox.codes import Codes
from crm_assets.sandbox.stores import known_store, totp_secret
from crm_assets_tests.sandbox.visitors import another_code

STORE = known_store("td/a668")


@pytest.fixture
def codes(clock: SandboxClock) -> Codes:
    codes = Codes("demo", clock)
    codes.send(STORE)
    return codes


def sent(codes: Codes) -> str:
    return codes.in_force()["td/a668"]


def test_a_code_has_six_digits_and_is_right_once(codes: Codes) -> None:
    code = sent(codes)
    assert len(code) == 6 and code.isdigit()
    assert codes.judge(STORE, code) == "right"
    assert codes.in_force() == {}


def test_a_code_is_good_for_five_minutes(codes: Codes, clock: SandboxClock) -> None:
    code = sent(codes)
    clock.advance(timedelta(minutes=5))
    assert sent(codes) == code
    clock.advance(timedelta(seconds=1))
    assert codes.in_force() == {}
    assert codes.judge(STORE, code) == "wrong"


def test_the_third_wrong_code_is_the_last(codes: Codes) -> None:
    wrong = another_code(sent(codes))
    assert [codes.judge(STORE, wrong) for _ in range(3)] == ["wrong", "wrong", "given up"]
    assert codes.in_force() == {}


def test_a_newer_login_makes_the_older_ones_code_worthless(clock: SandboxClock) -> None:
    codes = Codes("demo", clock)
    older, newer = codes.send(STORE), codes.send(STORE)
    assert not codes.is_waited_for(STORE, older)
    assert codes.is_waited_for(STORE, newer)


@pytest.mark.parametrize(("seconds", "verdict"), [(-30, "right"), (0, "right"), (30, "right"), (90, "wrong")])
def test_the_authenticator_is_believed_half_a_minute_around_now(
    codes: Codes, clock: SandboxClock, seconds: int, verdict: str
) -> None:
    shown = pyotp.TOTP(totp_secret("demo", STORE)).at(clock.now() + timedelta(seconds=seconds))
    assert codes.judge(STORE, shown) == verdict
