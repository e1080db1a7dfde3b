"""What the IO manager takes, refuses and says, on files that lie there: no portal is asked."""

import uuid
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from crm_assets.model import Window
from crm_assets.pipeline.compose import compose
from crm_assets.pipeline.partitions import key_of, range_tags
from crm_assets_tests.fixtures.dagster import Pipeline, books, busy_days, failure_text, keys, last_days

RAW, STAGING, FACTS = "td_order_report_xlsx", "stg_td_order_report", "fact_td_orders"


def orders(pipeline: Pipeline) -> list[dict[str, Any]]:
    return pipeline.rows("SELECT * FROM fact_td_orders ORDER BY order_number")


def test_staging_alone_reads_the_kept_file(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, "td/a668", count=2)
    file = pipeline.land("td/a668", window)
    result = pipeline.fetch("td/a668", window, STAGING)
    assert result.success, failure_text(result)
    assert len(pipeline.rows("SELECT FROM stg_td_order_report")) == len(books(pipeline.sandbox, "td/a668", window))
    assert pipeline.materialized(STAGING) == keys("a668", window)
    assert orders(pipeline) == []
    assert file.exists()
    (row,) = pipeline.ledger()
    assert (row["status"], row["row_count"]) == ("downloaded", len(books(pipeline.sandbox, "td/a668", window)))


def test_one_day_of_a_longer_file_is_staged_alone(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, "td/a668", count=2)
    pipeline.land("td/a668", window)
    day = next(window.days())
    result = pipeline.materialize(STAGING, partition=str(key_of("a668", day)))
    assert result.success, failure_text(result)
    assert {row["business_day"] for row in pipeline.rows("SELECT business_day FROM stg_td_order_report")} == {day}


def test_staging_without_any_file_names_the_asset_to_materialize(pipeline: Pipeline) -> None:
    window = last_days(2)
    result = pipeline.fetch("td/a668", window, STAGING)
    assert not result.success
    assert "no file has landed" in failure_text(result)
    assert f"{window.first} to {window.last} (2 days)" in failure_text(result)
    assert "Materialize td_order_report_xlsx for these partitions first" in failure_text(result)


def test_staging_after_its_file_was_deleted_says_so(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, "td/a668")
    file = pipeline.land("td/a668", window, keep_file=False)
    assert pipeline.fetch("td/a668", window, STAGING, FACTS).success
    assert not file.exists()
    staged = pipeline.rows("SELECT * FROM stg_td_order_report ORDER BY row_number")
    result = pipeline.fetch("td/a668", window, STAGING)
    assert not result.success
    assert "its file was deleted after it was loaded" in failure_text(result)
    assert "Materialize td_order_report_xlsx" in failure_text(result)
    assert pipeline.rows("SELECT * FROM stg_td_order_report ORDER BY row_number") == staged


def test_a_file_that_someone_removed_is_asked_for_again(pipeline: Pipeline) -> None:
    window = last_days(1)
    pipeline.land("td/a668", window).unlink()
    result = pipeline.fetch("td/a668", window, STAGING)
    assert not result.success
    assert "Materialize td_order_report_xlsx" in failure_text(result)


def test_facts_before_staging_name_the_asset_to_materialize(pipeline: Pipeline) -> None:
    pipeline.land("td/a668", last_days(1))
    result = pipeline.fetch("td/a668", last_days(1), FACTS)
    assert not result.success
    assert "expected staged rows for" in failure_text(result)
    assert "Materialize stg_td_order_report for these partitions first" in failure_text(result)


def test_facts_are_rebuilt_from_staging_without_the_file(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, "td/a668")
    pipeline.land("td/a668", window, keep_file=False)
    assert pipeline.fetch("td/a668", window, STAGING, FACTS).success
    before = [row["order_number"] for row in orders(pipeline)]
    pipeline.rows("DELETE FROM fact_td_orders RETURNING store")
    result = pipeline.fetch("td/a668", window, FACTS)
    assert result.success, failure_text(result)
    assert [row["order_number"] for row in orders(pipeline)] == before != []
    assert [row["inserted_rows"] for row in pipeline.audit()] == [len(before), len(before)]
    assert pipeline.sandbox.log.exports == {}


