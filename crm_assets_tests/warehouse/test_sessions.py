"""Account states and the account lock."""

import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from crm_assets.errors import AccountBusy
from crm_assets.warehouse import sessions
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.sessions import account_lock
from crm_assets_tests.warehouse.samples import LATER, NOW, TD, UC


def test_an_account_that_never_signed_in_has_no_state(conn: Connection) -> None:
    assert sessions.state(conn, TD) is None


def test_a_state_remembers_since_when_and_the_last_login(conn: Connection) -> None:
    sessions.record_state(conn, TD, "ok", None, NOW, signed_in=True)
    sessions.record_state(conn, TD, "ok", None, LATER)
    known = sessions.state(conn, TD)
    assert known is not None
    assert (known.state, known.since, known.last_login_at) == ("ok", NOW, NOW)
    sessions.record_state(conn, TD, "needs_person", "an OTP is asked for", LATER)
    known = sessions.state(conn, TD)
    assert known is not None
    assert (known.state, known.since, known.last_login_at, known.reason) == (
        "needs_person",
        LATER,
        NOW,
        "an OTP is asked for",
    )


def test_each_account_has_its_own_state(conn: Connection) -> None:
    sessions.record_state(conn, UC, "ok", None, NOW)
    sessions.record_state(conn, TD, "expired", None, NOW)
    assert [(known.crm, known.store, known.state) for known in sessions.states(conn)] == [
        ("td", "a668", "expired"),
        ("uc", "sector56", "ok"),
    ]


def test_a_second_run_is_told_that_the_account_is_busy(warehouse: str) -> None:
    with (
        account_lock(warehouse, TD, timeout=1),
        pytest.raises(AccountBusy, match=r"td/a668: another run still holds this account after 0\.1 s"),
        account_lock(warehouse, TD, timeout=0.1),
    ):
        pass


def test_other_accounts_are_not_held(warehouse: str) -> None:
    with (
        account_lock(warehouse, TD, timeout=1),
        account_lock(warehouse, UC, timeout=0.1),
        account_lock(warehouse, replace(TD, code="a817"), timeout=0.1),
    ):
        pass


def test_a_waiting_run_goes_on_when_the_account_becomes_free(warehouse: str) -> None:
    entered = threading.Event()

    def wait() -> None:
        with account_lock(warehouse, TD, timeout=20):
            entered.set()

    waiting = threading.Thread(target=wait)
    with account_lock(warehouse, TD, timeout=1):
        waiting.start()
        assert not entered.wait(0.2)
    waiting.join(20)
    assert entered.is_set()


def test_no_patience_at_all_is_not_waiting_for_ever(warehouse: str) -> None:
    with account_lock(warehouse, TD, timeout=1), pytest.raises(AccountBusy), account_lock(warehouse, TD, timeout=0):
        pass


HOLD = """
import sys
from datetime import date
from crm_assets.model import Store
from crm_assets.warehouse.sessions import account_lock
with account_lock(sys.argv[1], Store(crm="td", code="a668", name="", first_day=date(2025, 11, 1)), timeout=5):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_killed_run_lets_go_of_its_account(warehouse: str) -> None:
    command = [sys.executable, "-c", HOLD, warehouse]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AccountBusy), account_lock(warehouse, TD, timeout=0.1):
            pass
        holder.send_signal(signal.SIGKILL)
        with account_lock(warehouse, TD, timeout=10):
            pass
