"""Loading without a portal: files that a person exported, staged rows read anew, rejected rows replayed."""

import dataclasses
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg

from crm_assets.model import Report, Window
from crm_assets.pipeline.given import GivenFile
from crm_assets.pipeline.reload import Loading, ingest, rebuild, replay
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.rows import rule
from crm_assets.warehouse import rejects
from crm_assets.warehouse.connection import connect
from crm_assets.warehouse.facts import Counts
from crm_assets.warehouse.outcomes import RunOutcome, outcome_of_run
from crm_assets_tests.fixtures.dagster import Pipeline, books, busy_days, chain, keys
from crm_assets_tests.pipeline.desk import ALL, Desk, at, order, window

DAYS = window(11, 14)
PHONE = {"customer_phone": "12345"}


def given(desk: Desk, file: Path, days: Window, exported_at: datetime, **more: Any) -> GivenFile:
    return GivenFile(file=file, store=desk.store, report=desk.report, window=days, exported_at=exported_at, **more)


def ingested(desk: Desk, one: GivenFile, *, accept_shrink: bool = False) -> RunOutcome:
    with desk.connected() as conn, dg.DagsterInstance.ephemeral() as instance:
        loading = Loading(settings=desk.settings, conn=conn, instance=instance)
        return outcome_of_run(conn, ingest(loading, one, accept_shrink=accept_shrink))


def rebuilt(desk: Desk, days: Window = DAYS, report: Report = ORDER_REPORT) -> Counts:
    with desk.connected() as conn, dg.DagsterInstance.ephemeral() as instance:
        done = rebuild(Loading(settings=desk.settings, conn=conn, instance=instance), report, desk.store, days)
    assert done.error is None
    return done.counts


def a_busy_week(desk: Desk) -> None:
    """Several exports: changes, a missing row, warnings, a rejected row, overlapping windows, an unchanged file."""
    desk.take([order("T1", 11), order("T2", 12, net_amount=5), order("T3", 12)], window(11, 12), 0)
    second = [order("T2", 12, net_amount=6, **PHONE), order("T4", 13, weight_kg=1.5), order("T5", 13, pieces="some")]
    desk.take(second, window(12, 13), 1)
    desk.take(second, window(12, 13), 2)
    desk.take([order("T6", 14, order_status="Ready"), order("T4", 13, weight_kg=2)], window(13, 14), 3)


# Rebuilding.


def test_rebuilding_what_nobody_touched_writes_nothing(desk: Desk) -> None:
    a_busy_week(desk)
    before, history = desk.whole_table(), desk.rows("SELECT * FROM fact_td_orders_history ORDER BY 1")
    assert before.count(b"\n") == 5
    assert len(history) == 3, "two changes, one row that went missing"
    assert rebuilt(desk) == Counts(unchanged=4)
    assert desk.whole_table() == before
    assert desk.rows("SELECT * FROM fact_td_orders_history ORDER BY 1") == history
    assert [row[0] for row in desk.rows("SELECT status FROM rejected_rows")] == ["replayed"]


def test_rebuilding_from_nothing_recreates_every_row_byte_by_byte(desk: Desk) -> None:
    a_busy_week(desk)
    before = desk.business()
    desk.rows("DELETE FROM fact_td_orders_history RETURNING 1")
    desk.rows("DELETE FROM fact_td_orders RETURNING 1")
    assert rebuilt(desk) == Counts(inserted=4)
    assert desk.business() == before
    assert before.count(b"\n") == 4


def test_rebuilding_mends_facts_that_were_tampered_with_in_these_days_only(desk: Desk) -> None:
    a_busy_week(desk)
    before = desk.business()
    desk.rows(
        "UPDATE fact_td_orders SET net_amount = 99, row_hash = 'x' WHERE order_number IN ('T2', 'T6') RETURNING 1"
    )
    assert rebuilt(desk, window(11, 13)).updated == 1
    assert desk.business() != before
    assert rebuilt(desk, window(14)).updated == 1
    assert desk.business() == before