def test_a_day_without_orders_is_known_to_be_empty(pipeline: Pipeline) -> None:
    window = last_days(1)
    pipeline.land("td/a668", window, rows=[])
    result = pipeline.fetch("td/a668", window, STAGING, FACTS)
    assert result.success, failure_text(result)
    assert [row["status"] for row in pipeline.ledger()] == ["empty"]
    assert [(row["status"], row["parsed_rows"]) for row in pipeline.audit()] == [("empty", 0)]
    assert [row["orders"] for row in pipeline.rows("SELECT orders FROM v_daily_sales")] == [0]
    assert pipeline.materialized(FACTS) == keys("a668", window)


def test_a_bad_row_is_set_aside_and_the_others_are_loaded(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, "td/a668")
    good = books(pipeline.sandbox, "td/a668", window)
    bad = {**good[0], "Order No.": "T999999", "Order Date / Time": "32 Nov 2026 25:00"}
    pipeline.land("td/a668", window, rows=[*good, bad])
    result = pipeline.fetch("td/a668", window, STAGING, FACTS)
    assert result.success, failure_text(result)
    assert {row["order_number"] for row in orders(pipeline)} == {row["Order No."] for row in good}
    (rejected,) = pipeline.rows("SELECT * FROM rejected_rows")
    assert (rejected["status"], rejected["row_number"]) == ("open", len(good) + 2)
    assert rejected["raw"]["order_number"] == "T999999"
    (problem,) = rejected["problems"]
    assert (problem["column"], problem["value"]) == ("ordered_at", "32 Nov 2026 25:00")
    assert problem["rule"].startswith("a date as")
    (audit,) = pipeline.audit()
    assert audit["parsed_rows"] == len(good) + 1 == audit["inserted_rows"] + audit["rejected_rows"]
    assert (audit["rejected_rows"], audit["status"]) == (1, "ok")
    assert pipeline.events(FACTS)[0].metadata["run: rejected"].value == 1


def test_a_row_that_was_mended_in_the_portal_is_loaded_and_its_reject_closed(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, "td/a668")
    good = books(pipeline.sandbox, "td/a668", window)
    for rows in ([{**good[0], "Order Date / Time": "yesterday"}, *good[1:]], good):
        pipeline.land("td/a668", window, rows=rows)
        assert pipeline.fetch("td/a668", window, STAGING, FACTS).success
    assert [row["status"] for row in pipeline.rows("SELECT status FROM rejected_rows")] == ["replayed"]
    assert {row["order_number"] for row in orders(pipeline)} == {row["Order No."] for row in good}


def test_a_file_with_a_doubled_key_is_refused_as_a_whole(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, "td/a668")
    good = books(pipeline.sandbox, "td/a668", window)
    file = pipeline.land("td/a668", window, rows=[*good, good[0]], keep_file=False)
    result = pipeline.fetch("td/a668", window, STAGING, FACTS)
    assert not result.success
    assert "expected each order_number once, found 1 repeated" in failure_text(result)
    assert orders(pipeline) == []
    (ledger,), (audit,) = pipeline.ledger(), pipeline.audit()
    assert (ledger["status"], ledger["error_code"]) == ("failed", "DuplicateKeys")
    assert (audit["status"], audit["parsed_rows"], audit["inserted_rows"]) == ("failed", 0, 0)
    assert pipeline.materialized(FACTS) == set()
    assert not file.exists()
    assert [ledger["stored_name"]] == [str(kept) for kept in pipeline.installation.refused], "someone must look at it"


