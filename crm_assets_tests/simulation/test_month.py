"""Four days of the pipeline by a clock that is moved, from one fiscal year into the next, with everything going wrong in turn.

The whole month, with production's rates, is ``script/bench month``.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import pytest

from crm_assets.model import IST, Purpose
from crm_assets.pipeline.instance import keep_connected
from crm_assets.sandbox import SandboxOptions
from crm_assets_tests.fixtures.dagster import Pipeline, new_pipeline
from crm_assets_tests.fixtures.sandbox import ALL_STORES
from crm_assets_tests.simulation.month import Month, new_month
from crm_assets_tests.simulation.verdict import StoreMonth, asked_twice, left_alone, store_months
from crm_assets_tests.simulation.weather import (
    ASKS_FOR_OTP,
    BANNER_DIFFERS,
    HTML,
    KILLED,
    NEVER_BEGINS,
    OTHER_WINDOW,
    OVERDUE,
    REFUSES_LOGIN,
    TIMES_OUT,
    TRUNCATED,
    UNREACHABLE,
    Mishap,
    Spell,
    Step,
    Weather,
    stretch,
)

FIRST = datetime(2027, 3, 30, 9, tzinfo=IST)
LAST = datetime(2027, 4, 3, 12, 30, tzinfo=IST)
OFF = stretch(date(2027, 3, 31), time(13), 6)
SETTLES_FOR = 3


def spell(
    day: int, at: str, mishap: Mishap, store: str | None = None, *, crm: str | None = None, hours: float = 0.02
) -> Spell:
    """A day of March 2027, of which the 32nd is in April; a minute of it, or so many hours."""
    during = stretch(date(2027, 3, 1) + timedelta(days=day - 1), time.fromisoformat(at), hours)
    return Spell(during=during, mishap=mishap, crm=crm, store=store)


SPELLS = (
    spell(30, "14:20", UNREACHABLE, hours=1),
    spell(30, "18:30", KILLED[Step.STAGED], "a668"),
    spell(30, "18:35", KILLED[Step.LANDED], "a817"),
    spell(30, "18:30", KILLED[Step.STARTED], "sector56"),
    spell(30, "18:35", NEVER_BEGINS, "sushantlok1"),
    spell(30, "21:30", HTML, "a668"),
    spell(31, "02:30", TIMES_OUT, "a668"),
    spell(31, "02:35", TRUNCATED, "a817"),
    spell(31, "10:35", ASKS_FOR_OTP, "a817"),
    spell(31, "21:30", OTHER_WINDOW, "sector56"),
    spell(31, "21:35", BANNER_DIFFERS, "sushantlok1"),
    spell(32, "08:00", UNREACHABLE, crm="uc", hours=5),
    spell(32, "21:30", REFUSES_LOGIN, "sector56"),
    spell(33, "14:00", OVERDUE, "a668", hours=10),
)


@pytest.fixture(scope="module")
def pipeline(postgres_url: str, dagster_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    options = SandboxOptions(first_day=date(2027, 3, 26))
    with new_pipeline(postgres_url, dagster_template, tmp_path_factory.mktemp("month"), options) as pipeline:
        titles = {
            f"title: {title}": f"title: {title}\n    settle_days: {SETTLES_FOR}" for title in ("TumbleDry", "UClean")
        }
        pipeline.installation.write_stores(**titles)
        keep_connected(pipeline.instance)
        yield pipeline


@pytest.fixture(scope="module")
def month(pipeline: Pipeline) -> Iterator[Month]:
    """The days when they are over."""
    weather = Weather(seed="four days", calm_from=FIRST, spells=SPELLS, machine_off=(OFF,))
    with new_month(pipeline, FIRST, LAST, weather, look_every=timedelta(hours=2)) as month:
        month.go()
        yield month


@pytest.fixture(scope="module")
def stores(month: Month) -> list[StoreMonth]:
    return store_months(month)


def test_every_mishap_befell_a_run(month: Month) -> None:
    assert {spell.mishap for spell in SPELLS} <= {mishap for _, mishap in month.daemon.worker.mishaps}


def test_no_day_is_missing(stores: list[StoreMonth]) -> None:
    assert {str(one.store): one.complete for one in stores} == dict.fromkeys(ALL_STORES, 8)
    assert {one.days for one in stores} == {8}


def test_every_day_holds_what_the_books_said_when_it_was_last_asked_for(stores: list[StoreMonth]) -> None:
    assert [(str(one.store), day.day, day.difference) for one in stores for day in one.loaded if day.difference] == []
    assert all(sum(day.rows for day in one.loaded) > 15 for one in stores)


def test_a_night_reads_the_last_days_again(stores: list[StoreMonth]) -> None:
    the_last_night = datetime(2027, 4, 3, 2, 30, tzinfo=IST)
    for one in stores:
        read = [day.day for day in one.loaded if day.asked_at >= the_last_night]
        assert read == [date(2027, 3, 31) + timedelta(days=ahead) for ahead in range(SETTLES_FOR)], one.store
        assert len(one.settled) == one.days - SETTLES_FOR


def test_slots_that_the_machine_slept_through_are_made_up_once(month: Month) -> None:
    made_up = Counter(
        str(run.work.store)
        for run in month.daemon.runs
        if run.purpose is Purpose.REFRESH and OFF.last <= run.queued_at < OFF.last + timedelta(hours=2)
    )
    assert made_up == dict.fromkeys(set(ALL_STORES) - {"td/a817"}, 1)  # which waits for a person since the morning


def test_no_slot_is_served_twice_and_none_never(stores: list[StoreMonth]) -> None:
    assert [one.timeliness.doubles for one in stores] == [0] * 4
    assert [one.timeliness.late.count(None) for one in stores] == [0] * 4


def test_what_heals_is_tried_again(month: Month) -> None:
    assert left_alone(month) == []


def test_a_refused_login_is_left_to_a_person(month: Month) -> None:
    assert [str(store) for store, _ in month.answered] == ["td/a817", "uc/sector56"]
    assert asked_twice(month) == 0


def test_killed_runs_leave_nothing_behind(month: Month, pipeline: Pipeline) -> None:
    assert pipeline.rows("SELECT FROM download_ledger WHERE status = 'running'") == []
    assert Counter(row["error_code"] for row in pipeline.ledger())["Abandoned"] >= 1
    assert pipeline.files == []


def test_health_calls_late_what_is_late_and_nothing_else(month: Month, stores: list[StoreMonth]) -> None:
    assert [one.timeliness.misjudged for one in stores] == [()] * 4
    assert any(look.late for look in month.looks) and not month.looks[-1].late
