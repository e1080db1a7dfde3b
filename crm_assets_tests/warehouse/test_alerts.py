"""The outbox: what is opened, counted and closed, and what of it is to be told when."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from crm_assets.errors import PortalUnavailable
from crm_assets.warehouse import alerts
from crm_assets.warehouse.alerts import Alert, Observed
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.troubles import Trouble, current_troubles
from crm_assets_tests.warehouse.troubled import at, emptied, failed, good

MINUTE = 1 / 60


@pytest.fixture
def conn(url: str) -> Iterator[Connection]:
    with emptied(url) as conn:
        yield conn


def trouble(
    code: str = "OtpRequired", store: str = "a668", *, crm: str = "td", times: int = 1, last: float = 0
) -> Trouble:
    """Something that failed so often, the first time at 0 and the last time at ``last``."""
    return Trouble(
        crm=crm,
        store=store,
        report="a_report",
        code=code,
        message=f"{crm}/{store}: failure {times}",
        since=at(0),
        times=times,
        last_at=at(last),
    )


def kept(conn: Connection) -> list[Alert]:
    return alerts.find(conn, every=True)


def groups(conn: Connection, hours: float) -> list[tuple[str, list[str], bool]]:
    """What is due: code, where, and whether it is over."""
    return [(group[0].code, [one.name for one in group], group[0].over) for group in alerts.due(conn, at(hours))]


def tell(conn: Connection, hours: float) -> list[tuple[str, list[str], bool]]:
    """Everything that is due is told; returns what it was."""
    told = groups(conn, hours)
    for group in alerts.due(conn, at(hours)):
        alerts.record_told(conn, group, at(hours))
    return told


# What is written down.


def test_a_trouble_is_one_row_from_its_first_sight_until_it_is_over(conn: Connection) -> None:
    assert alerts.observe(conn, [trouble()], at(0)) == Observed(opened=1, closed=0)
    assert alerts.observe(conn, [trouble(times=2, last=1)], at(1)) == Observed(opened=0, closed=0)
    [one] = alerts.find(conn)
    assert (one.name, one.code, one.message, one.times) == ("td/a668", "OtpRequired", "td/a668: failure 2", 2)
    assert (one.first_seen_at, one.last_seen_at, one.resolved_at) == (at(0), at(1), None)
    assert alerts.observe(conn, [], at(2)) == Observed(opened=0, closed=1)
    assert [one.resolved_at for one in kept(conn)] == [at(2)]
    assert alerts.find(conn) == []


def test_the_same_look_twice_counts_nothing(conn: Connection) -> None:
    alerts.observe(conn, [trouble(times=3)], at(0))
    before = kept(conn)
    assert alerts.observe(conn, [replace(trouble(times=3), message="another")], at(1)) == Observed(opened=0, closed=0)
    assert kept(conn) == before


def test_a_trouble_that_comes_back_is_a_new_one(conn: Connection) -> None:
    for troubles in ([trouble()], [], [trouble(last=3)]):
        alerts.observe(conn, troubles, at(1))
    assert [one.over for one in sorted(kept(conn), key=lambda one: one.alert_id)] == [True, False]


def test_stores_and_codes_are_kept_apart(conn: Connection) -> None:
    given = [
        trouble(),
        trouble("LoginRejected"),
        trouble(store="a817"),
        trouble(store="a668", crm="uc"),
        trouble(store=""),
    ]
    assert alerts.observe(conn, given, at(0)).opened == 5
    assert alerts.observe(conn, given[1:], at(1)) == Observed(opened=0, closed=1)
    assert {(one.name, one.code) for one in alerts.find(conn)} == {
        ("td/a668", "LoginRejected"),
        ("td/a817", "OtpRequired"),
        ("uc/a668", "OtpRequired"),
        ("td", "OtpRequired"),
    }


def test_many_looks_at_one_moment_open_one_row(url: str, conn: Connection) -> None:
    together = threading.Barrier(6)

    def look(number: int) -> Observed:
        with connect(url) as mine:
            together.wait()
            return alerts.observe(mine, [trouble(), trouble(store="a817")], at(number))

    with ThreadPoolExecutor(6) as pool:
        seen = list(pool.map(look, range(6)))
    assert sum(one.opened for one in seen) == 2
    assert [one.name for one in alerts.find(conn)] == ["td/a668", "td/a817"]


def test_what_was_read_in_a_look_is_still_so_when_it_is_written(url: str, conn: Connection) -> None:
    """A second process that read before the first one wrote would open a trouble that is over."""
    first = conn
    with connect(url) as second:
        failed(first, PortalUnavailable("td/a668: away"), 0)
        looking = threading.Event()

        def look() -> Observed:
            looking.set()
            with alerts.one_look_at_a_time(second):
                return alerts.observe(second, current_troubles(second, at(2)), at(2))

        with ThreadPoolExecutor(1) as pool:
            with alerts.one_look_at_a_time(first):
                later = pool.submit(look)
                looking.wait()
                good(first, 1)
                assert alerts.observe(first, current_troubles(first, at(2)), at(2)).opened == 0
            assert later.result() == Observed(opened=0, closed=0)


# What is told.


def test_the_beginning_and_the_end_are_told_once_and_nothing_between(conn: Connection) -> None:
    alerts.observe(conn, [trouble()], at(0))
    assert tell(conn, 0) == [("OtpRequired", ["td/a668"], False)]
    for hours in (1, 2):
        alerts.observe(conn, [trouble(times=hours + 1, last=hours)], at(hours))
        assert groups(conn, hours) == []
    alerts.observe(conn, [], at(3))
    assert tell(conn, 3) == [("OtpRequired", ["td/a668"], True)]
    [one] = kept(conn)
    assert (one.times, one.told_at, one.recovery_told_at) == (3, at(0), at(3))
    assert groups(conn, 100) == []


def test_what_is_over_before_anything_was_told_is_never_told(conn: Connection) -> None:
    alerts.observe(conn, [trouble()], at(0))
    alerts.observe(conn, [], at(1))
    assert groups(conn, 2) == []


def test_a_trouble_that_ends_while_its_beginning_is_told_has_an_end_to_tell(conn: Connection) -> None:
    alerts.observe(conn, [trouble()], at(0))
    [group] = alerts.due(conn, at(0))
    alerts.observe(conn, [], at(1))
    alerts.record_told(conn, group, at(1))
    assert tell(conn, 1) == [("OtpRequired", ["td/a668"], True)]


def test_one_reason_is_one_message_for_all_stores(conn: Connection) -> None:
    given = [trouble(), trouble(store="a817"), trouble(store="sector56", crm="uc"), trouble("WrongWindow")]
    alerts.observe(conn, given, at(0))
    expected = [("OtpRequired", ["td/a668", "td/a817", "uc/sector56"]), ("WrongWindow", ["td/a668"])]
    assert sorted(tell(conn, 0)) == [(*group, False) for group in expected]
    alerts.observe(conn, [], at(1))
    assert sorted(tell(conn, 1)) == [(*group, True) for group in expected]


def test_a_delivery_that_failed_is_tried_again_after_a_minute_then_after_twice_as_long_up_to_an_hour(
    conn: Connection,
) -> None:
    alerts.observe(conn, [trouble()], at(0))
    waits = []
    for _ in range(9):
        [group] = alerts.due(conn, at(500))
        alerts.record_undelivered(conn, group, ConnectionError("mailtos://user:password@host"), at(0))
        [one] = alerts.find(conn)
        assert one.next_try_at
        waits.append((one.next_try_at - at(0)) / timedelta(minutes=1))
        assert groups(conn, (waits[-1] - 0.5) * MINUTE) == []
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (one.tries, one.last_delivery_error, one.told_at) == (9, "ConnectionError", None)
    assert tell(conn, 1) == [("OtpRequired", ["td/a668"], False)]
    [one] = alerts.find(conn)
    assert (one.tries, one.next_try_at, one.last_delivery_error) == (0, None, None)


def test_a_recovery_is_tried_again_too(conn: Connection) -> None:
    alerts.observe(conn, [trouble()], at(0))
    tell(conn, 0)
    alerts.observe(conn, [], at(1))
    [group] = alerts.due(conn, at(1))
    alerts.record_undelivered(conn, group, ConnectionError(), at(1))
    assert groups(conn, 1) == []
    assert tell(conn, 1 + MINUTE) == [("OtpRequired", ["td/a668"], True)]


def test_a_new_trouble_brings_along_what_waits_for_the_next_try(conn: Connection) -> None:
    alerts.observe(conn, [trouble("PortalUnavailable")], at(0))
    [group] = alerts.due(conn, at(0))
    alerts.record_undelivered(conn, group, ConnectionError(), at(0))
    assert groups(conn, 0) == []
    alerts.observe(conn, [trouble("PortalUnavailable"), trouble("PortalUnavailable", "a817")], at(0))
    assert tell(conn, 0) == [("PortalUnavailable", ["td/a668", "td/a817"], False)]


# One cause for all stores of a CRM.


@pytest.mark.parametrize(
    ("code", "joins"),
    [
        ("PortalUnavailable", True),
        ("ExportTimedOut", True),
        ("PortalMoved", True),
        ("DiskFull", True),
        ("OtpRequired", False),
        ("WrongWindow", False),
        ("DataLate", False),
        ("Abandoned", False),
    ],
)
def test_a_store_that_comes_to_a_known_cause_is_no_news(conn: Connection, code: str, joins: bool) -> None:
    first, second, other = trouble(code), trouble(code, "a817"), trouble(code, "sector56", crm="uc")
    alerts.observe(conn, [first], at(0))
    tell(conn, 0)
    alerts.observe(conn, [first, second, other], at(1))
    assert tell(conn, 1) == [(code, [*([] if joins else ["td/a817"]), "uc/sector56"], False)]
    alerts.observe(conn, [], at(2))
    assert tell(conn, 2) == [(code, ["td/a668", "td/a817", "uc/sector56"], True)]


def ends_one_by_one(conn: Connection, code: str) -> Callable[[int], None]:
    """Three stores in one trouble, told; the returned function leaves so many of them in it."""
    stores = [trouble(code, store) for store in ("a1", "a2", "a3")]
    alerts.observe(conn, stores, at(0))
    tell(conn, 0)

    def left(count: int) -> None:
        alerts.observe(conn, stores[3 - count :], at(1))

    return left


def test_the_end_of_a_common_cause_is_told_once_all_stores_are_well(conn: Connection) -> None:
    left = ends_one_by_one(conn, "PortalUnavailable")
    for count in (2, 1):
        left(count)
        assert groups(conn, 1.5) == []
    left(0)
    assert tell(conn, 1.5) == [("PortalUnavailable", ["td/a1", "td/a2", "td/a3"], True)]


def test_a_store_that_stays_behind_holds_up_the_others_for_an_hour_at_most(conn: Connection) -> None:
    left = ends_one_by_one(conn, "PortalUnavailable")
    left(1)
    assert groups(conn, 1.9) == []
    assert tell(conn, 2) == [("PortalUnavailable", ["td/a1", "td/a2"], True)]
    left(0)
    assert tell(conn, 3) == [("PortalUnavailable", ["td/a3"], True)]


def test_the_end_of_what_a_store_has_to_itself_waits_for_nobody(conn: Connection) -> None:
    left = ends_one_by_one(conn, "OtpRequired")
    left(1)
    assert tell(conn, 1) == [("OtpRequired", ["td/a1", "td/a2"], True)]


def test_once_a_common_cause_is_over_it_is_news_again(conn: Connection) -> None:
    alerts.observe(conn, [trouble("PortalUnavailable")], at(0))
    tell(conn, 0)
    alerts.observe(conn, [], at(1))
    tell(conn, 1)
    alerts.observe(conn, [trouble("PortalUnavailable", "a817", last=2)], at(2))
    assert tell(conn, 2) == [("PortalUnavailable", ["td/a817"], False)]


def test_one_process_delivers_at_a_time(url: str) -> None:
    with connect(url) as first, connect(url) as second:
        with alerts.delivering(first) as mine, alerts.delivering(second) as too:
            assert (mine, too) == (True, False)
        with alerts.delivering(second) as mine:
            assert mine
