"""What the warehouse says of each store-day: the six questions, each broken in turn, and how Dagster shows the answers."""

import dataclasses
from typing import Any

import dagster as dg
import pytest
from dagster._serdes import deserialize_value

from crm_assets.pipeline.checks import OF_FACTS, OF_STAGING
from crm_assets.sandbox import layouts
from crm_assets.warehouse.verdicts import (
    Question,
    Verdict,
    columns_are_as_before,
    keys_are_unique,
    no_rejects_are_open,
    nothing_vanished,
    rows_are_accounted_for,
    sums_are_the_portals,
)
from crm_assets_tests.fixtures.dagster import Pipeline, books, busy_days, failure_text, keys
from crm_assets_tests.pipeline.desk import Desk, nov, order, window

RAW, STAGING, FACTS = "td_order_report_xlsx", "stg_td_order_report", "fact_td_orders"
THREE_DAYS = [nov(12), nov(13), nov(14)]
EVERY = (
    keys_are_unique,
    columns_are_as_before,
    rows_are_accounted_for,
    sums_are_the_portals,
    no_rejects_are_open,
    nothing_vanished,
)


def asked(desk: Desk, question: Question) -> dict[int, Verdict]:
    """The verdict of each day of the month."""
    with desk.connected() as conn:
        return {one.day.day: one for one in question(conn, desk.report, "a668", THREE_DAYS)}


def loaded_well(desk: Desk) -> None:
    """Two exports: of two days, the newer of which has a waived row; and of a third."""
    desk.take([order("T1", 12, net_amount=5), order("T2", 13, net_amount=7)], window(12, 13), 0)
    desk.take([order("T3", 14, net_amount=1.5), order("T4", 14, pieces="some")], window(14), 1)
    desk.rows("UPDATE rejected_rows SET status = 'waived', closed_at = now() RETURNING 1")


@pytest.mark.parametrize("question", EVERY, ids=lambda question: question.__name__)
def test_a_good_load_passes(desk: Desk, question: Question) -> None:
    loaded_well(desk)
    verdicts = asked(desk, question)
    assert {day: one.passed for day, one in verdicts.items()} == {12: True, 13: True, 14: True}


BROKEN = [
    (
        keys_are_unique,
        "INSERT INTO stg_td_order_report (store, business_day, row_number, ledger_id, order_number) "
        "SELECT store, business_day, 99, ledger_id, order_number || ' ' FROM stg_td_order_report WHERE order_number = 'T1'",
        {12},
        {"rows": 2, "doubled": 1},
    ),
    (
        columns_are_as_before,
        "UPDATE download_ledger SET headers = headers - 'Tags' || '[\"Tip\"]' WHERE to_date = '2025-11-14'",
        {14},
        {"added": "Tip", "gone": "Tags", "unknown to the report": "Tip"},
    ),
    (
        rows_are_accounted_for,
        "DELETE FROM fact_td_orders WHERE order_number = 'T2'",
        {13},
        {"staged rows": 1, "unaccounted": 1},
    ),
    (
        rows_are_accounted_for,
        "DELETE FROM rejected_rows",
        {14},
        {"staged rows": 2, "unaccounted": 1},
    ),
    (
        sums_are_the_portals,
        "UPDATE fact_td_orders SET net_amount = net_amount + 1 WHERE order_number = 'T2'",
        {12, 13},
        {"net_amount": "portal 12, facts 13.00"},
    ),
    (
        sums_are_the_portals,
        "DELETE FROM fact_td_orders WHERE order_number = 'T3'",
        {14},
        {"rows": "portal 2, facts 0, rejected 1"},
    ),
    (
        no_rejects_are_open,
        "UPDATE rejected_rows SET status = 'open', closed_at = NULL",
        {14},
        {"open rejects": 1},
    ),
    (
        nothing_vanished,
        "UPDATE fact_td_orders SET missing_since = now() WHERE order_number = 'T1'",
        {12},
        {"facts": 1, "missing": 1},
    ),
]


@pytest.mark.parametrize(
    ("question", "damage", "days", "figures"), BROKEN, ids=lambda value: getattr(value, "__name__", None)
)
def test_a_day_with_its_own_thing_broken_fails_and_the_others_pass(
    desk: Desk, question: Question, damage: str, days: set[int], figures: dict[str, Any]
) -> None:
    loaded_well(desk)
    desk.rows(f"{damage} RETURNING 1")
    verdicts = asked(desk, question)
    failed = {day: one.figures for day, one in verdicts.items() if not one.passed}
    assert failed == dict.fromkeys(days, figures)
    assert verdicts.keys() == {12, 13, 14}


