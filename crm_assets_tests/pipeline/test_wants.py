"""What stores want, window by window, and when it is tried again: the rules, mostly without a database."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_assets.errors import HeaderDrift, PortalUnavailable
from crm_assets.model import AccountState, Purpose, Window
from crm_assets.pipeline.wants import (
    Tries,
    catch_up_wants,
    last_due_day,
    pause_after,
    persons_awaited,
    refresh_wants,
    refresh_wants_at_once,
    settling_wants,
    unmet,
    why_not,
    windows_of,
)
from crm_assets.warehouse import sessions
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.progress import Hole, Standing, Want
from crm_assets_tests.pipeline.town import Town, ist
from crm_assets_tests.warehouse.attempts import DAY, HOUR, MINUTE, failed, loaded, slices, want
from crm_assets_tests.warehouse.samples import NOW, nov, window

NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"


@pytest.fixture
def paper_town(tmp_path: Path) -> Town:
    """A town whose database nobody asks."""
    return Town(url=NOWHERE, folder=tmp_path)


@pytest.fixture
def town(warehouse: str, tmp_path: Path) -> Town:
    town = Town(url=warehouse, folder=tmp_path)
    town.build()
    return town


@pytest.fixture
def conn(town: Town) -> Iterator[Connection]:
    with town.connected() as connection:
        yield connection


def told(wants: list[Want]) -> dict[str, tuple[Window, str]]:
    """Each store's window, and since when."""
    return {one.store.code: (one.window, f"{one.since:%d %H:%M:%S}") for one in wants}


def refreshes(town: Town, now: str) -> dict[str, tuple[Window, str]]:
    return told(refresh_wants(town.settings, town.source, ist(now)))


def settlings(town: Town, now: str) -> dict[str, tuple[Window, str]]:
    return told(settling_wants(town.settings, town.source, ist(now)))


# Refresh.


@pytest.mark.parametrize(
    ("now", "days", "since"),
    [
        ("2025-11-24 10:30", window(23, 24), "24 10:30:00"),
        ("2025-11-24 14:29:59", window(23, 24), "24 10:30:00"),
        ("2025-11-24 23:59", window(23, 24), "24 21:30:00"),
        ("2025-11-25 00:00", window(23, 24), "24 21:30:00"),
        ("2025-11-25 10:29", window(23, 24), "24 21:30:00"),
        ("2025-11-25 10:30", window(24, 25), "25 10:30:00"),
    ],
)
def test_a_slot_wants_its_own_day_and_the_day_before_until_the_next_one(
    paper_town: Town, now: str, days: Window, since: str
) -> None:
    """At midnight nothing new is due: no store asks again before the morning's slot."""
    paper_town.build()
    assert refreshes(paper_town, now) == {"a000": (days, since)}


def test_a_store_wants_nothing_before_its_first_day(paper_town: Town) -> None:
    paper_town.build({"old": {}, "new": {"first_day": "2025-11-24"}})
    assert refreshes(paper_town, "2025-11-24 10:29") == {"old": (window(22, 23), "23 21:30:00")}
    assert refreshes(paper_town, "2025-11-24 10:30")["new"] == (window(24), "24 10:30:00")
    assert refreshes(paper_town, "2025-11-25 10:30")["new"] == (window(24, 25), "25 10:30:00")


def test_a_store_may_have_slots_of_its_own_and_a_crm_none(paper_town: Town) -> None:
    paper_town.build({"usual": {}, "own": {"slots": ["12:00"]}}, slots=["09:00"])
    assert refreshes(paper_town, "2025-11-24 11:59") == {
        "usual": (window(23, 24), "24 09:00:00"),
        "own": (window(22, 23), "23 12:00:00"),
    }
    paper_town.build({"usual": {}, "own": {"slots": ["12:00"]}}, slots=[])
    assert refreshes(paper_town, "2025-11-24 12:00") == {"own": (window(23, 24), "24 12:00:00")}


def test_the_stores_of_a_crm_begin_spread(paper_town: Town) -> None:
    paper_town.build(4, spread_minutes=10)
    now = "2025-11-24 10:33"
    assert [since for _, since in refreshes(paper_town, now).values()] == [
        "24 10:30:00",
        "24 10:32:00",
        "23 21:35:00",
        "23 21:37:00",
    ]


def test_whoever_asks_at_once_gets_today_whatever_the_slots_are(paper_town: Town) -> None:
    paper_town.build({"old": {}, "new": {"first_day": "2025-11-25"}, "later": {"first_day": "2025-11-26"}}, slots=[])
    now = ist("2025-11-25 00:10")
    wants = refresh_wants_at_once(paper_town.settings, paper_town.source, now, now - 20 * MINUTE)
    assert told(wants) == {"old": (window(24, 25), "24 23:50:00"), "new": (window(25), "24 23:50:00")}


