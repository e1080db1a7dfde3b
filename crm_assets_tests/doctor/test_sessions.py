"""The saved sessions' findings, on real files."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from crm_assets.account import profiles_of
from crm_assets.browser.fingerprint import Fingerprint
from crm_assets.browser.profile import Profile
from crm_assets.doctor.findings import Finding, Level
from crm_assets.doctor.sessions import Around, look_at_sessions
from crm_assets.model import Account, AccountState
from crm_assets_tests.doctor.test_settings import KEY
from crm_assets_tests.fixtures.sandbox import ALL_STORES, NOON, Installation

CHROME = Fingerprint(browser="chrome", version="141.0.1", headless=True, platform="linux", user_agent="Chrome/141")
BOOTSTRAP = "crm_download bootstrap --crm td --store a668"


@dataclass(kw_only=True)
class House:
    """An installation whose ``td/a668`` is looked at."""

    installation: Installation
    accounts: list[Account] | None = field(default_factory=list)
    browser: Fingerprint | None = CHROME

    def save(self, *, days_ago: float = 3, fingerprint: Fingerprint | None = CHROME) -> None:
        profile = Profile(
            state={"cookies": [{"name": "sid", "value": "Never-Shown-1", "domain": "td", "path": "/"}], "origins": []},
            fingerprint=fingerprint,
            saved_at=NOON - timedelta(days=days_ago),
        )
        profiles_of(self.installation.settings).save(self.installation.store("td/a668"), profile, keep_previous=False)

    def remember(self, state: AccountState, **facts: str) -> None:
        self.accounts = [Account(crm="td", store="a668", state=state, since=NOON, **facts)]

    def drop_login(self) -> None:
        del self.installation.environ["CRM_TD_A668_USER"]

    def all(self) -> dict[str, list[Finding]]:
        around = Around(settings=self.installation.settings, accounts=self.accounts, browser=self.browser, now=NOON)
        found = look_at_sessions(around)
        assert "Never-Shown" not in str(found)
        return {name: [finding for finding in found if finding.name == name] for name in (*ALL_STORES, "all")}

    def only(self) -> Finding:
        (finding,) = self.all()["td/a668"]
        assert bool(finding.next_step) == (finding.level is not Level.GREEN)
        return finding


@pytest.fixture
def house(installation: Installation) -> House:
    return House(installation=installation)


def test_a_store_without_a_session_logs_in_by_itself(house: House) -> None:
    assert {name: found[0].level for name, found in house.all().items() if found} == dict.fromkeys(
        ALL_STORES, Level.GREEN
    )
    assert house.only().found == "nothing is saved; the next run logs in by itself"


def test_a_store_with_neither_is_told_both_ways(house: House) -> None:
    house.drop_login()
    finding = house.only()
    assert (finding.level, finding.found) == (Level.YELLOW, "there is neither a saved session nor a login")
    assert finding.next_step == f"Set CRM_TD_A668_USER and CRM_TD_A668_PASSWORD, or run: {BOOTSTRAP}"


def test_a_good_session_says_its_form_its_age_and_the_accounts_state(house: House) -> None:
    house.save()
    house.remember(AccountState.OK)
    finding = house.only()
    assert (finding.level, finding.found) == (Level.GREEN, "plain, saved 3 days ago; the account is ok")


def test_without_the_database_the_accounts_state_is_left_out(house: House) -> None:
    house.save(days_ago=0.5)
    house.accounts = None
    assert house.only().found == "plain, saved 12 hours ago"


def test_an_old_session_is_yellow(house: House) -> None:
    house.save(days_ago=31)
    finding = house.only()
    assert (finding.level, finding.found) == (Level.YELLOW, "saved 31 days ago; portals forget sessions that old")
    assert finding.next_step.endswith("crm_download sessions test --crm td --store a668")


def test_a_session_of_another_browser_is_yellow(house: House) -> None:
    house.save(fingerprint=replace(CHROME, headless=False, platform="darwin"))
    finding = house.only()
    assert finding.level is Level.YELLOW
    assert "made by headed chrome 141 on darwin, now headless chrome 141 on linux" in finding.found
    assert BOOTSTRAP in finding.next_step


@pytest.mark.parametrize(("made_by", "browser"), [(None, CHROME), (CHROME, None)])
def test_what_cannot_be_compared_is_no_difference(
    house: House, made_by: Fingerprint | None, browser: Fingerprint | None
) -> None:
    house.save(fingerprint=made_by)
    house.browser = browser
    assert house.only().level is Level.GREEN


def test_a_session_that_stayed_plain_although_there_is_a_key_is_yellow(house: House) -> None:
    house.save()
    house.installation.environ["CRM_PROFILE_KEY"] = KEY
    finding = house.only()
    assert (finding.level, finding.found) == (Level.YELLOW, "plain, although CRM_PROFILE_KEY is set")
    assert finding.next_step == "Run: crm_download sessions seal --crm td --store a668"
    house.save()
    assert house.only().found == "sealed, saved 3 days ago"


def test_a_sealed_session_without_its_key_is_red(house: House) -> None:
    house.installation.environ["CRM_PROFILE_KEY"] = KEY
    house.save()
    house.installation.environ["CRM_PROFILE_KEY"] = ""
    finding = house.only()
    assert finding.level is Level.RED
    assert "found no key" in finding.found
    assert "Set CRM_PROFILE_KEY to that key" in finding.next_step


def test_a_session_that_others_may_read_is_red(house: House) -> None:
    house.save()
    path = profiles_of(house.installation.settings).path(house.installation.store("td/a668"))
    path.chmod(0o644)
    finding = house.only()
    assert finding.level is Level.RED
    assert finding.next_step == f"Run: chmod 600 {path}"


def test_a_damaged_session_is_red(house: House) -> None:
    house.save()
    profiles_of(house.installation.settings).path(house.installation.store("td/a668")).write_text("{", "utf-8")
    finding = house.only()
    assert finding.level is Level.RED
    assert BOOTSTRAP in finding.next_step


def test_without_a_usable_key_the_sessions_are_not_examined(house: House) -> None:
    house.installation.environ["CRM_PROFILE_KEY"] = "Never-Shown-1"
    (finding,) = house.all()["all"]
    assert (finding.level, finding.next_step) == (Level.YELLOW, "Mend CRM_PROFILE_KEY first")


def test_an_account_that_waits_for_a_person_is_red_with_its_bootstrap(house: House) -> None:
    house.save()
    reason = f"td/a668: signed out and an OTP is asked for. Run: {BOOTSTRAP}"
    house.remember(AccountState.NEEDS_PERSON, reason=reason, error_code="OtpRequired")
    finding = house.only()
    assert (finding.level, finding.found) == (
        Level.RED,
        "the account waits for a person since 2026-02-14 12:30: signed out and an OTP is asked for",
    )
    assert finding.next_step == f"Run: {BOOTSTRAP}"


def test_a_session_that_has_ended_is_well_where_there_is_a_login(house: House) -> None:
    house.save()
    house.remember(AccountState.EXPIRED)
    assert house.only().found == "plain, saved 3 days ago; the session has ended; the next run logs in"
    house.drop_login()
    finding = house.only()
    assert (finding.level, finding.found) == (Level.YELLOW, "the session has ended and there is no login")
