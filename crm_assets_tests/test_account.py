"""Every ending of both login flows, in a real browser at the sandbox: what the run says, and what is then known of the account.

An unattended run is a download of one day. A journal that is handed on remembers the accounts, as the database does.
"""

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Response

from crm_assets import otp
from crm_assets.account import Access, access_to, profiles_of
from crm_assets.errors import (
    AccountLocked,
    ConfigurationError,
    CrmError,
    LoginRejected,
    OtpRequired,
    OverdueOrders,
    PersonAwaited,
    PortalMoved,
    PortalUnavailable,
    SessionDropped,
)
from crm_assets.model import Account, AccountState
from crm_assets.portals.visit import Visit
from crm_assets.sandbox import SandboxOptions
from crm_assets_tests.fixtures.sandbox import NOON, Installation, RememberedEvents, days

DAY = days("2026-02-13")
TD, UC = "td/a668", "uc/sector56"


@pytest.fixture(autouse=True)
def no_code_was_used_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's clock stands still: a code that another test has used would never be followed by the next one."""
    monkeypatch.setattr(otp, "_last_step", {})


def run(installation: Installation, store: str, journal: RememberedEvents | None = None) -> RememberedEvents:
    """One unattended run of one store; what earlier runs knew of it comes with the journal."""
    journal = journal or RememberedEvents()
    journal.errors.clear()
    journal.downloads.clear()
    return installation.download({store: DAY}, journal)


def error_of(installation: Installation, store: str, journal: RememberedEvents | None = None) -> CrmError:
    return run(installation, store, journal).error_of(store)


def known_of(installation: Installation, journal: RememberedEvents, store: str) -> Account:
    known = journal.account(installation.store(store))
    assert known
    return known


def logins(installation: Installation, store: str) -> int:
    """Logins that the portal saw, right or wrong."""
    log = installation.sandbox.log
    return log.logins[store] + log.rejected_logins[store]


def saved(installation: Installation, store: str) -> bool:
    return profiles_of(installation.settings).path(installation.store(store)).exists()


# Both portals.


@pytest.mark.parametrize("sandbox_options", [SandboxOptions(td_sessions="kept")])
@pytest.mark.parametrize("store", [TD, UC])
def test_a_valid_session_is_used_without_a_login(installation: Installation, store: str) -> None:
    first = run(installation, store)
    again = run(installation, store)
    assert [each.signed_in_again for each in first.downloads + again.downloads] == [True, False]
    assert (first.states_of(store), again.states_of(store)) == (["ok"], ["ok"])
    assert logins(installation, store) == 1


@pytest.mark.parametrize("store", [TD, UC])
def test_an_expired_session_is_renewed_by_one_login(installation: Installation, store: str) -> None:
    journal = run(installation, store)
    installation.sandbox.fault("session_expired")
    run(installation, store, journal)
    assert [each.signed_in_again for each in journal.downloads] == [True]
    assert journal.states_of(store) == ["ok", "expired", "ok"]
    assert logins(installation, store) == 2


