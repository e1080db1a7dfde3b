"""How far the fetching has come: wants that are met or failed, days that are missing, days that are final."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_assets.errors import BadReport, HeaderDrift, OverdueOrders, PortalUnavailable, WrongStore, codes_of
from crm_assets.model import Purpose, Store, Window
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.warehouse import ledger
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.progress import Hole, Standing, Want, holes, is_fetched, refused_windows, standings
from crm_assets_tests.pipeline.desk import Desk, at
from crm_assets_tests.pipeline.desk import order as sold
from crm_assets_tests.warehouse.attempts import DAY, HOUR, MINUTE, begun, emptied, failed, landed, loaded, slices, want
from crm_assets_tests.warehouse.samples import NOW, TD, UC, load, nov, order, window

FUTURE = NOW + 30 * DAY
UNTOUCHED = Standing(met=False, failures=0, run_ids=[], last_failed_at=None, error_code=None)


@pytest.fixture
def conn(url: str) -> Iterator[Connection]:
    with emptied(url) as conn:
        yield conn


def is_met(conn: Connection, one: Want) -> bool:
    [standing] = standings(conn, [one], FUTURE)
    return standing.met


# Wants.


@pytest.mark.parametrize(
    ("days", "minutes", "met"),
    [
        (window(23, 24), 0, True),
        (window(1, 30), 5, True),
        (window(23, 24), -1, False),
        (window(24, 24), 5, False),
        (window(22, 23), 5, False),
    ],
    ids=[
        "just so",
        "a larger window",
        "asked for before",
        "a day too few at the beginning",
        "a day too few at the end",
    ],
)
def test_a_want_is_met_by_an_export_of_all_its_days_that_was_asked_for_since(
    conn: Connection, days: Window, minutes: int, met: bool
) -> None:
    loaded(conn, days, NOW + minutes * MINUTE)
    assert is_met(conn, want(window(23, 24))) is met


def test_only_what_is_loaded_meets_a_want_and_two_halves_do_not(conn: Connection) -> None:
    one = want(window(23, 24))
    begun(conn, window(23, 24), NOW)
    landed(conn, window(23, 24), NOW)
    loaded(conn, window(23), NOW)
    loaded(conn, window(24), NOW)
    loaded(conn, window(23, 24), NOW, store=UC)
    failed(conn, window(23, 24), NOW, PortalUnavailable("down"))
    assert not is_met(conn, one)
    ledger.record_unchanged(conn, landed(conn, window(23, 24), NOW), NOW)
    assert is_met(conn, one)


def test_an_export_of_the_future_meets_nothing(conn: Connection) -> None:
    """The machine's clock went wrong for a while."""
    loaded(conn, window(23, 24), FUTURE + MINUTE)
    assert not is_met(conn, want(window(23, 24)))


def test_a_proven_empty_export_meets_a_want(conn: Connection) -> None:
    loaded(conn, window(23, 24), NOW, rows=0)
    assert is_met(conn, want(window(23, 24)))


def test_failures_since_then_are_counted_and_the_last_is_told(conn: Connection) -> None:
    failed(conn, window(23, 24), NOW - MINUTE, HeaderDrift("before"), run_id="earlier")
    failed(conn, window(23, 24), NOW, PortalUnavailable("down"), run_id="first")
    failed(conn, window(20, 25), NOW + HOUR, OverdueOrders("a list"), run_id="second")
    failed(conn, window(24), NOW + 2 * HOUR, HeaderDrift("too few days"), run_id="third")
    begun(conn, window(23, 24), NOW + 3 * HOUR, run_id="under way")
    [standing] = standings(conn, [want(window(23, 24))], FUTURE)
    assert sorted(standing.run_ids) == ["first", "second"]
    assert (standing.met, standing.failures, standing.error_code) == (False, 2, "OverdueOrders")
    assert standing.last_failed_at == NOW + HOUR + MINUTE


def test_of_a_missing_day_only_the_attempts_to_fetch_it_as_such_count(conn: Connection) -> None:
    failed(conn, window(23, 24), NOW, PortalUnavailable("a long outage"))
    failed(conn, window(1, 24), NOW + HOUR, PortalUnavailable("a long outage"), purpose=Purpose.SETTLING)
    missing = want(window(23), purpose=Purpose.CATCH_UP)
    assert standings(conn, [missing], FUTURE) == [UNTOUCHED]
    failed(conn, window(20, 23), NOW + 2 * HOUR, HeaderDrift("a column less"), purpose=Purpose.CATCH_UP)
    [standing] = standings(conn, [missing], FUTURE)
    assert (standing.failures, standing.error_code) == (1, "HeaderDrift")


