"""What a run writes down of accounts and attempts: states, skips, waits, evidence. Real browsers at the sandbox's portals."""

import os
from typing import Any

import dagster as dg

from crm_assets.model import Window
from crm_assets.pipeline.partitions import key_of
from crm_assets.warehouse.connection import connect
from crm_assets.warehouse.outcomes import RunOutcome, outcome_of_run
from crm_assets_tests.fixtures.dagster import Pipeline, busy_days, chain, failure_text, keys
from crm_assets_tests.fixtures.sandbox import REPORTS
from crm_assets_tests.warehouse.samples import held

RAW, STAGING, FACTS = chain(REPORTS["td"])
TD = "td/a668"


def outcome(pipeline: Pipeline, result: dg.ExecuteInProcessResult) -> RunOutcome:
    with connect(pipeline.url) as conn:
        return outcome_of_run(conn, result.run_id)


def fetch_both(pipeline: Pipeline, window: Window) -> dg.ExecuteInProcessResult:
    """One run over both stores of TumbleDry."""
    tags = {
        "dagster/asset_partition_range_start": str(key_of("a668", window.first)),
        "dagster/asset_partition_range_end": str(key_of("a817", window.last)),
    }
    return pipeline.materialize(RAW, STAGING, FACTS, tags=tags)


def ledger_of(pipeline: Pipeline, result: dg.ExecuteInProcessResult) -> dict[str, tuple[str, str | None]]:
    rows = pipeline.rows("SELECT * FROM download_ledger WHERE run_id = %s", result.run_id)
    return {row["store"]: (row["status"], row["error_code"]) for row in rows}


def state_of(pipeline: Pipeline, store: str) -> Any:
    (row,) = pipeline.rows("SELECT * FROM store_session WHERE store = %s", store)
    return row


def test_a_skipped_store_fails_no_run_and_marks_no_partition(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, TD)
    pipeline.sandbox.fault("overdue", store="a668")
    result = pipeline.fetch(TD, window)
    assert result.success
    assert ledger_of(pipeline, result) == {"a668": ("skipped", "OverdueOrders")}
    assert pipeline.materialized(RAW) | pipeline.materialized(STAGING) == set()
    told = outcome(pipeline, result)
    assert (told.ok, told.skipped, told.error_code) == (False, True, "OverdueOrders")
    assert "Someone at the store must clear them" in str(told.error_message)
    assert told.evidence is not None
    assert state_of(pipeline, "a668")["state"] == "ok"


def test_a_skipped_store_beside_a_good_one_is_told_and_the_good_one_is_kept(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, TD, "td/a817")
    pipeline.sandbox.fault("overdue", store="a668")
    result = fetch_both(pipeline, window)
    assert not result.success, "else nobody would see that staging and facts of the good one are still to come"
    assert "td/a668: TumbleDry shows the store's overdue orders" in failure_text(result)
    assert ledger_of(pipeline, result) == {"a668": ("skipped", "OverdueOrders"), "a817": ("downloaded", None)}
    assert pipeline.materialized(RAW) == keys("a817", window)
    assert pipeline.fetch("td/a817", window, STAGING, FACTS).success


def test_an_account_that_waits_for_a_person_is_left_alone_by_the_next_run(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, TD)
    pipeline.sandbox.fault("otp")
    first, second = pipeline.fetch(TD, window), pipeline.fetch(TD, window)
    assert ledger_of(pipeline, first) == {"a668": ("failed", "OtpRequired")}
    assert ledger_of(pipeline, second) == {"a668": ("skipped", "PersonAwaited")}
    assert not second.success, "a person has to see it"
    assert pipeline.sandbox.log.codes_sent[TD] == 1
    known = state_of(pipeline, "a668")
    assert (known["state"], known["error_code"]) == ("needs_person", "OtpRequired")
    assert known["reason"].endswith("Run: crm_download bootstrap --crm td --store a668")


def test_a_busy_account_costs_its_own_store_and_stands_in_the_ledger(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, TD, "td/a817")
    os.environ["CRM_ACCOUNT_WAIT_S"] = "1"
    with held(pipeline.url, pipeline.installation.store(TD), holder="crm_download bootstrap"):
        result = fetch_both(pipeline, window)
    assert not result.success
    assert "still held after 1 s, by crm_download bootstrap, process" in failure_text(result)
    assert ledger_of(pipeline, result) == {"a668": ("failed", "AccountBusy"), "a817": ("downloaded", None)}
    assert pipeline.sandbox.log.logins == {"td/a817": 1}


def test_a_failures_evidence_is_on_the_runs_page_with_its_picture(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, TD)
    pipeline.sandbox.fault("otp")
    result = pipeline.fetch(TD, window, RAW)
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failure.user_failure_data
    told = failure.user_failure_data.metadata
    (row,) = pipeline.ledger()
    assert told["evidence of td/a668"].value == row["evidence"]
    assert str(told["picture of td/a668"].value).startswith("![td/a668: OtpRequired](data:image/jpeg;base64,")
    assert told["seen today by td/a668"].value == 1