def test_the_form_that_a_dead_session_leads_to_is_used_without_opening_another(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    goto, opened = Visit.goto, list[str]()

    async def noted(visit: Visit, url: str) -> Response | None:
        opened.append(urlsplit(url).path)
        return await goto(visit, url)

    monkeypatch.setattr(Visit, "goto", noted)
    journal = run(installation, TD)
    assert opened[0] == "/a668"
    opened.clear()
    run(installation, TD, journal)
    assert (opened[0], "/a668" in opened, logins(installation, TD)) == ("/a668/App/home", False, 2)


@pytest.mark.parametrize("store", [TD, UC])
def test_a_rejected_password_is_never_tried_again_until_a_person_was_there(
    installation: Installation, store: str
) -> None:
    installation.environ[f"CRM_{store.replace('/', '_').upper()}_PASSWORD"] = "Never-Right-1"
    journal = RememberedEvents()
    first, second = error_of(installation, store, journal), error_of(installation, store, journal)
    assert (type(first), type(second)) == (LoginRejected, PersonAwaited)
    assert logins(installation, store) == 1
    known = known_of(installation, journal, store)
    assert (known.state, known.error_code, known.reason) == (AccountState.NEEDS_PERSON, "LoginRejected", str(first))
    assert str(first).removeprefix(f"{store}: ") in str(second), "the reason and the command stay in sight"
    crm, code = store.split("/")
    assert f"crm_download bootstrap --crm {crm} --store {code}" in str(second)
    assert not saved(installation, store)


@pytest.mark.parametrize("store", [TD, UC])
def test_a_locked_account_is_told_as_such_and_left_alone(installation: Installation, store: str) -> None:
    installation.sandbox.fault("locked")
    journal = RememberedEvents()
    assert isinstance(error_of(installation, store, journal), AccountLocked)
    installation.sandbox.clear_faults()
    assert isinstance(error_of(installation, store, journal), PersonAwaited)
    assert logins(installation, store) == 1
    assert known_of(installation, journal, store).error_code == "AccountLocked"


@pytest.mark.parametrize("store", [TD, UC])
def test_a_portal_that_is_down_is_unavailable_and_no_fault_of_the_account(
    installation: Installation, store: str
) -> None:
    journal = run(installation, store)
    installation.sandbox.fault("down")
    assert isinstance(error_of(installation, store, journal), PortalUnavailable)
    assert known_of(installation, journal, store).state is not AccountState.NEEDS_PERSON
    installation.sandbox.clear_faults()
    assert len(run(installation, store, journal).downloads) == 1
    assert journal.account(installation.store(store)).state is AccountState.OK  # type: ignore[union-attr]


def test_a_missing_login_waits_for_the_setting_and_for_nobody_else(installation: Installation) -> None:
    password = installation.environ.pop("CRM_UC_SECTOR56_PASSWORD")
    journal = RememberedEvents()
    assert error_of(installation, UC, journal).code == "LoginMissing"
    installation.environ["CRM_UC_SECTOR56_PASSWORD"] = password
    assert len(run(installation, UC, journal).downloads) == 1


# TumbleDry.


@pytest.mark.parametrize("sandbox_options", [SandboxOptions(td_login_error="silent")])
def test_a_login_form_that_comes_back_without_a_word_is_a_refusal(installation: Installation) -> None:
    installation.environ["CRM_TD_A668_PASSWORD"] = "Never-Right-1"
    assert isinstance(error_of(installation, TD), LoginRejected)


def test_an_otp_nobody_can_answer_is_asked_for_once_and_not_again(installation: Installation) -> None:
    installation.sandbox.fault("otp")
    journal = RememberedEvents()
    first, second = error_of(installation, TD, journal), error_of(installation, TD, journal)
    assert isinstance(first, OtpRequired)
    assert str(first) == (
        "td/a668: signed out and an OTP is asked for. Run: crm_download bootstrap --crm td --store a668"
    )
    assert isinstance(second, PersonAwaited)
    assert installation.sandbox.log.codes_sent["td/a668"] == 1
    assert installation.sandbox.log.rejected_codes["td/a668"] == 0
    assert known_of(installation, journal, TD).state is AccountState.NEEDS_PERSON


def test_an_otp_is_answered_by_an_authenticators_secret_and_the_browser_is_trusted_from_then_on(
    installation: Installation,
) -> None:
    sandbox = installation.sandbox
    installation.environ["CRM_TD_A668_OTP_SECRET"] = sandbox.totp_secret(TD)
    sandbox.fault("otp")
    journal = run(installation, TD)
    assert (len(journal.downloads), sandbox.log.codes_sent[TD]) == (1, 1)
    run(installation, TD, journal)
    assert (len(journal.downloads), sandbox.log.codes_sent[TD]) == (1, 1), "the saved session carries the trust"


def test_a_wrong_code_by_machine_is_tried_once(installation: Installation) -> None:
    installation.environ["CRM_TD_A668_OTP_SECRET"] = "JBSWY3DPEHPK3PXP"
    installation.sandbox.fault("otp")
    journal = RememberedEvents()
    error = error_of(installation, TD, journal)
    assert isinstance(error, OtpRequired)
    assert "refused the one-time password" in str(error)
    error_of(installation, TD, journal)
    assert (installation.sandbox.log.codes_sent[TD], installation.sandbox.log.rejected_codes[TD]) == (1, 1)


def test_a_licence_notice_is_paid_later(installation: Installation) -> None:
    installation.sandbox.fault("licence")
    assert len(run(installation, TD).downloads) == 1


def test_a_licence_notice_behind_an_otp_is_paid_later(installation: Installation) -> None:
    installation.environ["CRM_TD_A668_OTP_SECRET"] = installation.sandbox.totp_secret(TD)
    installation.sandbox.fault("otp")
    installation.sandbox.fault("licence")
    assert len(run(installation, TD).downloads) == 1


@pytest.mark.parametrize("sandbox_options", [SandboxOptions(td_sessions="kept")])
def test_a_licence_notice_before_a_saved_sessions_home_is_paid_later(installation: Installation) -> None:
    run(installation, TD)
    installation.sandbox.fault("licence")
    assert [each.signed_in_again for each in run(installation, TD).downloads] == [False]


def test_overdue_orders_skip_the_store_with_the_reason_and_nobody_forces_them(installation: Installation) -> None:
    installation.sandbox.fault("overdue")
    journal = RememberedEvents()
    error = error_of(installation, TD, journal)
    assert isinstance(error, OverdueOrders)
    assert "Someone at the store must clear them" in str(error)
    assert installation.sandbox.log.overdue_forced == {}
    assert (journal.states_of(TD), saved(installation, TD)) == (["ok"], True), "the account itself is in order"
    installation.sandbox.clear_faults()
    assert len(run(installation, TD, journal).downloads) == 1, "the next run looks again"


def test_a_notice_over_home_is_closed(installation: Installation) -> None:
    installation.sandbox.fault("modal")
    assert len(run(installation, TD).downloads) == 1


def test_a_bounce_back_to_the_login_is_no_success_and_costs_no_person(installation: Installation) -> None:
    installation.sandbox.fault("bounce")
    journal = RememberedEvents()
    assert isinstance(error_of(installation, TD, journal), SessionDropped)
    assert not saved(installation, TD)
    assert logins(installation, TD) == 1, "once a run"
    assert len(run(installation, TD, journal).downloads) == 1


# UClean.


def test_a_token_the_api_refuses_is_renewed_by_one_login(installation: Installation) -> None:
    run(installation, UC)
    path = profiles_of(installation.settings).path(installation.store(UC))
    path.write_text(re.sub(r'"eyJ[^"]+"', '"a-token-of-nobody"', path.read_text(encoding="utf-8")), encoding="utf-8")
    journal = run(installation, UC)
    assert [each.signed_in_again for each in journal.downloads] == [True]
    assert logins(installation, UC) == 2


def test_a_panel_that_moved_to_a_known_host_costs_one_login(installation: Installation) -> None:
    urls = installation.sandbox.urls
    installation.write_stores(**{urls["storepanel"]: urls["store"], "uclean_auth_token": "token"})
    run(installation, UC)
    installation.sandbox.fault("moved")
    moved, again = run(installation, UC), run(installation, UC)
    assert [each.signed_in_again for each in moved.downloads] == [True], "its storage is the other origin's"
    assert [each.signed_in_again for each in again.downloads] == [False]
    assert logins(installation, UC) == 2


def test_a_panel_that_moved_to_an_unknown_host_is_told_and_gets_no_password(installation: Installation) -> None:
    urls = installation.sandbox.urls
    installation.write_stores(**{urls["storepanel"]: urls["store"], "uclean_auth_token": "token"})
    run(installation, UC)
    installation.sandbox.fault("moved", host="localhost")
    journal = RememberedEvents()
    error = error_of(installation, UC, journal)
    assert isinstance(error, PortalMoved)
    assert isinstance(error, ConfigurationError), "whoever installed it mends stores.yaml"
    assert "it leads to http://localhost:" in str(error)
    assert "site in stores.yaml" in str(error)
    assert logins(installation, UC) == 1


# What a person brings.


def test_a_session_that_a_person_brought_is_tried_after_an_otp(installation: Installation) -> None:
    installation.sandbox.fault("otp")
    journal = RememberedEvents()
    error_of(installation, TD, journal)
    elsewhere = replace(
        installation,
        environ=installation.environ
        | {
            "CRM_PROFILES_DIR": str(installation.home / "elsewhere"),
            "CRM_TD_A668_OTP_SECRET": installation.sandbox.totp_secret(TD),
        },
    )
    run(elsewhere, TD)
    store = installation.store(TD)
    profiles = profiles_of(installation.settings)
    brought = profiles_of(elsewhere.settings).load(store)
    assert brought
    profiles.save(store, brought, keep_previous=False)
    assert len(run(installation, TD, journal).downloads) == 1
    assert known_of(installation, journal, TD).state is AccountState.OK
    assert installation.sandbox.log.codes_sent[TD] == 2, "one here, one elsewhere"


def test_a_brought_session_that_is_dead_tries_no_rejected_password_again(installation: Installation) -> None:
    run(installation, UC)
    profiles, store = profiles_of(installation.settings), installation.store(UC)
    dead = profiles.load(store)
    assert dead
    profiles.forget(store)
    installation.sandbox.fault("session_expired")
    installation.environ["CRM_UC_SECTOR56_PASSWORD"] = "Never-Right-1"
    journal = RememberedEvents()
    rejected = error_of(installation, UC, journal)
    profiles.save(store, dead, keep_previous=False)
    assert isinstance(error_of(installation, UC, journal), PersonAwaited)
    known = known_of(installation, journal, UC)
    assert (known.error_code, known.reason) == ("LoginRejected", str(rejected))
    assert installation.sandbox.log.rejected_logins[UC] == 1
    exports = installation.sandbox.log.exports[UC]
    assert isinstance(error_of(installation, UC, journal), PersonAwaited), "and is not probed a second time"
    assert installation.sandbox.log.exports[UC] == exports


@pytest.mark.parametrize(
    ("state", "code", "kept", "found", "expected"),
    [
        (AccountState.OK, None, None, None, Access.FULL),
        (AccountState.EXPIRED, None, None, "a", Access.FULL),
        (AccountState.NEEDS_PERSON, "OtpRequired", "a", "b", Access.FULL),
        (AccountState.NEEDS_PERSON, "OtpRequired", None, "b", Access.FULL),
        (AccountState.NEEDS_PERSON, "LoginRejected", "a", "b", Access.PROBE),
        (AccountState.NEEDS_PERSON, "AccountLocked", None, "b", Access.PROBE),
        (AccountState.NEEDS_PERSON, "OtpRequired", "a", "a", None),
        (AccountState.NEEDS_PERSON, "OtpRequired", None, None, None),
        (AccountState.NEEDS_PERSON, "LoginRejected", "a", None, None),
    ],
)
def test_what_an_unattended_run_may_do(
    installation: Installation,
    state: AccountState,
    code: str | None,
    kept: str | None,
    found: str | None,
    expected: Access | None,
) -> None:
    store = installation.store(TD)
    known = Account(
        crm="td",
        store="a668",
        state=state,
        since=NOON - timedelta(days=1),
        reason="why",
        error_code=code,
        profile_digest=kept,
    )
    if expected is None:
        with pytest.raises(
            PersonAwaited, match=r"waits for a person since 2026-02-13 12:30, so the portal was not asked: why"
        ):
            access_to(store, known, found)
    else:
        assert access_to(store, known, found) is expected