def test_a_missing_day_is_told_that_its_store_works_again(conn: Connection) -> None:
    missing = want(window(20), NOW - DAY, purpose=Purpose.CATCH_UP)
    loaded(conn, window(23, 24), NOW - HOUR)
    failed(conn, window(20), NOW, PortalUnavailable("down"), purpose=Purpose.CATCH_UP)
    assert [one.recovered for one in standings(conn, [missing], FUTURE)] == [False]
    loaded(conn, window(23, 24), NOW + HOUR)
    assert [one.recovered for one in standings(conn, [missing], FUTURE)] == [True]
    assert [one.recovered for one in standings(conn, [want(window(23, 24), NOW - DAY)], FUTURE)] == [False]


def test_a_failure_of_the_future_counts_but_has_no_time(conn: Connection) -> None:
    """The machine's clock was wrong then: nobody waits for it to come round."""
    failed(conn, window(23, 24), NOW + 9 * HOUR, PortalUnavailable("down"))
    [standing] = standings(conn, [want(window(23, 24))], NOW + HOUR)
    assert (standing.failures, standing.last_failed_at) == (1, None)


def test_many_wants_are_answered_in_their_order(conn: Connection) -> None:
    loaded(conn, window(23, 24), NOW, store=UC)
    failed(conn, window(10, 12), NOW, PortalUnavailable("down"))
    wants = [
        want(window(10, 12)),
        want(window(23, 24), store=UC),
        want(window(23, 24)),
        want(window(10, 12), NOW + HOUR),
    ]
    found = standings(conn, wants, FUTURE)
    assert [(one.met, one.failures) for one in found] == [(False, 1), (True, 0), (False, 0), (False, 0)]
    assert found[2] == UNTOUCHED
    assert standings(conn, [], FUTURE) == []


def test_a_key_names_the_cause() -> None:
    slot = datetime.fromisoformat("2025-11-24T10:30+05:30")
    named = "td/a668/order_report/2025-11-23..2025-11-24"
    assert want(window(23, 24), slot).key == f"{named}/refresh/2025-11-24T10:30"
    missing = [want(window(23, 24), slot + days * DAY, purpose=Purpose.CATCH_UP).key for days in (0, 1)]
    assert missing == [f"{named}/catch_up"] * 2


def test_a_window_is_fetched_when_it_is_loaded_or_landed_meanwhile(conn: Connection) -> None:
    def fetched_by_now(meanwhile: datetime = NOW + HOUR) -> bool:
        return is_fetched(conn, TD, ORDER_REPORT, window(23, 24), since=NOW, meanwhile=meanwhile)

    loaded(conn, window(23, 24), NOW - MINUTE)
    loaded(conn, window(24), NOW)
    loaded(conn, window(23, 24), NOW, store=UC)
    failed(conn, window(23, 24), NOW, PortalUnavailable("down"))
    begun(conn, window(23, 24), NOW + HOUR)
    assert not fetched_by_now()
    landed(conn, window(22, 24), NOW + HOUR)
    assert fetched_by_now(), "somebody is loading it"
    assert not fetched_by_now(NOW + HOUR + 2 * MINUTE), "it lay there when this run began, and nobody loads it"
    loaded(conn, window(23, 24), NOW)
    assert fetched_by_now(NOW + DAY)


# Missing days.


def stores(*first_days: int) -> list[Store]:
    return [
        Store(crm="td", code=f"s{place}", name=f"Store {place}", first_day=nov(first))
        for place, first in enumerate(first_days)
    ]


DAYS = st.sets(st.integers(1, 30))
SHOPS = st.lists(st.tuples(st.integers(1, 30), DAYS, DAYS), min_size=1, max_size=4)


@settings(max_examples=20, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shops=SHOPS, until=st.integers(1, 30), most=st.integers(1, 4))
def test_holes_are_the_days_that_should_be_there_without_those_that_are_final(
    conn: Connection, shops: list[tuple[int, set[int], set[int]]], until: int, most: int
) -> None:
    conn.execute("TRUNCATE download_ledger CASCADE")  # each example
    known = stores(*(first for first, _, _ in shops))
    namesake = Store(crm="uc", code="s0", name="of the other CRM", first_day=nov(1))
    slices(conn, namesake, [nov(day) for day in range(1, 31)])
    for store, (_, final, staged) in zip(known, shops, strict=True):
        slices(conn, store, [nov(day) for day in final], [nov(day) for day in staged - final])
    found = holes(conn, ORDER_REPORT, known, nov(until), at(1000))
    missing = {
        (store.code, nov(day))
        for store, (first, final, _) in zip(known, shops, strict=True)
        for day in set(range(first, until + 1)) - final
    }
    days = [(one.store, day) for one in found for day in Window(first=one.first, last=one.last).days()]
    assert len(days) == len(set(days))
    assert set(days) == missing
    assert all((one.store, one.first - DAY) not in missing for one in found), "two holes side by side are one"
    assert found == sorted(found, key=lambda one: (one.first, one.store))
    assert holes(conn, ORDER_REPORT, known, nov(until), at(1000), most) == found[:most]