def test_another_order_of_the_same_columns_is_named(desk: Desk) -> None:
    loaded_well(desk)
    desk.rows(
        """
        UPDATE download_ledger
        SET headers = (SELECT jsonb_agg(header ORDER BY header) FROM jsonb_array_elements(headers) AS header)
        WHERE to_date = '2025-11-14' RETURNING 1
        """
    )
    assert asked(desk, columns_are_as_before)[14].figures == {"order": "another one"}


def test_a_day_of_which_a_newer_export_took_over_a_part_has_no_statement_of_the_portals(desk: Desk) -> None:
    loaded_well(desk)
    desk.take([order("T2", 13, net_amount=70)], window(13), 2)
    desk.rows("UPDATE fact_td_orders SET net_amount = 1 WHERE order_number = 'T1' RETURNING 1")
    verdicts = asked(desk, sums_are_the_portals)
    assert {day: one.passed for day, one in verdicts.items()} == {12: True, 13: True, 14: True}
    assert verdicts[12].figures == {"stated by the portal": "nothing for these days alone"}
    assert str(verdicts[13].figures["stated by the portal"]).startswith("rows, ")


def test_a_row_without_a_readable_date_is_accounted_for_wherever_its_exports_filed_it(desk: Desk) -> None:
    """It is filed under the first day of each export; the reject stands for it in both."""
    lost = {**order("T9", 13), "Order Date / Time": "yesterday"}
    desk.take([order("T1", 12), lost], window(12, 13), 0)
    desk.take([lost, order("T2", 13)], window(13, 14), 1)
    assert {day: one.passed for day, one in asked(desk, rows_are_accounted_for).items()} == dict.fromkeys(
        (12, 13, 14), True
    )


# As Dagster shows them.


def executions(pipeline: Pipeline) -> dict[tuple[str, str | None], dg.AssetCheckEvaluation]:
    """The newest answer of each check, by its name and partition."""
    found = pipeline.rows("SELECT evaluation_event FROM dagster.asset_check_executions ORDER BY id")
    entries = [deserialize_value(row["evaluation_event"], dg.EventLogEntry) for row in found]
    answers = [entry.dagster_event.asset_check_evaluation_data for entry in entries if entry.dagster_event]
    return {(one.check_name, one.partition): one for one in answers}


def test_a_run_over_a_range_answers_for_each_of_its_partitions(pipeline: Pipeline) -> None:
    days = busy_days(pipeline.sandbox, "td/a668", count=3)
    rows = books(pipeline.sandbox, "td/a668", days)
    rows[-1] = {**rows[-1], "Pcs.": "some"}
    pipeline.land("td/a668", days, rows=rows)
    result = pipeline.fetch("td/a668", days, STAGING, FACTS)
    assert result.success, failure_text(result)
    found = executions(pipeline)
    for check in (*OF_STAGING, *OF_FACTS):
        assert {partition for name, partition in found if name == check.name and partition} == keys("a668", days)
    bad = f"{days.last}|a668"
    assert [key for key, one in found.items() if not one.passed and key[1]] == [("no_rejects_are_open", bad)]
    told = found["no_rejects_are_open", bad]
    assert (told.severity, told.metadata["open rejects"].value) == (dg.AssetCheckSeverity.WARN, 1)
    statuses = pipeline.rows("SELECT DISTINCT execution_status FROM dagster.asset_check_executions")
    assert {row["execution_status"] for row in statuses} == {"SUCCEEDED", "FAILED"}


def test_a_single_partition_is_answered_for_and_a_file_with_other_columns_is_a_warning(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second file with one column more, in another order: loaded, and the check says what changed."""
    day = busy_days(pipeline.sandbox, "td/a668")
    rows = books(pipeline.sandbox, "td/a668", day)
    pipeline.land("td/a668", day, rows=rows)
    key = f"{day.first}|a668"
    assert pipeline.materialize(STAGING, FACTS, partition=key).success
    first = executions(pipeline)
    assert {check.name for check in (*OF_STAGING, *OF_FACTS)} == {name for name, partition in first if partition == key}
    assert all(one.passed for one in first.values())
    usual = layouts.ORDER_REPORT
    wider = dataclasses.replace(usual, headers=(*usual.headers[:2], "Tip", *reversed(usual.headers[2:])))
    monkeypatch.setattr("crm_assets_tests.fixtures.dagster.ORDER_REPORT", wider)
    pipeline.land("td/a668", day, rows=[{**row, "Tip": 5} for row in rows])
    result = pipeline.materialize(STAGING, FACTS, partition=key)
    assert result.success, failure_text(result)
    newest = executions(pipeline)["columns_are_as_before", key]
    assert (newest.passed, newest.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert newest.metadata["added"].value == newest.metadata["unknown to the report"].value == "Tip"
    assert pipeline.audit()[-1]["unchanged_rows"] == len(rows), "the facts do not care"
    assert {row["_extra"]["Tip"] for row in pipeline.rows("SELECT _extra FROM stg_td_order_report")} == {"5"}
