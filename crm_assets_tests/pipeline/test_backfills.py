"""A backfill that Dagster cuts into a run for each day: each store is asked once all the same; every run loads its own days."""

import warnings
from dataclasses import dataclass

import dagster as dg
import pytest
from dagster._core.execution.backfill import PartitionBackfill

from crm_assets.model import Window, system_clock
from crm_assets.pipeline.backfills import wanted_beside
from crm_assets.pipeline.compose import compose
from crm_assets.pipeline.partitions import RANGE_END, RANGE_START
from crm_assets_tests.fixtures.dagster import Pipeline, books, busy_days, chain, failure_text, keys
from crm_assets_tests.fixtures.sandbox import REPORTS

STORES = ("a668", "a817")
TD = chain(REPORTS["td"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A backfill over two days and both stores, as its two runs went; the files that lay there after each."""

    pipeline: Pipeline
    window: Window
    results: list[dg.ExecuteInProcessResult]
    files: list[list[str]]


def launched(pipeline: Pipeline, window: Window) -> str:
    """A backfill as the UI's asset page writes it down; returns its id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Dagster calls its own deprecated names
        backfill = PartitionBackfill.from_asset_partitions(
            backfill_id="cut",
            asset_graph=compose(pipeline.settings).resolve_asset_graph(),
            partition_names=[f"{day}|{store}" for day in window.days() for store in STORES],
            asset_selection=[dg.AssetKey(name) for name in TD],
            backfill_timestamp=system_clock().timestamp(),
            tags={},
            dynamic_partitions_store=pipeline.instance,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
    pipeline.instance.add_backfill(backfill)
    return backfill.backfill_id


@pytest.fixture(scope="module")
def cut(module_pipeline: Pipeline) -> Cut:
    window = busy_days(module_pipeline.sandbox, *(f"td/{store}" for store in STORES), count=2)
    backfill, results, files = launched(module_pipeline, window), [], []
    for day in window.days():
        tags = {"dagster/backfill": backfill, RANGE_START: f"{day}|{STORES[0]}", RANGE_END: f"{day}|{STORES[-1]}"}
        results.append(module_pipeline.materialize(*TD, tags=tags))
        files.append(module_pipeline.files)
    return Cut(pipeline=module_pipeline, window=window, results=results, files=files)


def test_every_run_of_it_ends_well(cut: Cut) -> None:
    assert [result.success for result in cut.results] == [True, True], [failure_text(each) for each in cut.results]


def test_each_store_is_asked_once_for_all_its_days(cut: Cut) -> None:
    assert {str(store): count for store, count in cut.pipeline.sandbox.log.exports.items()} == {
        f"td/{store}": 1 for store in STORES
    }
    assert [(row["from_date"], row["to_date"], row["purpose"]) for row in cut.pipeline.ledger()] == [
        (cut.window.first, cut.window.last, "backfill")
    ] * 2


def test_each_run_marks_and_loads_its_own_days(cut: Cut) -> None:
    for asset in TD:
        assert cut.pipeline.materialized(asset) == set.union(*(keys(store, cut.window) for store in STORES))
    loaded = cut.pipeline.rows("SELECT store, order_number FROM fact_td_orders")
    assert {(row["store"], row["order_number"]) for row in loaded} == {
        (store, row["Order No."]) for store in STORES for row in books(cut.pipeline.sandbox, f"td/{store}", cut.window)
    }
    assert [row["days"] for row in cut.pipeline.rows("SELECT count(final_at) AS days FROM staging_slice")] == [4]


def test_a_file_stays_until_its_last_day_is_loaded(cut: Cut) -> None:
    assert [len(files) for files in cut.files] == [2, 0]
    assert all(row["deleted_at"] for row in cut.pipeline.ledger())


def test_a_run_of_one_store_has_its_own_days_alone(cut: Cut) -> None:
    tags = {"dagster/backfill": "cut"} | {
        end: f"{day}|a668" for end, day in ((RANGE_START, cut.window.first), (RANGE_END, cut.window.last))
    }
    run = dg.DagsterRun(job_name="any", tags=tags)
    assert wanted_beside(cut.pipeline.instance, run, dg.AssetKey(TD[0])) is None
    assert wanted_beside(cut.pipeline.instance, dg.DagsterRun(job_name="any"), dg.AssetKey(TD[0])) is None