def test_a_day_that_was_never_staged_is_not_a_rebuilds_business(desk: Desk) -> None:
    desk.take([order("T1", 12)], window(12), 0)
    assert rebuilt(desk, window(1, 30)) == Counts(unchanged=1)
    assert rebuilt(desk, window(1, 5)) == Counts()


def test_a_rule_that_rejects_too_much_ends_the_rebuild_and_tells_dagster_of_the_days_before_it(desk: Desk) -> None:
    desk.take([order("T1", 11)], window(11), 0)
    desk.take([order(f"T2{number}", 12) for number in range(5)], window(12), 1)
    strict = dataclasses.replace(ORDER_REPORT.column("order_number"), pattern="T1", pattern_says="the first one")
    with desk.connected() as conn, dg.DagsterInstance.ephemeral() as instance:
        at_hand = Loading(settings=desk.settings, conn=conn, instance=instance)
        done = rebuild(at_hand, _with(strict), desk.store, DAYS)
        assert instance.get_materialized_partitions(dg.AssetKey("fact_td_orders")) == {"2025-11-11|a668"}
    assert done.error is not None
    assert done.error.code == "TooManyRejects"
    assert len(desk.facts()) == 6


# Replaying.


def _with(*columns: Any) -> Report:
    """The order report with these columns in the place of their namesakes, or at its end."""
    changed = {column.name: column for column in columns}
    kept = tuple(changed.pop(column.name, column) for column in ORDER_REPORT.columns)
    return dataclasses.replace(ORDER_REPORT, columns=(*kept, *changed.values()))


def replayed(desk: Desk, report: Report) -> Counts:
    with desk.connected() as conn, dg.DagsterInstance.ephemeral() as instance:
        at_hand = Loading(settings=desk.settings, conn=conn, instance=instance)
        done = replay(at_hand, report, desk.store, rejects.find(conn))
    assert done.error is None
    return done.counts


def test_a_date_format_that_was_added_makes_a_fact_of_the_rejected_row(desk: Desk) -> None:
    odd = {**order("T2", 12), "Order Date / Time": "2025/11/12 12:00"}
    desk.take([order("T1", 12), odd], window(12), 0)
    assert desk.facts().keys() == {"T1"}
    column = ORDER_REPORT.column("ordered_at")
    mended = dataclasses.replace(column, formats=(*column.formats, "%Y/%m/%d %H:%M"))
    assert replayed(desk, _with(mended)) == Counts(inserted=1, unchanged=1)
    assert desk.facts().keys() == {"T1", "T2"}
    assert desk.rows("SELECT status FROM rejected_rows") == [("replayed",)]
    assert desk.audit()[-1] == ("ok", 2, 1, 0, 1, 0, 0)
    assert replayed(desk, _with(mended)) == Counts(), "nothing is open any more"


def test_an_alias_that_was_added_reads_what_an_unknown_column_held(desk: Desk) -> None:
    """The portal renames a required column: until its alias is there, the rows are rejected."""
    desk.take([order(f"T{number}", 12) for number in range(3)], window(12), 0)
    renamed = dataclasses.replace(ORDER_REPORT.column("booked_by"), required=True, aliases=("Taken By",))
    desk.rows("""UPDATE stg_td_order_report SET _extra = '{"Taken By": "Asha"}' RETURNING 1""")
    without = dataclasses.replace(renamed, aliases=())
    assert rebuilt(desk, report=_with(without)) == Counts()
    assert desk.rows("SELECT status, count(*) FROM rejected_rows GROUP BY 1") == [("open", 3)]
    assert replayed(desk, _with(renamed)).updated == 3
    assert desk.rows("SELECT DISTINCT booked_by FROM fact_td_orders") == [("Asha",)]
    assert desk.rows("SELECT DISTINCT status FROM rejected_rows") == [("replayed",)]


def test_a_row_that_is_still_bad_stays_open_and_a_waived_one_waived(desk: Desk) -> None:
    desk.take([order("T1", 12), order("T2", 12, pieces="some"), order("T3", 12, tax="none")], window(12), 0)
    with desk.connected() as conn:
        [bad] = [row for row in rejects.find(conn) if row.raw["order_number"] == "T3"]
        rejects.waive(conn, [bad.reject_id], "a test booking", at(1))
        before = [json.dumps(row.problems) for row in rejects.find(conn)]
    assert replayed(desk, ORDER_REPORT) == Counts(unchanged=1)
    assert desk.rows("SELECT status FROM rejected_rows ORDER BY row_number") == [("open",), ("waived",)]
    assert rule(ORDER_REPORT.column("pieces")) in before[0]