# Settling.


@pytest.mark.parametrize(
    ("options", "days"),
    [
        ({}, 35),
        ({"settle_days": 7}, 7),
        ({"max_window_days": 20}, 20),
        ({"settle_days": 40, "max_window_days": 30}, 30),
    ],
)
def test_a_night_wants_the_last_weeks_as_far_as_one_export_goes(
    paper_town: Town, options: dict[str, Any], days: int
) -> None:
    paper_town.build({"a000": {"first_day": "2025-01-01"}}, **options)
    expected = Window(first=nov(24) - (days - 1) * DAY, last=nov(24))
    assert settlings(paper_town, "2025-11-25 02:30") == {"a000": (expected, "25 02:30:00")}
    assert settlings(paper_town, "2025-11-25 23:00") == settlings(paper_town, "2025-11-25 02:30")
    assert settlings(paper_town, "2025-11-26 02:29") == settlings(paper_town, "2025-11-25 02:30"), "not at midnight"


def test_the_weeks_begin_with_the_stores_first_day_and_none_may_be_chosen(paper_town: Town) -> None:
    paper_town.build({"old": {}, "new": {"first_day": "2025-11-24"}, "today": {"first_day": "2025-11-25"}})
    now = "2025-11-25 02:30"
    assert settlings(paper_town, now) == {"old": (window(1, 24), "25 02:30:00"), "new": (window(24), "25 02:30:00")}
    paper_town.build(2, settle_days=0)
    assert settlings(paper_town, now) == {}


def test_the_nights_are_spread_too(paper_town: Town) -> None:
    paper_town.build(2, spread_minutes=10, settle_at="23:58")
    assert [since for _, since in settlings(paper_town, "2025-11-25 00:03").values()] == ["24 23:58:00", "25 00:03:00"]
    assert [days.last for days, _ in settlings(paper_town, "2025-11-25 00:03").values()] == [nov(23), nov(24)]


# Missing days.


@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2025-11-25 00:00", 23),
        ("2025-11-25 11:29", 23),
        ("2025-11-25 11:30", 24),
        ("2025-11-25 23:59", 24),
        ("2025-11-26 00:00", 24),
    ],
)
def test_yesterday_is_missing_an_hour_after_the_mornings_slot(paper_town: Town, now: str, last: int) -> None:
    paper_town.build()
    assert last_due_day(paper_town.source, ist(now)) == nov(last)


def test_without_slots_yesterday_is_missing_at_once(paper_town: Town) -> None:
    paper_town.build(slots=[])
    assert last_due_day(paper_town.source, ist("2025-11-25 00:00")) == nov(24)


def hole(first: int, last: int) -> Hole:
    return Hole(store="a000", first=nov(first), last=nov(last))


def test_a_hole_is_asked_for_in_as_few_windows_as_the_crm_allows() -> None:
    assert list(windows_of(hole(1, 25), 10, set())) == [window(1, 10), window(11, 20), window(21, 25)]
    assert list(windows_of(hole(3, 3), 90, set())) == [window(3)]


FIRST = date(2025, 1, 1)
SPANS = st.tuples(st.integers(0, 40), st.integers(0, 20)).map(
    lambda span: Window(first=FIRST + span[0] * DAY, last=FIRST + sum(span) * DAY)
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(span=SPANS, longest=st.integers(1, 15), refused=st.sets(SPANS, max_size=30))
def test_the_windows_cover_the_hole_exactly_and_none_of_several_days_was_refused(
    span: Window, longest: int, refused: set[Window]
) -> None:
    found = list(windows_of(Hole(store="a000", first=span.first, last=span.last), longest, refused))
    assert [day for one in found for day in one.days()] == list(span.days())
    assert all((one.last - one.first).days < longest for one in found)
    assert all(one.first == one.last for one in found if one in refused)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(days=st.integers(1, 60), longest=st.integers(1, 60), bad=st.sets(st.integers(0, 59), max_size=4))
def test_of_bad_days_each_stands_alone_in_the_end_and_the_others_are_there(
    days: int, longest: int, bad: set[int]
) -> None:
    """A portal that refuses every window with a bad day, asked as long as there is one that was not asked before."""
    bad_days = {FIRST + day * DAY for day in bad if day < days}
    missing, refused, asked = {FIRST + day * DAY for day in range(days)}, set[Window](), 0
    while True:
        holes = [Hole(store="a000", first=w.first, last=w.last) for w in Window.joining(sorted(missing), days)]
        windows = [one for each in holes for one in windows_of(each, longest, refused)]
        fresh = [one for one in windows if one not in refused]
        if not fresh:
            break
        asked += 1
        if bad_days.intersection(fresh[0].days()):
            refused.add(fresh[0])
        else:
            missing -= set(fresh[0].days())
    assert missing == bad_days
    assert windows == [Window(first=day, last=day) for day in sorted(bad_days)]
    assert asked <= days // longest + 1 + 14 * len(bad_days), (
        "a bad day among sixty costs six halvings, two windows each"
    )


