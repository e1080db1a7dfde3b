"""The sensors: what a tick asks for, what it says of the others, and what comes of a request. One browser, at the sandbox."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import dagster as dg
import pytest

from crm_assets.errors import HeaderDrift
from crm_assets.model import AccountState, Purpose, Store, system_clock
from crm_assets.pipeline.attempts import PRIORITIES, tags_of
from crm_assets.pipeline.compose import compose
from crm_assets.pipeline.reports import sources_of
from crm_assets.pipeline.sensors import TICK_SECONDS, report_sensors
from crm_assets.pipeline.wants import refresh_wants
from crm_assets.warehouse import sessions
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.progress import Want
from crm_assets_tests.fixtures.dagster import Pipeline, chain, failure_text, keys
from crm_assets_tests.fixtures.sandbox import REPORTS
from crm_assets_tests.pipeline.test_coordinator import ORIGIN
from crm_assets_tests.warehouse.attempts import failed, loaded

PURPOSES = (Purpose.REFRESH, Purpose.SETTLING, Purpose.CATCH_UP)
RAW, STAGING, FACTS = chain(REPORTS["td"])


@pytest.fixture
def pipeline(module_pipeline: Pipeline) -> Iterator[Pipeline]:
    """One installation for all of them: only ledger, accounts and runs are forgotten in between."""
    with connect(module_pipeline.url) as conn:
        conn.execute("TRUNCATE download_ledger, store_session, dagster.runs, dagster.run_tags CASCADE")
    return module_pipeline


@pytest.fixture
def conn(pipeline: Pipeline) -> Iterator[Connection]:
    with connect(pipeline.url) as connection:
        yield connection


def tick(pipeline: Pipeline, purpose: Purpose, crm: str = "td") -> dg.SensorResult:
    """What the sensor of a CRM says now."""
    sensors = report_sensors(sources_of(pipeline.settings, crm))
    sensor = sensors[PURPOSES.index(purpose)]
    result = sensor(dg.build_sensor_context(instance=pipeline.instance, definitions=compose(pipeline.settings)))
    assert isinstance(result, dg.SensorResult)
    return result


def requests(pipeline: Pipeline, purpose: Purpose) -> dict[str, dg.RunRequest]:
    """The requests of a tick, by store."""
    return {one.tags["store"]: one for one in tick(pipeline, purpose).run_requests or ()}


def skip_reason(pipeline: Pipeline, purpose: Purpose) -> str:
    result = tick(pipeline, purpose)
    assert not result.run_requests
    assert result.skip_reason
    return str(result.skip_reason.skip_message)


def of_both(pipeline: Pipeline) -> list[Store]:
    return [pipeline.installation.store(name) for name in ("td/a668", "td/a817")]


def test_each_crm_has_three_sensors_that_run_by_themselves(pipeline: Pipeline) -> None:
    """As the daemon gets them: Dagster accepts what a tick of each asks for."""
    definitions = compose(pipeline.settings)
    repository = definitions.get_repository_def()
    for crm, report in REPORTS.items():
        for purpose in PURPOSES:
            sensor = repository.get_sensor_def(f"{crm}_{purpose}")
            assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
            assert sensor.minimum_interval_seconds == TICK_SECONDS[purpose] <= 60
            assert "store" in (sensor.description or "")
            context = dg.build_sensor_context(instance=pipeline.instance, definitions=definitions)
            told = sensor.evaluate_tick(context)
            assert {request.tags["crm"] for request in told.run_requests or ()} == {crm}
            asked = {
                tuple(key.to_user_string() for key in one.asset_selection or ()) for one in told.run_requests or ()
            }
            assert asked == {chain(report)}


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_request_says_all_that_the_run_needs(pipeline: Pipeline, purpose: Purpose) -> None:
    found = requests(pipeline, purpose)
    assert list(found) == ["a668", "a817"]
    for code, one in found.items():
        first, last = (one.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
        assert first.endswith(f"|{code}")
        assert last.endswith(f"|{code}")
        assert first <= last
        assert one.tags["crm/purpose"] == purpose.value
        assert one.tags["dagster/priority"] == PRIORITIES[purpose]
        assert one.tags["crm/want"] in (one.run_key or "")
        assert [key.to_user_string() for key in one.asset_selection or ()] == [RAW, STAGING, FACTS]
        assert datetime.fromisoformat(one.tags["crm/since"]) <= system_clock()
    assert len({one.run_key for one in found.values()}) == len(found)


def test_the_most_urgent_are_those_of_a_slot() -> None:
    assert sorted(PRIORITIES, key=lambda purpose: -int(PRIORITIES[purpose])) == [*PURPOSES, Purpose.BACKFILL]


def test_a_tick_that_starts_nothing_says_why_of_each_store(pipeline: Pipeline, conn: Connection) -> None:
    waiting, refused = of_both(pipeline)
    since = system_clock() - timedelta(days=1)
    sessions.record_state(conn, waiting, AccountState.NEEDS_PERSON, since, reason="td/a668: an OTP is asked for")
    (want,) = [one for one in wants(pipeline) if one.store == refused]
    failed(conn, want.window, want.since, HeaderDrift("a column less"), store=refused)
    told = skip_reason(pipeline, Purpose.REFRESH).splitlines()
    assert len(told) == 2
    assert sorted(line.split()[0] for line in told) == ["td/a668", "td/a817"]
    assert "waits for a person since" in "\n".join(told)
    assert "an OTP is asked for" in "\n".join(told)
    assert "HeaderDrift: not tried again before the next slot" in "\n".join(told)


def test_a_second_tick_asks_for_nothing_while_the_runs_of_the_first_go_on(pipeline: Pipeline) -> None:
    for status, one in zip(("QUEUED", "STARTED"), requests(pipeline, Purpose.REFRESH).values(), strict=True):
        pipeline.instance.add_run(
            dg.DagsterRun(
                job_name="__ASSET_JOB",
                tags=dict(one.tags),
                status=dg.DagsterRunStatus[status],
                remote_job_origin=ORIGIN,
            )
        )
    told = skip_reason(pipeline, Purpose.REFRESH).splitlines()
    assert [line.rsplit(": ", 1)[1] for line in told] == ["a run is under way"] * 2


def test_a_requested_run_fetches_its_window_and_says_what_for(pipeline: Pipeline) -> None:
    request = requests(pipeline, Purpose.REFRESH)["a817"]
    result = pipeline.materialize(RAW, STAGING, FACTS, tags=request.tags)
    assert result.success, failure_text(result)
    (row,) = pipeline.ledger()
    assert (row["store"], row["purpose"], row["run_id"]) == ("a817", "refresh", result.run_id)
    assert row["status"] in ("ingested", "empty")
    (want,) = [one for one in wants(pipeline) if one.store.code == "a817"]
    assert (row["from_date"], row["to_date"]) == (want.window.first, want.window.last)
    assert pipeline.materialized(FACTS) >= keys("a817", want.window)
    assert list(requests(pipeline, Purpose.REFRESH)) == ["a668"]


def test_a_run_whose_window_another_one_loaded_meanwhile_asks_the_portal_for_nothing(
    pipeline: Pipeline, conn: Connection
) -> None:
    """It waited in the queue, or for the account, while a person fetched the same days."""
    request = requests(pipeline, Purpose.REFRESH)["a668"]
    (want,) = [one for one in wants(pipeline) if one.store.code == "a668"]
    loaded(conn, want.window, system_clock(), store=want.store)
    before, exports = pipeline.ledger(), dict(pipeline.sandbox.log.exports)
    result = pipeline.materialize(RAW, STAGING, FACTS, tags=request.tags)
    assert result.success, failure_text(result)
    assert pipeline.ledger() == before
    assert dict(pipeline.sandbox.log.exports) == exports
    assert pipeline.materialized(FACTS).isdisjoint(keys("a668", want.window)), "what is not there is not marked"


def test_a_missing_day_is_fetched_unless_somebody_does_so_from_now_on(pipeline: Pipeline) -> None:
    before = system_clock()
    found = requests(pipeline, Purpose.CATCH_UP).values()
    assert all(before <= datetime.fromisoformat(one.tags["crm/since"]) <= system_clock() for one in found)
    (want, _) = wants(pipeline)
    assert tags_of(want, system_clock())["crm/since"] == want.since.isoformat(), "a slot's run: since the slot"


def wants(pipeline: Pipeline) -> list[Want]:
    """What the slots ask of TumbleDry's stores."""
    (source,) = sources_of(pipeline.settings, "td")
    return refresh_wants(pipeline.settings, source, system_clock())