def _spoil(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\0")


def _cut(file: Path) -> None:
    file.write_bytes(b"PK\x03\x04 but nothing more")


@pytest.mark.parametrize("tamper", [_spoil, _cut])
def test_a_file_that_changed_after_it_landed_is_refused(pipeline: Pipeline, tamper: Any) -> None:
    window = busy_days(pipeline.sandbox, "td/a668")
    tamper(pipeline.land("td/a668", window))
    result = pipeline.fetch("td/a668", window, STAGING, FACTS)
    assert not result.success
    assert "is not the file that was downloaded: its MD5 differs" in failure_text(result)
    assert "Materialize td_order_report_xlsx again" in failure_text(result)
    assert pipeline.rows("SELECT FROM stg_td_order_report") == orders(pipeline) == []
    assert [row["status"] for row in pipeline.ledger()] == ["failed"]
    assert [row["status"] for row in pipeline.audit()] == ["failed"]


def test_rows_of_another_day_refuse_the_file(pipeline: Pipeline) -> None:
    two = busy_days(pipeline.sandbox, "td/a668", count=2)
    rows = books(pipeline.sandbox, "td/a668", two)
    day = busy_days(pipeline.sandbox, "td/a668", count=1)
    assert day.first == two.last
    pipeline.land("td/a668", day, rows=rows)
    result = pipeline.fetch("td/a668", day, STAGING)
    assert not result.success
    assert [row["error_code"] for row in pipeline.ledger()] == ["WrongWindow"]


def test_a_refused_file_does_not_hold_up_another_stores(pipeline: Pipeline) -> None:
    """One run over both stores: the good one's partitions are done, the run fails with the other's reason."""
    window = busy_days(pipeline.sandbox, "td/a668", "td/a817")
    pipeline.land("td/a668", window)
    _spoil(pipeline.land("td/a817", window))
    tags = {
        "dagster/asset_partition_range_start": str(key_of("a668", window.first)),
        "dagster/asset_partition_range_end": str(key_of("a817", window.last)),
    }
    result = pipeline.materialize(STAGING, tags=tags)
    assert not result.success
    assert "td/a817" in failure_text(result)
    assert "td/a668" not in failure_text(result)
    assert pipeline.materialized(STAGING) == keys("a668", window)
    (event,) = pipeline.events(STAGING)
    assert event.metadata["dagster/partition_row_count"].value == len(books(pipeline.sandbox, "td/a668", window))
    assert {row["store"] for row in pipeline.rows("SELECT store FROM stg_td_order_report")} == {"a668"}
    assert [row["status"] for row in pipeline.ledger()] == ["downloaded", "failed"]


def test_a_newer_file_of_the_same_day_replaces_the_staged_slice(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, "td/a668")
    rows = books(pipeline.sandbox, "td/a668", window)
    for some in (rows, rows[:-1]):
        pipeline.land("td/a668", window, rows=some)
        assert pipeline.fetch("td/a668", window, STAGING, FACTS).success
    assert len(pipeline.rows("SELECT FROM stg_td_order_report")) == len(rows) - 1
    gone = [row for row in orders(pipeline) if row["missing_since"]]
    assert [row["order_number"] for row in gone] == [rows[-1]["Order No."]]
    assert pipeline.audit()[-1]["missing_rows"] == 1


def run_of(
    pipeline: Pipeline, window: Window, *, run_id: str | None = None, **config: Any
) -> dg.ExecuteInProcessResult:
    """A run of staging and facts of td/a668, under this id, with this run config of staging."""
    return (
        compose(pipeline.settings)
        .resolve_implicit_global_asset_job_def()
        .execute_in_process(
            run_config={"ops": {STAGING: {"config": config}}},
            instance=pipeline.instance,
            asset_selection=[dg.AssetKey(STAGING), dg.AssetKey(FACTS)],
            tags=range_tags("a668", window.first, window.last),
            run_id=run_id,
        )
    )


def test_a_file_with_the_content_that_is_loaded_is_noted_and_goes(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, "td/a668", count=2)
    rows = books(pipeline.sandbox, "td/a668", window)
    pipeline.land("td/a668", window, rows=rows)
    assert pipeline.fetch("td/a668", window, STAGING, FACTS).success
    before = pipeline.rows("SELECT ctid::text, xmin::text FROM fact_td_orders ORDER BY order_number")
    file = pipeline.land("td/a668", window, rows=rows, keep_file=False)
    run_id = str(uuid.uuid4())
    pipeline.rows("UPDATE download_ledger SET run_id = %s WHERE ledger_id = 2 RETURNING 1", run_id)
    assert run_of(pipeline, window, run_id=run_id).success
    assert pipeline.rows("SELECT ctid::text, xmin::text FROM fact_td_orders ORDER BY order_number") == before
    assert not file.exists()
    first, second = pipeline.ledger()
    assert (first["status"], second["status"]) == ("ingested", "unchanged")
    assert second["deleted_at"] is not None
    assert [(row["status"], row["unchanged_rows"]) for row in pipeline.audit()] == [("ok", 0), ("unchanged", len(rows))]
    assert pipeline.events(STAGING)[0].metadata["unchanged files"].value == 1
    assert pipeline.materialized(FACTS) == keys("a668", window)
    alone = pipeline.fetch("td/a668", window, FACTS)
    assert alone.success, failure_text(alone)
    assert pipeline.audit()[-1]["unchanged_rows"] == len(rows), "a run of the facts alone reads staging anew"


def test_a_file_that_lost_many_rows_is_refused_until_a_person_accepts_it(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, "td/a668", count=2)
    rows = books(pipeline.sandbox, "td/a668", window)
    assert len(rows) > 4
    for some in (rows, rows[:1]):
        pipeline.land("td/a668", window, rows=some)
        result = pipeline.fetch("td/a668", window, STAGING, FACTS)
    assert not result.success
    assert "run it again with --accept-shrink (accept_shrink in the run config of stg_td_order_report)" in failure_text(
        result
    )
    assert [row["error_code"] for row in pipeline.ledger()] == [None, "ShrunkReport"]
    [kept] = pipeline.installation.refused
    assert pipeline.ledger()[1]["stored_name"] == str(kept)
    assert [row["missing_since"] for row in orders(pipeline)] == [None] * len(rows)
    pipeline.land("td/a668", window, rows=rows[:1])
    assert run_of(pipeline, window, accept_shrink=True).success
    assert sum(row["missing_since"] is not None for row in orders(pipeline)) == len(rows) - 1
    assert pipeline.ledger()[-1]["shrink_accepted"] is True


def test_warnings_stand_on_their_rows_and_are_counted(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, "td/a668")
    rows = books(pipeline.sandbox, "td/a668", window)
    pipeline.land("td/a668", window, rows=[{**rows[0], "Phone": "12345", "Due Date": "soon"}, *rows[1:]])
    assert pipeline.fetch("td/a668", window, STAGING, FACTS).success
    (row,) = pipeline.rows("SELECT * FROM fact_td_orders WHERE order_number = %s", rows[0]["Order No."])
    assert [(problem["column"], problem["value"]) for problem in row["warnings"]] == [
        ("customer_phone", "12345"),
        ("due_on", "soon"),
    ]
    assert (row["customer_phone"], row["due_on"]) == ("12345", None)
    (told,) = pipeline.rows("SELECT sum(jsonb_array_length(warnings))::integer AS problems FROM fact_td_orders")
    assert pipeline.events(FACTS)[0].metadata["run: warnings"].value == told["problems"]


def test_a_rebuild_of_days_from_many_exports_tells_of_each_its_own_and_draws_once(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, "td/a668", count=2)
    for day in window.days():
        pipeline.land("td/a668", Window(first=day, last=day))
    assert pipeline.fetch("td/a668", window, STAGING, FACTS).success
    result = pipeline.fetch("td/a668", window, FACTS)
    assert result.success, failure_text(result)
    second, first = sorted(pipeline.events(FACTS)[:2], key=lambda event: str(event.partition), reverse=True)
    ledger_ids = [row["ledger_id"] for row in pipeline.ledger()]
    assert [first.metadata["export"].value, second.metadata["export"].value] == ledger_ids
    assert ["last 30 days" in event.metadata for event in (first, second)] == [False, True]
    for event in (first, second):
        rows = event.metadata["rows in"].value
        figures = [event.metadata[name].value for name in ("inserted", "updated", "unchanged")]
        assert figures == [0, 0, rows], "what this run did, not what the first one had done"


def test_each_day_tells_what_of_it_changed_vanished_and_was_rejected(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, "td/a668")
    rows = books(pipeline.sandbox, "td/a668", window)
    bad = {**rows[0], "Order No.": "T999999", "Order Date / Time": "32 Nov 2026 25:00"}
    for some in (rows, [{**rows[0], "Order Status": "Lost"}, *rows[1:-1], bad]):
        pipeline.land("td/a668", window, rows=some)
        result = pipeline.fetch("td/a668", window, STAGING, FACTS)
        assert result.success, failure_text(result)
    told = pipeline.events(FACTS)[0].metadata
    figures = {
        name: told[name].value for name in ("rows in", "inserted", "updated", "unchanged", "rejected", "missing")
    }
    assert figures == {
        "rows in": len(rows),
        "inserted": 0,
        "updated": 1,
        "unchanged": len(rows) - 2,
        "rejected": 1,
        "missing": 1,
    }