def test_missing_days_are_wanted_oldest_first_and_a_refused_window_by_halves(town: Town, conn: Connection) -> None:
    town.build(2, max_window_days=8)
    told: dict[str, Any] = {"purpose": Purpose.CATCH_UP, "store": town.store()}
    slices(conn, town.store("a000"), [nov(day) for day in (9, 10, 24)])
    slices(conn, town.store("a001"), [nov(day) for day in range(1, 23)])
    failed(conn, window(1, 8), NOW, HeaderDrift("a column less"), **told)
    failed(conn, window(11, 18), NOW, PortalUnavailable("down"), **told)
    now = ist("2025-11-25 12:00")
    found = catch_up_wants(conn, town.settings, town.source, now, 10)
    assert [(one.store.code, one.window) for one in found] == [
        ("a000", window(1, 4)),
        ("a000", window(5, 8)),
        ("a000", window(11, 18)),
        ("a000", window(19, 23)),
        ("a001", window(23, 24)),
    ]
    assert [one.window for one in catch_up_wants(conn, town.settings, town.source, now, 1)] == [
        window(1, 4),
        window(5, 8),
    ]
    later = catch_up_wants(conn, town.settings, town.source, now + 40 * DAY, 1)
    assert later[0].window == window(1, 8), "what was refused more than a month ago counts no more"


def test_a_day_that_is_not_final_is_wanted_although_exports_that_cover_it_are_loaded(
    town: Town, conn: Connection
) -> None:
    store = town.store()
    loaded(conn, window(23, 24), ist("2025-11-24 21:30"), store=store)
    loaded(
        conn, window(24), ist("2025-11-25 11:40"), store=store, purpose=Purpose.CATCH_UP
    )  # replaced, but not by facts
    slices(conn, store, [nov(day) for day in range(1, 24)], [nov(24)])
    now = ist("2025-11-25 12:00")
    wants = catch_up_wants(conn, town.settings, town.source, now, 10)
    assert [one.window for one in wants] == [window(24)]
    assert [one for one, _ in unmet(conn, wants, now)] == wants


# When it is tried again.

CLEAN = Standing(met=False, failures=0, run_ids=[], last_failed_at=None, error_code=None)


def went_wrong(times: int, code: str, at: datetime = NOW) -> Standing:
    return Standing(
        met=False, failures=times, run_ids=[f"run-{n}" for n in range(times)], last_failed_at=at, error_code=code
    )


@pytest.mark.parametrize(
    ("purpose", "minutes"),
    [
        (Purpose.REFRESH, [2, 4, 8, 16, 30, 30]),
        (Purpose.SETTLING, [2, 4, 8, 16, 30, 30]),
        (Purpose.CATCH_UP, [15, 30, 60, 120, 240, 480, 960, 1440, 1440]),
    ],
)
def test_each_pause_is_twice_the_one_before_give_or_take_a_quarter(purpose: Purpose, minutes: list[int]) -> None:
    one = want(window(23, 24), purpose=purpose)
    for failures, expected in enumerate(minutes, start=1):
        pause = pause_after(one, failures)
        assert 0.75 <= pause / timedelta(minutes=expected) <= 1.25
        assert pause == pause_after(one, failures), "it does not move while it is waited for"
    assert pause_after(one, 10_000) <= minutes[-1] * MINUTE * 1.25


def test_two_stores_do_not_come_back_at_the_same_moment(paper_town: Town) -> None:
    paper_town.build(20)
    pauses = {pause_after(want(window(23, 24), store=store), 3) for store in paper_town.settings.stores("td")}
    assert len(pauses) == 20


@pytest.mark.parametrize(
    "code", ["PortalUnavailable", "ExportTimedOut", "BrowserFroze", "AccountBusy", "DiskFull", "Abandoned"]
)
@pytest.mark.parametrize("purpose", [Purpose.REFRESH, Purpose.SETTLING, Purpose.CATCH_UP])
def test_what_can_heal_is_tried_again_after_a_pause(purpose: Purpose, code: str) -> None:
    one, standing = want(window(23, 24), purpose=purpose), went_wrong(2, code)
    again = NOW + pause_after(one, 2)
    left = why_not(one, standing, Tries(), again - MINUTE / 60)
    assert left
    assert left.waits == again
    assert left.reason.startswith(f"{code}: tried again at 24 Nov 1")
    assert why_not(one, standing, Tries(), again) is None


