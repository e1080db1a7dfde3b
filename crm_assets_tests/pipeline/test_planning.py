"""Which wants are asked for at a moment: a ledger, accounts and runs as a day leaves them, and what is asked then."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
import sqlalchemy

from crm_assets.errors import CrmError, HeaderDrift, LoginMissing, OverdueOrders, PortalMoved, PortalUnavailable
from crm_assets.model import AccountState, Purpose
from crm_assets.pipeline.attempts import tags_of
from crm_assets.pipeline.planning import QUEUED_AT_ONCE, Asked, Plan, due_now, plan, wants_of
from crm_assets.pipeline.wants import pause_after
from crm_assets.settings import Settings
from crm_assets.warehouse import sessions
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.progress import Want
from crm_assets_tests.fixtures.dagster import Pipeline
from crm_assets_tests.pipeline.test_coordinator import ORIGIN
from crm_assets_tests.pipeline.town import Town, ist
from crm_assets_tests.warehouse.attempts import DAY, HOUR, MINUTE, begun, failed, loaded, slices
from crm_assets_tests.warehouse.samples import nov, window

MORNING = ist("2025-11-24 10:30")
FAILURE, QUEUED, STARTED, SUCCESS = (dg.DagsterRunStatus[name] for name in ("FAILURE", "QUEUED", "STARTED", "SUCCESS"))


@dataclass(kw_only=True)
class Office:
    """Where it is planned: a town, its warehouse and the instance with its runs."""

    town: Town
    conn: Connection
    instance: dg.DagsterInstance
    settings: Settings

    def build(self, *stores: Any, **options: Any) -> None:
        self.settings = self.town.build(*stores, **options)

    def wants(self, now: datetime, purpose: Purpose = Purpose.REFRESH) -> list[Want]:
        return wants_of(self.conn, self.settings, self.town.source, purpose, now)

    def plan(self, now: datetime, purpose: Purpose = Purpose.REFRESH) -> Plan:
        return plan(self.conn, self.settings, self.instance, self.wants(now, purpose), now)

    def due_now(self, now: datetime) -> Plan:
        return due_now(self.conn, self.settings, self.instance, "td", now, refreshed_since=now - 20 * MINUTE)

    def run(self, one: Want, status: dg.DagsterRunStatus, ended: datetime | None = None) -> str:
        """A run for this want, as Dagster remembers it."""
        run_id = str(uuid.uuid4())
        self.instance.add_run(
            dg.DagsterRun(
                job_name="__ASSET_JOB",
                run_id=run_id,
                tags=tags_of(one, MORNING),
                status=status,
                remote_job_origin=ORIGIN,
            )
        )
        if ended:
            self.conn.execute("UPDATE dagster.runs SET end_time = %s WHERE run_id = %s", [ended.timestamp(), run_id])
        return run_id

    def fails(self, one: Want, at: datetime, error: CrmError) -> None:
        failed(self.conn, one.window, at, error, store=one.store, purpose=one.purpose)


@pytest.fixture
def office(module_pipeline: Pipeline, tmp_path: Path) -> Iterator[Office]:
    town = Town(url=module_pipeline.url, folder=tmp_path)
    with town.connected() as conn:
        conn.execute("TRUNCATE download_ledger, store_session, dagster.runs, dagster.run_tags CASCADE")
        yield Office(town=town, conn=conn, instance=module_pipeline.instance, settings=town.build())


def asked(found: Plan) -> list[str]:
    return [each.run_key for each in found.asked]


def reasons(found: Plan) -> list[str]:
    return [left.reason for left in found.left_out]


REFRESH = "td/a000/order_report/2025-11-23..2025-11-24/refresh/2025-11-24T10:30"


def test_a_slot_is_asked_for_until_it_is_served(office: Office) -> None:
    before, slot = office.plan(MORNING - MINUTE), office.plan(MORNING)
    assert asked(before) == ["td/a000/order_report/2025-11-22..2025-11-23/refresh/2025-11-23T21:30/1"]
    assert asked(slot) == [f"{REFRESH}/1"]
    loaded(office.conn, window(23, 24), MORNING + MINUTE, store=office.town.store())
    assert office.plan(MORNING + 2 * MINUTE) == Plan(asked=(), left_out=())
    assert office.plan(ist("2025-11-24 14:29")) == Plan(asked=(), left_out=())
    assert len(office.plan(ist("2025-11-24 14:30")).asked) == 1


def test_midnight_asks_for_nothing(office: Office) -> None:
    store = office.town.store()
    loaded(office.conn, window(23, 24), ist("2025-11-24 21:31"), store=store)
    loaded(office.conn, window(1, 23), ist("2025-11-24 02:31"), store=store)
    slices(office.conn, store, [nov(day) for day in range(1, 24)], [nov(24)])
    midnight = ist("2025-11-25 00:00")
    assert [office.plan(midnight, purpose).asked for purpose in list(Purpose)[:3]] == [(), (), ()]


def test_three_slots_that_nobody_served_are_made_up_once(office: Office) -> None:
    """The machine was off from noon to the next morning."""
    loaded(office.conn, window(23, 24), MORNING + MINUTE, store=office.town.store())
    morning = ist("2025-11-25 07:00")
    (one,) = office.plan(morning).asked
    assert (one.want.window, one.want.since) == (window(23, 24), ist("2025-11-24 21:30"))
    loaded(office.conn, one.want.window, morning, store=office.town.store())
    assert office.plan(morning + HOUR).asked == ()


def test_a_run_under_way_is_not_asked_for_again(office: Office) -> None:
    (one,) = office.wants(MORNING)
    for status in (QUEUED, STARTED):
        office.run(one, status)
        found = office.plan(MORNING + MINUTE)
        assert (asked(found), reasons(found)) == ([], ["a run is under way"])


def test_a_run_that_was_cut_off_with_the_machine_is_not_waited_for_for_ever(office: Office) -> None:
    """Where only cron is, nobody tells Dagster that the run of a command has ended."""
    (one,) = office.wants(MORNING)
    run_id = office.run(one, STARTED)
    office.conn.execute(
        "UPDATE dagster.runs SET start_time = %s WHERE run_id = %s", [(MORNING + MINUTE).timestamp(), run_id]
    )
    assert reasons(office.plan(MORNING + 2 * HOUR)) == ["a run is under way"]
    assert asked(office.plan(MORNING + 2 * HOUR + MINUTE)) == [f"{REFRESH}/2"]


def test_each_attempt_has_a_key_of_its_own_after_its_pause(office: Office) -> None:
    (one,), now = office.wants(MORNING), MORNING
    keys = list[str]()
    for failures in range(1, 5):
        keys += asked(office.plan(now))
        run_id = office.run(one, FAILURE, now + MINUTE)
        failed(office.conn, one.window, now, PortalUnavailable("down"), store=one.store, run_id=run_id)
        now += MINUTE + pause_after(one, failures)
        assert asked(office.plan(now - MINUTE / 60)) == []
    assert keys == [f"{REFRESH}/{attempt}" for attempt in (1, 2, 3, 4)]


def test_runs_that_ended_before_the_ledger_knew_of_them_count(office: Office) -> None:
    (one,) = office.wants(MORNING)
    for minutes in (1, 2):
        office.run(one, FAILURE, MORNING + minutes * MINUTE)
    again = MORNING + 2 * MINUTE + pause_after(one, 2)
    waiting = office.plan(again - MINUTE / 60)
    assert (asked(waiting), len(waiting.left_out)) == ([], 1)
    assert "the run ended before it began its work: tried again at" in reasons(waiting)[0]
    assert asked(office.plan(again)) == [f"{REFRESH}/3"]


@pytest.mark.parametrize("error", [HeaderDrift("x"), OverdueOrders("x"), PortalMoved("x"), LoginMissing("x")])
def test_what_cannot_heal_waits_for_the_next_slot_which_starts_anew(office: Office, error: CrmError) -> None:
    (one,) = office.wants(MORNING)
    office.fails(one, MORNING, error)
    noon = ist("2025-11-24 14:30")
    found = office.plan(noon - MINUTE)
    assert (asked(found), reasons(found)) == ([], [f"{error.code}: not tried again before the next slot"])
    assert asked(office.plan(noon)) == [f"{REFRESH.removesuffix('10:30')}14:30/1"]


def test_a_failure_before_the_slot_does_not_hold_it_up(office: Office) -> None:
    office.fails(office.wants(MORNING)[0], MORNING - MINUTE, PortalUnavailable("down"))
    assert asked(office.plan(MORNING)) == [f"{REFRESH}/1"]


def test_a_store_that_needs_a_person_is_left_out_with_the_sentence_until_one_has_acted(office: Office) -> None:
    office.build(2)
    sessions.record_state(
        office.conn, office.town.store("a001"), AccountState.NEEDS_PERSON, MORNING - DAY, reason="an OTP is asked for"
    )
    found = office.plan(MORNING)
    assert asked(found) == [f"{REFRESH}/1"]
    told = "td/a001: waits for a person since 2025-11-23 10:30, so the portal was not asked: an OTP is asked for"
    assert reasons(found) == [told]
    file = office.settings.profiles_dir / "td_a001.json"
    file.parent.mkdir(mode=0o700)
    file.write_text('{"brought": "by a person"}')
    assert [each.want.store.code for each in office.plan(MORNING).asked] == ["a000", "a001"]


def test_of_a_stores_missing_windows_one_is_asked_for_at_a_time(office: Office) -> None:
    office.build(2, max_window_days=5)
    slices(office.conn, office.town.store("a001"), [nov(day) for day in range(4, 24)])
    found = office.plan(MORNING, Purpose.CATCH_UP)
    windows = [(each.want.store.code, each.want.window) for each in found.asked]
    assert windows == [("a000", window(1, 5)), ("a001", window(1, 3))]
    office.run(found.asked[0].want, QUEUED)
    office.fails(found.asked[1].want, MORNING, PortalUnavailable("down"))
    later = office.plan(MORNING + MINUTE, Purpose.CATCH_UP)
    assert later.asked == (), "the second window of the first store waits for its first"
    assert len(later.left_out) == 2


def test_of_200_stores_forty_runs_wait_or_work_and_the_rest_comes_after_them(office: Office) -> None:
    office.build(200)
    found = office.plan(MORNING)
    assert [each.want.store.code for each in found.asked] == [f"a{place:03}" for place in range(QUEUED_AT_ONCE)]
    for each in found.asked[:10]:
        office.run(each.want, QUEUED)
    assert len(office.plan(MORNING).asked) == QUEUED_AT_ONCE - 10
    for each in found.asked[10:]:
        office.run(each.want, STARTED)
    assert office.plan(MORNING).asked == ()
    assert len(office.plan(MORNING, Purpose.SETTLING).asked) == QUEUED_AT_ONCE, "each purpose has its own places"


def test_stores_that_wait_for_their_next_try_do_not_hide_the_others(office: Office) -> None:
    """On the 10th the portal had a bad day for every store; one store lacks a later day, too."""
    office.build(120)
    stores = office.settings.stores("td")
    for store in stores:
        slices(
            office.conn,
            store,
            [nov(day) for day in range(1, 23) if day not in ((10, 20) if store == stores[-1] else (10,))],
        )
        failed(office.conn, window(10), MORNING, HeaderDrift("a column less"), store=store, purpose=Purpose.CATCH_UP)
    found = office.plan(MORNING + 2 * MINUTE, Purpose.CATCH_UP)
    assert [(each.want.store, each.want.window) for each in found.asked] == [(stores[-1], window(20))]
    assert len(found.left_out) == 120


def test_cron_asks_for_every_store_whatever_its_slot(office: Office) -> None:
    office.build(60, slots=[], settle_days=3)
    stores = office.settings.stores("td")
    for store in stores[:2]:
        slices(office.conn, store, [nov(day) for day in range(1, 25)])
    now = ist("2025-11-25 09:10")
    loaded(office.conn, window(24, 25), now - 21 * MINUTE, store=stores[0])
    loaded(office.conn, window(24, 25), now - 20 * MINUTE, store=stores[1])
    loaded(office.conn, window(22, 24), ist("2025-11-25 02:30"), store=stores[1])
    found = office.due_now(now)
    by_purpose = {
        purpose: {each.want.store.code for each in found.asked if each.want.purpose is purpose} for purpose in Purpose
    }
    every = {store.code for store in stores}
    assert by_purpose[Purpose.REFRESH] == every - {"a001"}
    assert by_purpose[Purpose.SETTLING] == every - {"a001"}
    assert by_purpose[Purpose.CATCH_UP] == every - {"a000", "a001"}
    assert len({each.run_key for each in found.asked}) == len(found.asked)


# What it costs.


@contextmanager
def statements(conn: Connection) -> Iterator[list[str]]:
    """Every statement that our connection, or one of Dagster's, sends to the server meanwhile."""
    sent = list[str]()

    class Counting(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            sent.append(str(query))
            return super().execute(query, *args, **kwargs)

    def before(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        sent.append(statement)

    usual, conn.cursor_factory = conn.cursor_factory, Counting
    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", before)
    try:
        yield sent
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", before)
        conn.cursor_factory = usual


@pytest.mark.parametrize("purpose", [Purpose.REFRESH, Purpose.SETTLING, Purpose.CATCH_UP])
def test_a_plan_costs_as_many_statements_for_150_stores_as_for_two(office: Office, purpose: Purpose) -> None:
    counted = dict[int, list[str]]()
    for count in (2, 150):
        office.build(count)
        begun(office.conn, window(1), MORNING, store=office.town.store())
        with statements(office.conn) as counted[count]:
            found = office.plan(MORNING, purpose)
        assert len(found.asked) == min(count, QUEUED_AT_ONCE)
    assert len(counted[150]) == len(counted[2])
    assert 0 < len(counted[2]) < 10


def test_a_request_is_unlike_any_other_and_names_its_cause(office: Office) -> None:
    office.build(3)
    found = [each for purpose in list(Purpose)[:3] for each in office.plan(MORNING, purpose).asked]
    assert len({each.run_key for each in found}) == 9
    for each in found:
        assert each == Asked(want=each.want, attempt=1)
        for part in (str(each.want.store), each.want.report.name, each.want.purpose, str(each.want.window.last)):
            assert part in each.run_key