def test_a_store_that_was_never_fetched_is_one_hole_and_one_that_is_not_open_yet_none(conn: Connection) -> None:
    never, later = stores(5, 21)
    assert holes(conn, ORDER_REPORT, [never, later], nov(20), at(1000)) == [
        Hole(store="s0", first=nov(5), last=nov(20))
    ]
    assert holes(conn, ORDER_REPORT, [], nov(20), at(1000)) == []


def test_the_windows_whose_newest_attempt_was_refused(conn: Connection) -> None:
    def refused(since: datetime = NOW) -> set[tuple[str, Window]]:
        return refused_windows(conn, ORDER_REPORT, codes_of(BadReport), since)

    told: dict[str, Any] = {"purpose": Purpose.CATCH_UP}
    failed(conn, window(1, 8), NOW, HeaderDrift("a column less"), **told)
    failed(conn, window(9, 10), NOW, PortalUnavailable("down"), **told)
    failed(conn, window(11, 12), NOW, WrongStore("another"), purpose=Purpose.BY_HAND)
    failed(conn, window(13, 14), NOW, WrongStore("another"), **told)
    loaded(conn, window(13, 14), NOW + HOUR, **told)
    failed(conn, window(1, 8), NOW, HeaderDrift("a column less"), store=UC, **told)
    assert refused() == {("a668", window(1, 8))}
    begun(conn, window(1, 8), NOW + HOUR, **told)
    assert refused() == {("a668", window(1, 8))}, "one under way says nothing yet"
    assert refused(NOW + MINUTE) == set()
    failed(conn, window(1, 8), NOW + HOUR, PortalUnavailable("down"), **told)
    assert refused() == set()


# Final days. The desk's first export is asked for on the 24th at half past eleven.

MIDNIGHT = 12.5


@pytest.fixture
def desk(conn: Connection, url: str, tmp_path: Path) -> Desk:
    return Desk(url=url, folder=tmp_path)


def final(desk: Desk) -> set[int]:
    """The days of November that need not be asked for again."""
    return {day.day for (day,) in desk.rows("SELECT business_day FROM staging_slice WHERE final_at IS NOT NULL")}


def test_a_day_is_final_once_an_export_that_was_asked_for_after_it_is_loaded(desk: Desk) -> None:
    days = window(23, 24)
    desk.take([sold("T1", 23)], days, 0)
    assert final(desk) == {23}
    desk.take([sold("T1", 23), sold("T2", 24)], days, MIDNIGHT - 1 / 3600)
    assert final(desk) == {23}, "a second before midnight in Kolkata the day still lasts"
    desk.take([sold("T1", 23), sold("T2", 24), sold("T3", 24)], days, MIDNIGHT)
    assert final(desk) == {23, 24}


def test_an_export_with_the_same_content_makes_a_day_final_too(desk: Desk) -> None:
    days, rows = window(23, 24), [sold("T1", 23), sold("T2", 24)]
    desk.take(rows, days, 0)
    staged, _ = desk.take(rows, days, MIDNIGHT)
    assert staged.unchanged
    assert final(desk) == {23, 24}
    [[at_first]] = desk.rows("SELECT min(final_at) FROM staging_slice")
    desk.take(rows, days, MIDNIGHT + 1)
    assert desk.rows("SELECT min(final_at) FROM staging_slice") == [(at_first,)], "it was final before"


def test_a_day_whose_rows_are_not_facts_yet_is_not_final_until_they_are(desk: Desk) -> None:
    days = window(22, 23)
    desk.take([sold("T1", 22), sold("T2", 23)], days, 0)
    desk.stage(desk.landed([sold("T1", 23), sold("T3", 23)], window(23), at(1)))
    assert final(desk) == {22}
    desk.load_staged([*days.days()])
    assert final(desk) == {22, 23}


def test_a_late_change_counts_at_its_age_in_kolkata(conn: Connection) -> None:
    """In Kolkata it is the next day from half past six in the evening of UTC on."""
    load(conn, order("T1", 12), order("T2", 12), order("T3", 23), days=window(12, 23))
    evening = NOW.replace(hour=18, minute=29)
    load(conn, order("T1", 12, order_status="Ready"), order("T2", 12), order("T3", 23, order_status="Ready"),
         days=window(12, 23), now=evening)  # fmt: skip
    load(conn, order("T1", 12, order_status="Delivered"), order("T2", 12), order("T3", 23, order_status="Ready"),
         days=window(12, 23), now=evening + MINUTE)  # fmt: skip
    found = conn.execute("SELECT crm, store, age_days, changes FROM v_late_changes ORDER BY age_days").fetchall()
    assert found == [("td", "a668", 1, 1), ("td", "a668", 12, 1), ("td", "a668", 13, 1)]
