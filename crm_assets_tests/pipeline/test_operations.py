"""The freshness of every store as an asset with checks, and the look around that renews it, sends alerts and tidies up."""

import json
import os
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from crm_assets.errors import LoginRejected
from crm_assets.model import AccountState, Purpose, Store, Window, business_day, system_clock
from crm_assets.pipeline.operations import check_name, upkeep_sensor
from crm_assets.warehouse import ledger, sessions
from crm_assets.warehouse.connection import connect
from crm_assets_tests.fixtures.dagster import Pipeline
from crm_assets_tests.fixtures.sandbox import REPORTS

ASSET = dg.AssetKey("store_freshness")


@pytest.fixture(autouse=True)
def _a_temporary_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look around tidies the temporary folder, too."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def looked(pipeline: Pipeline, cursor: str | None = None) -> dg.SensorResult:
    """One tick of the sensor; its events are kept, as the daemon would."""
    context = dg.build_sensor_context(instance=pipeline.instance, cursor=cursor)
    result = upkeep_sensor()(context)
    assert isinstance(result, dg.SensorResult)
    for event in result.asset_events:
        assert not isinstance(event, dg.AssetObservation)
        pipeline.instance.report_runless_asset_event(event)
    return result


def stores(pipeline: Pipeline) -> Iterator[Store]:
    for crm in pipeline.settings.crms:
        yield from pipeline.settings.stores(crm)


def test_the_first_look_tells_how_every_store_is(pipeline: Pipeline) -> None:
    result = looked(pipeline)
    materialized, *checks, covered = result.asset_events
    assert (covered.asset_key, covered.metadata["holes"].value > 0) == (dg.AssetKey("coverage"), True)
    assert isinstance(materialized, dg.AssetMaterialization)
    table = materialized.metadata["stores"].value
    assert [(row.data["store"], row.data["state"]) for row in table.records] == [  # type: ignore[attr-defined]
        (str(store), "late") for store in stores(pipeline)
    ]
    assert {(check.check_name, check.passed) for check in checks} == {
        (check_name(store), False) for store in stores(pipeline)
    }
    assert "4 stores' reports looked at" in str(result.skip_reason)


def test_a_look_at_the_same_stores_tells_nothing_again(pipeline: Pipeline) -> None:
    again = looked(pipeline, looked(pipeline).cursor)
    assert again.asset_events == []


def test_the_check_of_a_store_whose_state_changed_is_told_alone(pipeline: Pipeline) -> None:
    cursor = looked(pipeline).cursor
    store = pipeline.settings.store("td", "a668")
    with connect(pipeline.url) as conn:
        sessions.record_state(
            conn, store, AccountState.NEEDS_PERSON, system_clock(), reason="wrong", error_code="LoginRejected"
        )
    _, check, _ = looked(pipeline, cursor).asset_events
    assert isinstance(check, dg.AssetCheckEvaluation)
    assert (check.check_name, check.metadata["order_report: state"].value) == ("td_a668_is_fresh", "needs a person")


def test_once_an_hour_it_tidies_up_and_renews_the_table(pipeline: Pipeline) -> None:
    cursor = json.loads(looked(pipeline).cursor or "")
    stray = Path(tempfile.gettempdir()) / "crm_assets_left"
    stray.mkdir()
    long_ago = (system_clock() - timedelta(days=3)).timestamp()
    os.utime(stray, (long_ago, long_ago))
    looked(pipeline, json.dumps(cursor))
    assert stray.exists()
    [renewed, _] = looked(pipeline, json.dumps(cursor | {"tidied": "an hour ago"})).asset_events
    assert isinstance(renewed, dg.AssetMaterialization)
    assert not stray.exists()


def test_what_a_dead_run_left_is_closed_and_what_failed_is_an_alert(pipeline: Pipeline) -> None:
    today = business_day(system_clock)
    common = {"window": Window(first=today, last=today), "keep_file": False, "now": system_clock()}
    td, uc = pipeline.settings.store("td", "a668"), pipeline.settings.store("uc", "sector56")
    with connect(pipeline.url) as conn:
        ledger.open_attempt(conn, run_id="dead", store=td, report=REPORTS["td"], **common)  # type: ignore[arg-type]
        failed = ledger.open_attempt(
            conn,
            run_id="refused",
            store=uc,
            report=REPORTS["uc"],
            purpose=Purpose.REFRESH,
            **common,  # type: ignore[arg-type]
        )
        error = LoginRejected(f"{uc}: refused. Run: {uc.bootstrap_command}")
        ledger.record_failure(conn, failed, status="failed", error=error, now=system_clock())
    looked(pipeline)
    assert [(row["status"], row["error_code"]) for row in pipeline.ledger()] == [
        ("failed", "Abandoned"),
        ("failed", "LoginRejected"),
    ]
    alerts = pipeline.rows("SELECT store, code, message FROM alert ORDER BY code, store")
    assert [(row["store"], row["code"]) for row in alerts if row["code"] != "DataLate"] == [
        ("sector56", "LoginRejected")
    ]
    assert {row["store"] for row in alerts if row["code"] == "DataLate"} == {"a817", "sushantlok1"}


def test_the_asset_can_be_materialized_by_hand(pipeline: Pipeline) -> None:
    result = pipeline.materialize("store_freshness")
    assert result.success
    found = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert found == {check_name(store): False for store in stores(pipeline)}
    assert pipeline.events("store_freshness")
