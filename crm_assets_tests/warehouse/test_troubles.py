"""What does not work now: read from attempts and accounts as they are written while runs go on."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from crm_assets.errors import (
    CrmError,
    LoginMissing,
    LoginRejected,
    OlderExport,
    OtpRequired,
    OverdueOrders,
    PersonAwaited,
    PortalUnavailable,
    RunCancelled,
    SessionDropped,
    WrongWindow,
)
from crm_assets.model import AccountState, Purpose
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.warehouse import ledger, sessions, staging, troubles
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.troubles import Trouble, current_troubles
from crm_assets_tests.warehouse.samples import NOW, TD, UC, a_download, staged, window
from crm_assets_tests.warehouse.troubled import TODAY, at, begun, emptied, failed, good, person_needed

AWAY = PortalUnavailable("td/a668: expected the login page, found nothing within 45 s. Run it again later")
OTP = OtpRequired("td/a668: an OTP is asked for. Run: crm_download bootstrap --crm td --store a668")
SETTLING, CATCH_UP = Purpose.SETTLING, Purpose.CATCH_UP


@pytest.fixture
def conn(url: str) -> Iterator[Connection]:
    with emptied(url) as conn:
        yield conn


def codes(conn: Connection, hours: float = 24) -> dict[str, int]:
    """What troubles td/a668, and how often."""
    return {one.code: one.times for one in current_troubles(conn, at(hours)) if (one.crm, one.store) == ("td", "a668")}


def test_nothing_is_wrong_with_stores_that_were_never_asked_or_are_well(conn: Connection) -> None:
    assert current_troubles(conn, NOW) == []
    good(conn, 0)
    assert current_troubles(conn, NOW) == []


def test_a_failed_attempt_is_a_trouble_until_a_good_one(conn: Connection) -> None:
    failed(conn, AWAY, 1)
    assert current_troubles(conn, at(2)) == [
        Trouble(
            crm="td",
            store="a668",
            report="order_report",
            code="PortalUnavailable",
            message=str(AWAY),
            since=at(1),
            times=1,
            last_at=at(1),
        )
    ]
    good(conn, 2)
    assert current_troubles(conn, at(2)) == []


def test_the_failures_since_the_last_good_attempt_are_counted_by_their_code(conn: Connection) -> None:
    failed(conn, AWAY, 0)
    good(conn, 1)
    for hours in (2, 3, 4):
        failed(conn, AWAY, hours)
    [one] = current_troubles(conn, at(5))
    assert (one.times, one.since, one.last_at) == (3, at(2), at(4))
    failed(conn, SessionDropped("td/a668: out again"), 5)
    assert codes(conn) == {"SessionDropped": 1}
    failed(conn, AWAY, 6)
    assert codes(conn) == {"PortalUnavailable": 4}


def test_what_has_not_ended_says_nothing_yet(conn: Connection) -> None:
    failed(conn, AWAY, 0)
    begun(conn, 1)
    landed = begun(conn, 2)
    ledger.record_download(conn, landed, a_download(TODAY), at(2))
    assert codes(conn) == {"PortalUnavailable": 1}
    ledger.record_failure(conn, landed, status="failed", error=WrongWindow("td/a668: other days"), now=at(3))
    assert codes(conn) == {"WrongWindow": 1}


@pytest.mark.parametrize("purpose", [Purpose.BY_HAND, Purpose.BACKFILL])
def test_whoever_launched_an_attempt_looks_at_it(conn: Connection, purpose: Purpose) -> None:
    failed(conn, AWAY, purpose=purpose)
    assert codes(conn) == {}


@pytest.mark.parametrize("error", [RunCancelled("stopped"), OlderExport("older")], ids=lambda error: error.code)
def test_an_attempt_that_nobody_has_to_act_on_leaves_things_as_they_are(conn: Connection, error: CrmError) -> None:
    failed(conn, error, 0)
    assert codes(conn) == {}
    failed(conn, AWAY, 1)
    failed(conn, error, 2)
    assert codes(conn) == {"PortalUnavailable": 1}


def test_a_store_that_was_skipped_is_in_trouble_too(conn: Connection) -> None:
    failed(conn, OverdueOrders("td/a668: clear the list of overdue orders"), 0)
    assert codes(conn) == {"OverdueOrders": 1}


def test_a_refresh_is_settled_by_any_later_export_of_its_last_day(conn: Connection) -> None:
    good(conn, -1, days=window(24), purpose=Purpose.BY_HAND)
    failed(conn, AWAY, 0)
    good(conn, 1, days=window(20, 23), purpose=Purpose.BY_HAND)
    good(conn, 1, days=window(24), purpose=Purpose.BY_HAND, store=UC)
    assert codes(conn) == {"PortalUnavailable": 1}
    good(conn, 2, days=window(24), purpose=Purpose.BY_HAND)
    assert codes(conn) == {}


def test_the_nightly_re_reading_is_settled_by_its_like_alone(conn: Connection) -> None:
    failed(conn, AWAY, 0, days=window(1, 22), purpose=SETTLING)
    good(conn, 1)
    good(conn, 2, days=window(1, 24), purpose=Purpose.BY_HAND)
    assert codes(conn) == {"PortalUnavailable": 1}
    good(conn, 24, days=window(2, 23), purpose=SETTLING)
    assert codes(conn) == {}


def finished(conn: Connection, first: int, last: int) -> None:
    """These days are final: exported after their end, and facts."""
    days = window(first, last)
    ledger_id = staged(conn, days=days, requested_at=at(1))
    ledger.record_staged(conn, ledger_id, content_md5="a" * 32, row_count=0)
    ledger.record_ingested(conn, ledger_id, at(1))
    staging.mark_final(conn, ORDER_REPORT, "a668", list(days.days()), ledger_id, at(1))


def test_days_to_catch_up_trouble_until_each_of_them_is_final(conn: Connection) -> None:
    failed(conn, AWAY, 0, days=window(3, 5), purpose=CATCH_UP)
    finished(conn, 3, 4)
    staged(conn, days=window(5), requested_at=at(1))
    good(conn, 2)
    assert codes(conn) == {"PortalUnavailable": 1}
    finished(conn, 5, 5)
    assert codes(conn) == {}


def test_each_window_to_catch_up_is_looked_at_by_itself(conn: Connection) -> None:
    for hours in (0, 1):
        failed(conn, AWAY, hours, days=window(3, 5), purpose=CATCH_UP)
        failed(conn, AWAY, hours + 0.5, days=window(7, 8), purpose=CATCH_UP)
    assert codes(conn) == {"PortalUnavailable": 4}
    good(conn, 2, days=window(3, 5), purpose=CATCH_UP)
    assert codes(conn) == {"PortalUnavailable": 2}


def test_one_reason_at_a_store_is_one_trouble(conn: Connection) -> None:
    failed(conn, AWAY, 0, days=window(1, 22), purpose=SETTLING)
    failed(conn, AWAY, 1)
    failed(conn, PortalUnavailable("uc/sector56: the newest"), 2, store=UC)
    failed(conn, WrongWindow("td/a668: other days"), 3, days=window(3), purpose=CATCH_UP)
    found = {(one.crm, one.store, one.code): one for one in current_troubles(conn, at(4))}
    assert list(found) == [
        ("td", "a668", "PortalUnavailable"),
        ("td", "a668", "WrongWindow"),
        ("uc", "sector56", "PortalUnavailable"),
    ]
    both = found["td", "a668", "PortalUnavailable"]
    assert (both.since, both.last_at, both.times) == (at(0), at(1), 2)


def test_an_evidence_folder_is_named(conn: Connection, tmp_path: str) -> None:
    error = PortalUnavailable("td/a668: away")
    error.evidence = tmp_path  # type: ignore[assignment]
    failed(conn, error, 0)
    assert [one.evidence for one in current_troubles(conn, at(1))] == [str(tmp_path)]


# Accounts that need a person.


def test_an_account_that_waits_for_a_person_is_one_trouble_however_often_it_was_found_waiting(conn: Connection) -> None:
    person_needed(conn, OTP, 0)
    for hours in (1, 2):
        failed(conn, PersonAwaited("td/a668: waits for a person since 11:30"), hours)
    failed(conn, PersonAwaited("td/a668: waits for a person since 11:30"), 3, days=window(1, 22), purpose=SETTLING)
    [one] = current_troubles(conn, at(4))
    assert (one.code, one.message, one.times) == ("OtpRequired", str(OTP), 4)
    assert (one.since, one.last_at) == (at(0), at(3))


def test_an_account_that_a_person_found_closed_needs_one_as_well(conn: Connection) -> None:
    sessions.record_state(
        conn, TD, AccountState.NEEDS_PERSON, at(-2000), reason="td/a668: refused", error_code="LoginRejected"
    )
    [one] = current_troubles(conn, NOW)
    assert (one.code, one.message, one.times, one.since) == ("LoginRejected", "td/a668: refused", 1, at(-2000))


def test_once_a_person_has_signed_in_the_account_is_well(conn: Connection) -> None:
    failed(conn, AWAY, -1)
    person_needed(conn, OTP, 0)
    sessions.record_state(conn, TD, AccountState.OK, at(1), signed_in=True)
    assert codes(conn) == {}
    failed(conn, LoginRejected("td/a668: refused"), 2)
    assert codes(conn) == {"LoginRejected": 1}


def test_a_missing_login_troubles_until_an_attempt_is_good(conn: Connection) -> None:
    error = LoginMissing("td/a668: no login. Run: crm_download bootstrap --crm td --store a668")
    sessions.record_state(conn, TD, AccountState.EXPIRED, at(0), reason=str(error), error_code=error.code)
    failed(conn, error, 0)
    assert codes(conn) == {"LoginMissing": 1}
    sessions.record_state(conn, TD, AccountState.OK, at(1), signed_in=True)
    good(conn, 1)
    assert codes(conn) == {}


def test_what_failed_long_ago_and_was_not_tried_since_troubles_nobody(conn: Connection) -> None:
    failed(conn, AWAY, 0)
    last = troubles.LOOKED_BACK / timedelta(hours=1)
    assert codes(conn, last - 1) == {"PortalUnavailable": 1}
    assert codes(conn, last + 1) == {}


def test_other_days_of_other_stores_change_nothing(conn: Connection) -> None:
    failed(conn, AWAY, 0, days=window(10), purpose=CATCH_UP)
    good(conn, 1, days=window(10), store=UC, purpose=CATCH_UP)
    assert codes(conn) == {"PortalUnavailable": 1}
