"""Account states and the account lock."""

import logging
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from crm_assets.errors import AccountBusy
from crm_assets.model import Account, AccountState
from crm_assets.warehouse import sessions
from crm_assets.warehouse.connection import Connection
from crm_assets_tests.warehouse.samples import LATER, NOW, TD, UC, held


def known(conn: Connection) -> Account:
    found = sessions.account(conn, TD)
    assert found
    return found


def test_an_account_that_never_signed_in_is_not_known(conn: Connection) -> None:
    assert sessions.account(conn, TD) is None


def test_a_state_remembers_since_when_and_the_last_login(conn: Connection) -> None:
    sessions.record_state(conn, TD, AccountState.OK, NOW, signed_in=True)
    sessions.record_state(conn, TD, AccountState.OK, LATER)
    assert known(conn) == Account(crm="td", store="a668", state=AccountState.OK, since=NOW, last_login_at=NOW)


def test_what_a_person_must_settle_is_kept_until_it_is_settled(conn: Connection) -> None:
    sessions.record_state(conn, TD, AccountState.OK, NOW, signed_in=True)
    sessions.record_state(
        conn,
        TD,
        AccountState.NEEDS_PERSON,
        LATER,
        reason="an OTP is asked for",
        error_code="OtpRequired",
        profile_digest="a" * 64,
    )
    assert known(conn) == Account(
        crm="td",
        store="a668",
        state=AccountState.NEEDS_PERSON,
        since=LATER,
        last_login_at=NOW,
        reason="an OTP is asked for",
        error_code="OtpRequired",
        profile_digest="a" * 64,
    )
    sessions.record_state(conn, TD, AccountState.OK, LATER, signed_in=True)
    assert known(conn) == Account(crm="td", store="a668", state=AccountState.OK, since=LATER, last_login_at=LATER)


def test_each_account_has_its_own_state(conn: Connection) -> None:
    sessions.record_state(conn, UC, AccountState.OK, NOW)
    sessions.record_state(conn, TD, AccountState.EXPIRED, NOW)
    assert [(one.crm, one.store, one.state) for one in sessions.accounts(conn)] == [
        ("td", "a668", "expired"),
        ("uc", "sector56", "ok"),
    ]


def test_a_second_run_is_told_who_holds_the_account(warehouse: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="crm_assets")
    with (
        held(warehouse, TD, holder="run 1a2b3c4d"),
        pytest.raises(
            AccountBusy, match=r"td/a668: this account is still held after 0\.1 s, by run 1a2b3c4d, process \d+ on "
        ),
        held(warehouse, TD, seconds=0.1),
    ):
        pass
    assert "[td/a668] [waiting] [the account is held by run 1a2b3c4d, process " in caplog.text


def test_other_accounts_are_not_held(warehouse: str) -> None:
    with (
        held(warehouse, TD),
        held(warehouse, UC, seconds=0.1),
        held(warehouse, replace(TD, code="a817"), seconds=0.1),
    ):
        pass


def test_a_waiting_run_goes_on_when_the_account_becomes_free(warehouse: str) -> None:
    entered = threading.Event()

    def wait() -> None:
        with held(warehouse, TD, seconds=20):
            entered.set()

    waiting = threading.Thread(target=wait)
    with held(warehouse, TD):
        waiting.start()
        assert not entered.wait(0.2)
    waiting.join(20)
    assert entered.is_set()


def test_no_patience_at_all_is_not_waiting_for_ever(warehouse: str) -> None:
    with held(warehouse, TD), pytest.raises(AccountBusy), held(warehouse, TD, seconds=0):
        pass


HOLD = """
import sys
from crm_assets_tests.warehouse.samples import TD, held
with held(sys.argv[1], TD, seconds=5):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_killed_run_lets_go_of_its_account(warehouse: str) -> None:
    command = [sys.executable, "-c", HOLD, warehouse]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AccountBusy), held(warehouse, TD, seconds=0.1):
            pass
        holder.send_signal(signal.SIGKILL)
        with held(warehouse, TD, seconds=10):
            pass