@pytest.mark.parametrize(
    "code",
    [
        "LoginMissing",
        "HeaderDrift",
        "ShrunkReport",
        "OverdueOrders",
        "ConfigurationError",
        "PortalMoved",
    ],
)
def test_what_cannot_heal_waits_for_the_next_slot(code: str) -> None:
    for purpose in (Purpose.REFRESH, Purpose.SETTLING):
        left = why_not(want(window(23, 24), purpose=purpose), went_wrong(1, code), Tries(), NOW + 3 * HOUR)
        assert left
        assert (left.reason, left.waits) == (f"{code}: not tried again before the next slot", None)
    missing = want(window(23, 24), purpose=Purpose.CATCH_UP)
    assert why_not(missing, went_wrong(1, code), Tries(), NOW + HOUR) is None, "a missing day has no slot to wait for"


@pytest.mark.parametrize("code", ["NotAWorkbook", "WrongWindow", "ChecksumMismatch", "UnprovenEmpty"])
def test_a_file_that_may_be_an_accident_is_asked_for_three_times_at_a_slot(code: str) -> None:
    one = want(window(23, 24))
    waits = [why_not(one, went_wrong(times, code), Tries(), NOW + HOUR) for times in (1, 2, 3)]
    assert waits[:2] == [None, None]
    assert waits[2]
    assert waits[2].reason == f"{code}: not tried again before the next slot"


def test_a_missing_day_does_not_wait_out_its_pause_once_the_store_works_again() -> None:
    missing = want(window(20), purpose=Purpose.CATCH_UP)
    for code, asked in (("PortalUnavailable", True), ("HeaderDrift", False)):
        standing = went_wrong(9, code)
        assert why_not(missing, standing, Tries(), NOW + HOUR)
        assert (why_not(missing, replace(standing, recovered=True), Tries(), NOW + HOUR) is None) == asked


@pytest.mark.parametrize("code", ["LoginRejected", "OtpRequired", "PersonAwaited"])
def test_once_a_person_has_acted_the_store_does_not_wait_for_the_next_slot(code: str) -> None:
    """Asked only of stores whose account waits for nobody (any more)."""
    assert why_not(want(window(23, 24)), went_wrong(1, code), Tries(), NOW + 3 * HOUR) is None


def test_a_run_under_way_is_waited_for() -> None:
    left = why_not(want(window(23, 24)), CLEAN, Tries(runs=1, under_way=True), NOW)
    assert left
    assert left.reason == "a run is under way"
    assert why_not(want(window(23, 24)), CLEAN, Tries(runs=1), NOW) is None


def test_a_run_that_ended_before_the_ledger_knew_of_it_is_a_failure_too_and_none_counts_twice() -> None:
    one = want(window(23, 24))
    silent = Tries(runs=1, failed_run_ids=("lost",), last_failed_at=NOW)
    left = why_not(one, CLEAN, silent, NOW + MINUTE)
    assert left
    assert left.reason.startswith("the run ended before it began its work: tried again at")
    assert left.waits == NOW + pause_after(one, 1)
    both = Tries(runs=3, failed_run_ids=("run-0", "run-1", "lost"), last_failed_at=NOW + HOUR)
    left = why_not(one, went_wrong(2, "PortalUnavailable"), both, NOW + HOUR)
    assert left
    assert left.waits == NOW + HOUR + pause_after(one, 3)
    known = Tries(runs=2, failed_run_ids=("run-0", "run-1"), last_failed_at=NOW + HOUR)
    left = why_not(one, went_wrong(2, "PortalUnavailable"), known, NOW)
    assert left
    assert left.waits == NOW + pause_after(one, 2)


# Accounts.


def test_an_account_waits_for_its_person_until_another_profile_is_there(town: Town, conn: Connection) -> None:
    town.build(2)
    settings, store = town.settings, town.store("a001")
    file = settings.profiles_dir / "td_a001.json"
    file.parent.mkdir(mode=0o700)
    file.write_text("{}")
    assert persons_awaited(conn, settings) == {}
    gone = town.store().__class__(crm="td", code="closed", name="Closed", first_day=nov(1))
    for one in (store, gone):
        sessions.record_state(
            conn,
            one,
            AccountState.NEEDS_PERSON,
            NOW,
            reason="td/a001: an OTP is asked for",
            error_code="OtpRequired",
            profile_digest="44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        )
    sentence = "td/a001: waits for a person since 2025-11-24 11:30, so the portal was not asked: an OTP is asked for"
    assert persons_awaited(conn, settings) == {"td/a001": sentence}
    file.write_text('{"brought": "by a person"}')
    assert persons_awaited(conn, settings) == {}
