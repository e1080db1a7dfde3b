"""Dagster's own log in the schema ``dagster`` of the same database: what of it may go.

Read from the storage of Dagster 1.13: a partition is there by its ``ASSET_MATERIALIZATION``, has failed by its ``..._PLANNED``
and the run's status, a check stands by its newest execution, a run page's times come from the ``PIPELINE_...`` events. All these
stay. Executions of checks are written twice, here and there, and are most of the log: those that a newer one has replaced go.
``asset_event_tags`` belong to materializations, so they stay too; ``dagster.yaml`` prunes the ticks it has a rule for.
"""

from datetime import datetime

from crm_assets.warehouse.connection import Connection

BATCH = 5_000  # rows of one transaction: a few megabytes, and nobody waits for it

# By rising id, so that no batch walks over the rows again that an earlier one left standing.
PRUNE_EVENTS = r"""
    WITH doomed AS (
        SELECT id FROM dagster.event_logs AS event
        WHERE id > %(after)s
            AND event."timestamp" < %(before)s::timestamptz AT TIME ZONE 'UTC'
            AND asset_key IS NULL
            AND coalesce(dagster_event_type, '') !~ '^(ASSET|PIPELINE|RUN)_'
            AND NOT EXISTS (
                SELECT FROM dagster.runs
                WHERE runs.run_id = event.run_id AND runs.status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED'))
        ORDER BY id LIMIT %(batch)s
    ), gone AS (
        DELETE FROM dagster.event_logs AS event USING doomed WHERE event.id = doomed.id RETURNING event.id
    )
    SELECT count(*), max(id) FROM gone
"""

# Of each check and partition the newest execution stays, and the newest that came to an end: what Dagster asks for.
PRUNE_CHECKS = """
    WITH ranked AS (
        SELECT id, evaluation_event_timestamp, row_number() OVER (
            PARTITION BY asset_key, check_name, "partition", execution_status = 'PLANNED' ORDER BY id DESC
        ) AS place
        FROM dagster.asset_check_executions
    ), doomed AS (
        SELECT id FROM ranked
        WHERE place > 1 AND evaluation_event_timestamp < %(before)s::timestamptz AT TIME ZONE 'UTC'
        LIMIT %(batch)s
    ), gone AS (
        DELETE FROM dagster.asset_check_executions AS execution USING doomed WHERE execution.id = doomed.id
        RETURNING execution.evaluation_event_storage_id AS event_id
    ), events_gone AS (
        DELETE FROM dagster.event_logs AS event USING gone
        WHERE event.id = event_id AND dagster_event_type = 'ASSET_CHECK_EVALUATION'
        RETURNING event.id
    )
    SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM events_gone)
"""

# Where a sensor takes up again is its newest tick; dagster.yaml's rule for sensors has no word for the ticks that never ended.
PRUNE_TICKS = """
    DELETE FROM dagster.job_ticks AS tick
    WHERE status = 'STARTED'
        AND tick."timestamp" < %(before)s::timestamptz AT TIME ZONE 'UTC'
        AND EXISTS (
            SELECT FROM dagster.job_ticks AS later
            WHERE later.id > tick.id
                AND coalesce(later.selector_id, later.job_origin_id) = coalesce(tick.selector_id, tick.job_origin_id))
"""


def prune(conn: Connection, before: datetime, *, batch: int = BATCH) -> int:
    """Delete what is from before that moment: the log lines and step events of ended runs, replaced checks, ticks without an end.

    Returns how many rows went. Where Dagster has no tables, nothing happens. A run keeps its place, its times and its outcome; it
    can no longer be re-executed from its failed step.
    """
    pruned = 0
    if _are_there(conn, "event_logs", "runs"):
        pruned += _prune_events(conn, before, batch)
    if _are_there(conn, "event_logs", "asset_check_executions"):
        pruned += _prune_checks(conn, before, batch)
    if _are_there(conn, "job_ticks"):
        pruned += conn.execute(PRUNE_TICKS, {"before": before}).rowcount
    return pruned


def _prune_events(conn: Connection, before: datetime, batch: int) -> int:
    pruned, after = 0, 0
    while True:
        row = conn.execute(PRUNE_EVENTS, {"before": before, "after": after, "batch": batch}).fetchone()
        count, last = row or (0, None)
        pruned += int(count)
        if count < batch:
            return pruned
        after = int(last)


def _prune_checks(conn: Connection, before: datetime, batch: int) -> int:
    pruned = 0
    while True:
        executions, events = conn.execute(PRUNE_CHECKS, {"before": before, "batch": batch}).fetchone() or (0, 0)
        pruned += int(executions) + int(events)
        if executions < batch:
            return pruned


def _are_there(conn: Connection, *tables: str) -> bool:
    names = [f"dagster.{table}" for table in tables]
    row = conn.execute("SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest(%s::text[]) AS name", [names])
    return row.fetchone() == (True,)
