"""What is taken out of Dagster's log: rows in the tables that the installed Dagster defines, on every server."""

from datetime import UTC, datetime, timedelta

import pytest
from dagster._core.events import DagsterEventType
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.runs.schema import RunsTable, SnapshotsTable
from dagster._core.storage.schedules.schema import JobTickTable
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from crm_assets.warehouse import dagster_log
from crm_assets.warehouse.connection import Connection

LIMIT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
OLD, NEW = LIMIT - timedelta(minutes=1), LIMIT + timedelta(minutes=1)
LOG_LINE = None
STAYS = {kind.value for kind in DagsterEventType if kind.value.startswith(("ASSET_", "PIPELINE_", "RUN_"))}


@pytest.fixture
def log(conn: Connection) -> Connection:
    """Dagster's tables, without a row."""
    conn.execute("SET search_path = dagster, public")
    for table in (SnapshotsTable, RunsTable, SqlEventLogStorageTable, AssetCheckExecutionsTable, JobTickTable):
        conn.execute(str(CreateTable(table).compile(dialect=postgresql.dialect())).encode())
    conn.execute("RESET search_path")
    return conn


def event(
    log: Connection, kind: str | None, when: datetime, *, run_id: str = "a run", asset: str | None = None
) -> None:
    log.execute(
        """
        INSERT INTO dagster.event_logs (run_id, event, dagster_event_type, "timestamp", asset_key)
        VALUES (%s, '{}', %s, %s AT TIME ZONE 'UTC', %s)
        """,
        [run_id, kind, when, asset],
    )


def run(log: Connection, run_id: str, status: str) -> None:
    log.execute("INSERT INTO dagster.runs (run_id, status) VALUES (%s, %s)", [run_id, status])


def check(log: Connection, partition: str | None, status: str, when: datetime) -> int:
    """An execution of a check, with its event; returns the event's number."""
    event(log, "ASSET_CHECK_EVALUATION", when)
    row = log.execute(
        """
        INSERT INTO dagster.asset_check_executions
            (asset_key, check_name, "partition", execution_status, evaluation_event_timestamp, evaluation_event_storage_id)
        SELECT 'facts', 'whole', %s, %s, "timestamp", id FROM dagster.event_logs ORDER BY id DESC LIMIT 1
        RETURNING evaluation_event_storage_id
        """,
        [partition, status],
    ).fetchone()
    assert row
    return int(row[0])


def tick(log: Connection, sensor: str, status: str, when: datetime) -> None:
    log.execute(
        """
        INSERT INTO dagster.job_ticks (job_origin_id, selector_id, status, "timestamp")
        VALUES (%s, %s, %s, %s AT TIME ZONE 'UTC')
        """,
        [f"origin of {sensor}", sensor, status, when],
    )


def left(log: Connection) -> list[tuple[str | None, str]]:
    """Type and run of each event that is still there, in order."""
    return log.execute("SELECT dagster_event_type, run_id FROM dagster.event_logs ORDER BY id").fetchall()


def test_without_dagsters_tables_nothing_happens(conn: Connection) -> None:
    assert dagster_log.prune(conn, NEW) == 0
    conn.execute("DROP SCHEMA dagster")
    assert dagster_log.prune(conn, NEW) == 0


def test_what_tells_of_assets_checks_and_the_ends_of_runs_stays_and_the_rest_goes(log: Connection) -> None:
    kinds = [kind.value for kind in DagsterEventType]
    for kind in kinds:
        event(log, kind, OLD)
    event(log, LOG_LINE, OLD)
    event(log, "FRESHNESS_STATE_CHANGE", OLD, asset='["fact_td_orders"]')
    assert {"ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION_PLANNED", "PIPELINE_FAILURE", "RUN_RESUMED"} < STAYS
    assert dagster_log.prune(log, LIMIT) == len(set(kinds) - STAYS) + 1
    assert {kind for kind, _ in left(log)} == STAYS | {"FRESHNESS_STATE_CHANGE"}


def test_newer_lines_stay_and_so_do_those_of_runs_that_have_not_ended(log: Connection) -> None:
    for run_id, status in (("done", "SUCCESS"), ("failed", "FAILURE"), ("ended", "CANCELED"), ("at work", "STARTED")):
        run(log, run_id, status)
        event(log, LOG_LINE, OLD, run_id=run_id)
        event(log, "STEP_OUTPUT", NEW, run_id=run_id)
    event(log, LOG_LINE, OLD, run_id="deleted since")
    assert dagster_log.prune(log, LIMIT) == 4
    stayed = [("STEP_OUTPUT", "done"), ("STEP_OUTPUT", "failed"), ("STEP_OUTPUT", "ended")]
    assert left(log) == [*stayed, (LOG_LINE, "at work"), ("STEP_OUTPUT", "at work")]


def test_many_rows_go_in_batches(log: Connection) -> None:
    for number in range(11):
        event(log, LOG_LINE if number % 3 else "ASSET_MATERIALIZATION", OLD)
    assert dagster_log.prune(log, LIMIT, batch=2) == 7
    assert left(log) == [("ASSET_MATERIALIZATION", "a run")] * 4
    assert dagster_log.prune(log, LIMIT, batch=2) == 0


def test_of_each_check_and_partition_the_newest_stays_and_the_newest_that_ended(log: Connection) -> None:
    goes = [
        check(log, "monday", "SUCCEEDED", OLD),
        check(log, "monday", "PLANNED", OLD),
        check(log, None, "FAILED", OLD),
    ]
    stays = [
        check(log, "monday", "FAILED", OLD),
        check(log, "monday", "PLANNED", OLD),
        check(log, "tuesday", "SUCCEEDED", OLD),
        check(log, None, "SUCCEEDED", NEW),
        check(log, None, "SUCCEEDED", NEW),
    ]
    assert dagster_log.prune(log, LIMIT, batch=2) == 2 * len(goes)
    for rows in (
        log.execute("SELECT id FROM dagster.event_logs ORDER BY id"),
        log.execute("SELECT evaluation_event_storage_id FROM dagster.asset_check_executions ORDER BY id"),
    ):
        assert [row[0] for row in rows] == stays


def test_ticks_that_never_ended_go_save_where_a_sensor_takes_up_again(log: Connection) -> None:
    tick(log, "refresh", "STARTED", OLD)
    tick(log, "refresh", "SUCCESS", OLD)
    tick(log, "refresh", "STARTED", NEW)
    tick(log, "alerts", "STARTED", OLD)
    assert dagster_log.prune(log, LIMIT) == 1
    ticks = log.execute("SELECT selector_id, status FROM dagster.job_ticks ORDER BY id").fetchall()
    assert ticks == [("refresh", "SUCCESS"), ("refresh", "STARTED"), ("alerts", "STARTED")]
