"""The run queue's store tag, and the runs that never reach the queue."""

import uuid
from collections.abc import Mapping
from typing import Any, cast

import dagster as dg
import pytest
from dagster import SubmitRunContext
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from crm_assets.pipeline.coordinator import SEVERAL, StoreTagCoordinator, store_of
from crm_assets.pipeline.partitions import key_of, range_tags
from crm_assets_tests.fixtures.dagster import Pipeline, chain, failure_text, keys, last_days
from crm_assets_tests.fixtures.sandbox import REPORTS

SINGLE = {
    "dagster/partition": "2026-01-02|a668",
    "dagster/partition/store": "a668",
    "dagster/partition/date": "2026-01-02",
}
RANGE = {
    "dagster/asset_partition_range_start": "2026-01-02|a668",
    "dagster/asset_partition_range_end": "2026-01-05|a668",
}
SEVERAL_STORES = RANGE | {"dagster/asset_partition_range_end": "2026-01-05|a817"}

ORIGIN = RemoteJobOrigin(
    RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("crm_assets"), "__repository__"), "__ASSET_JOB"
)


@pytest.mark.parametrize(
    ("tags", "store"),
    [(SINGLE, "a668"), (RANGE, "a668"), (SEVERAL_STORES, SEVERAL), ({}, None)],
    ids=["a single partition", "a range", "several stores", "no partition"],
)
def test_partition_tags_name_the_store(tags: Mapping[str, str], store: str | None) -> None:
    assert store_of(tags) == store


def queued(pipeline: Pipeline, tags: Mapping[str, str]) -> dg.DagsterRun:
    """A new run with these tags, handed to the instance's own coordinator."""
    run = pipeline.instance.run_storage.add_run(
        dg.DagsterRun(job_name="__ASSET_JOB", run_id=str(uuid.uuid4()), tags=dict(tags), remote_job_origin=ORIGIN)
    )
    coordinator = pipeline.instance.run_coordinator
    assert isinstance(coordinator, StoreTagCoordinator), "dagster.yaml names it"
    return coordinator.submit_run(SubmitRunContext(run, workspace=cast("Any", None)))


@pytest.mark.parametrize(
    ("tags", "store"),
    [(SINGLE, "a668"), (RANGE, "a668"), (SEVERAL_STORES, "*"), (RANGE | {"store": "mine"}, "mine"), ({}, None)],
    ids=["a single partition", "a range", "several stores", "a tag of its own", "no partition"],
)
def test_a_queued_run_carries_its_store(module_pipeline: Pipeline, tags: Mapping[str, str], store: str | None) -> None:
    run = queued(module_pipeline, tags)
    assert run.status is dg.DagsterRunStatus.QUEUED
    assert run.tags.get("store") == store


BACKFILL = {"dagster/backfill": "abcdefgh"}


@pytest.mark.parametrize(
    ("tags", "priority"),
    [
        (RANGE, None),
        (RANGE | BACKFILL, "-10"),
        (RANGE | BACKFILL | {"dagster/priority": "7"}, "7"),
        (RANGE | {"crm/purpose": "catch_up"}, "-5"),
        (RANGE | {"crm/purpose": "refresh"} | BACKFILL, "10"),
    ],
    ids=["by hand", "a backfill", "a priority of its own", "a missing day", "a slot's, in spite of all"],
)
def test_a_queued_run_is_as_urgent_as_its_purpose(
    module_pipeline: Pipeline, tags: Mapping[str, str], priority: str | None
) -> None:
    """A run by hand comes after those of a slot and before backfills: Dagster takes it for 0."""
    run = queued(module_pipeline, tags)
    assert run.tags.get("dagster/priority") == priority
    known = module_pipeline.instance.get_run_by_id(run.run_id)
    assert known
    assert known.tags.get("dagster/priority") == priority


def test_the_queue_runs_one_of_a_store_at_a_time(module_pipeline: Pipeline) -> None:
    limits = module_pipeline.instance.get_concurrency_config().run_queue_config
    assert limits
    assert {"key": "store", "limit": 1, "value": {"applyLimitPerUniqueValue": True}} in limits.tag_concurrency_limits


@pytest.mark.parametrize("single", [{"dagster/partition": "2026-01-02|a668"}, {"dagster/partition/store": "a668"}])
def test_a_range_mixed_with_a_single_partition_never_reaches_the_queue(
    module_pipeline: Pipeline, single: Mapping[str, str]
) -> None:
    with pytest.raises(dg.Failure, match=r"28861.*from the asset's page"):
        queued(module_pipeline, {**RANGE, **single})
    (run,) = module_pipeline.instance.get_runs(limit=1)
    assert run.status is dg.DagsterRunStatus.NOT_STARTED


@pytest.mark.parametrize("asset", chain(REPORTS["td"]))
def test_no_asset_works_on_a_range_mixed_with_a_single_partition(module_pipeline: Pipeline, asset: str) -> None:
    """A run that did not come through the queue is refused by the asset itself."""
    window = last_days(2)
    module_pipeline.land("td/a668", window)
    if asset == "fact_td_orders":
        assert module_pipeline.fetch("td/a668", window, "stg_td_order_report").success
    before = module_pipeline.materialized(asset)
    mixed = range_tags("a668", window.first, window.last) | {
        "dagster/partition/store": "a668",
        "dagster/partition/date": str(window.first),
    }
    result = module_pipeline.materialize(asset, tags=mixed)
    assert not result.success
    assert "28861" in failure_text(result)
    assert module_pipeline.materialized(asset) == before
    assert module_pipeline.sandbox.log.exports == {}


def test_the_same_range_alone_is_taken(module_pipeline: Pipeline) -> None:
    window = last_days(2)
    module_pipeline.land("td/a668", window)
    assert module_pipeline.fetch("td/a668", window, "stg_td_order_report").success
    assert keys("a668", window) <= module_pipeline.materialized("stg_td_order_report")
    assert str(key_of("a668", window.first)) == f"{window.first}|a668"