# Files that a person exported.


def test_a_file_is_proven_and_loaded_and_stays_where_it_is(desk: Desk) -> None:
    file = desk.written([order("T1", 12), order("T2", 13, pieces="some")], window(12, 13))
    outcome = ingested(desk, given(desk, file, window(12, 13), at(0)))
    assert (outcome.ok, outcome.files, outcome.inserted, outcome.rejected) == (True, 1, 1, 1)
    assert file.exists()
    again = ingested(desk, given(desk, file, window(12, 13), at(0)))
    assert (again.ok, again.inserted, again.unchanged, again.rejected) == (True, 0, 1, 1)
    assert desk.rows("SELECT status, strategy, keep_file FROM download_ledger ORDER BY 1") == [
        ("ingested", "by_hand", True),
        ("unchanged", "by_hand", True),
    ]


def test_an_older_file_is_refused_and_stays_where_it_is(desk: Desk) -> None:
    desk.take([order("T1", 12, order_status="Ready")], window(12), 1)
    file = desk.written([order("T1", 12)], window(12))
    outcome = ingested(desk, given(desk, file, window(12), at(0)))
    assert (outcome.ok, outcome.error_code) == (False, "OlderExport")
    assert desk.facts() == {"T1": "Ready"}
    assert file.exists()
    assert not (desk.folder / "refused").exists()


def test_a_file_that_lost_rows_needs_a_persons_word(desk: Desk) -> None:
    desk.take([order(f"T{number}", 12) for number in range(10)], window(12), 0, guard=ALL)
    file = desk.written([order("T1", 12)], window(12))
    one = given(desk, file, window(12), at(1))
    assert ingested(desk, one).error_code == "ShrunkReport"
    accepted = ingested(desk, one, accept_shrink=True)
    assert (accepted.ok, accepted.missing) == (True, 9)


def test_rows_that_the_portal_showed_are_compared(desk: Desk) -> None:
    file = desk.written([order("T1", 12)], window(12))
    assert ingested(desk, given(desk, file, window(12), at(0), rows=2)).error_code == "ChecksumMismatch"
    assert ingested(desk, given(desk, file, window(12), at(0), rows=1)).ok


def test_dagster_shows_the_partitions_as_current_with_their_checks(pipeline: Pipeline) -> None:
    """On the instance that the UI shows, twice: six checks for each day, and a run of each command among the others."""
    days = busy_days(pipeline.sandbox, "td/a668", count=2)
    rows = books(pipeline.sandbox, "td/a668", days)
    store = pipeline.installation.store("td/a668")
    file = pipeline.land("td/a668", days)
    pipeline.rows("DELETE FROM download_ledger RETURNING 1")
    one = GivenFile(file=file, store=store, report=ORDER_REPORT, window=days, exported_at=at(0))
    with connect(pipeline.url) as conn:
        at_hand = Loading(settings=pipeline.settings, conn=conn, instance=pipeline.instance)
        run_id = ingest(at_hand, one, accept_shrink=False)
        assert rebuild(at_hand, ORDER_REPORT, store, days).counts == Counts(unchanged=len(rows))
    for asset in chain(ORDER_REPORT):
        assert pipeline.materialized(asset) == keys("a668", days)
    found = pipeline.rows("SELECT check_name, partition, execution_status FROM dagster.asset_check_executions")
    assert {row["execution_status"] for row in found} == {"SUCCEEDED"}
    assert len({(row["check_name"], row["partition"]) for row in found}) == 6 * 2
    assert {row["partition"] for row in found} == keys("a668", days)
    runs = pipeline.instance.get_runs()
    assert {run.tags["launched_by"] for run in runs} == {"crm_download ingest", "crm_download rebuild"}
    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
    assert run_id in {run.run_id for run in runs}
