"""Troubles: what does not work now, read from the ledger and the accounts. Nothing is written or told here.

A trouble is something that went on by itself and failed: whoever launched an attempt by hand, or a backfill, looks at it anyway.
What was told of a trouble belongs to ``alerts.py``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from crm_assets.errors import NeedsPerson, OlderExport, RunCancelled
from crm_assets.model import Purpose
from crm_assets.warehouse.connection import Connection

LOOKED_BACK = timedelta(days=40)
BY_ITSELF = (Purpose.REFRESH, Purpose.SETTLING, Purpose.CATCH_UP)
NOBODY_ACTS = (RunCancelled, OlderExport)
"""Attempts that ended so say nothing of the store: the one before them stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is wrong with a store for one reason: the error's ``code``, and ``message``, its own sentence.

    ``store`` and ``report`` are empty where it concerns none. ``times`` counts the attempts that failed so since the last good
    one, from ``since`` to ``last_at``; ``evidence`` is the newest one's folder.
    """

    crm: str
    store: str
    report: str
    code: str
    message: str
    since: datetime
    times: int
    last_at: datetime
    evidence: str | None = None


# A person's trouble has one name, the account's: an attempt that found the account waiting is a repetition of it.
# Of a file that has landed nothing is known yet: "downloaded" is as little an end as "running".
# A window of catch_up is looked at by itself ("days"), the other purposes move on from window to window.
# Failures become one row for each series before anything else is joined to it: in an outage there are very many.
TROUBLES = """
    WITH series AS (
        SELECT attempt.crm, attempt.store, report, purpose, days, failure.code,
            array_agg(ledger_id ORDER BY started_at DESC, ledger_id DESC) AS ids,
            array_agg(started_at ORDER BY started_at DESC, ledger_id DESC) AS starts,
            array_agg(finished_at ORDER BY started_at DESC, ledger_id DESC) AS ends
        FROM download_ledger AS attempt
        LEFT JOIN store_session AS account
            ON (account.crm, account.store) = (attempt.crm, attempt.store) AND account.state = 'needs_person'
        CROSS JOIN LATERAL (
            SELECT CASE WHEN attempt.error_code = ANY(%(person)s) THEN coalesce(account.error_code, attempt.error_code)
                    ELSE attempt.error_code END AS code,
                CASE purpose WHEN 'catch_up' THEN daterange(from_date, to_date, '[]') END AS days
        ) AS failure
        WHERE status IN ('failed', 'skipped') AND started_at >= %(since)s
            AND purpose = ANY(%(purposes)s) AND attempt.error_code <> ALL(%(nobody_acts)s)
        GROUP BY attempt.crm, attempt.store, report, purpose, days, failure.code
    ),
    newest AS (
        SELECT DISTINCT ON (crm, store, report, purpose, days) *
        FROM series ORDER BY crm, store, report, purpose, days, starts[1] DESC, ids[1] DESC
    ),
    sighting AS (
        SELECT newest.crm, newest.store, newest.report, newest.code, attempt.error_message AS message, failed.since, failed.times,
            attempt.finished_at AS last_at, attempt.evidence, 1 AS rank
        FROM newest JOIN download_ledger AS attempt ON attempt.ledger_id = newest.ids[1]
        LEFT JOIN LATERAL (
            SELECT started_at, ledger_id FROM download_ledger AS good
            WHERE good.crm = newest.crm AND good.store = newest.store AND good.report = newest.report
                AND good.purpose = newest.purpose AND good.started_at >= newest.starts[cardinality(newest.starts)]
                AND good.status IN ('ingested', 'empty', 'unchanged')
                AND (newest.days IS NULL OR newest.days = daterange(good.from_date, good.to_date, '[]'))
            ORDER BY started_at DESC, ledger_id DESC LIMIT 1
        ) AS good ON true
        CROSS JOIN LATERAL (
            SELECT count(*) AS times, min(finished_at) AS since
            FROM unnest(newest.starts, newest.ids, newest.ends) AS each (started_at, ledger_id, finished_at)
            WHERE good.ledger_id IS NULL OR (each.started_at, each.ledger_id) > (good.started_at, good.ledger_id)
        ) AS failed
        WHERE failed.times > 0
            -- A person has signed in since.
            AND NOT (newest.code = ANY(%(person)s) AND EXISTS (
                SELECT FROM store_session AS account
                WHERE account.crm = newest.crm AND account.store = newest.store AND account.state = 'ok'
                    AND account.since > attempt.finished_at))
            AND NOT (newest.purpose = 'refresh' AND EXISTS (
                SELECT FROM download_ledger AS other
                WHERE other.crm = newest.crm AND other.store = newest.store AND other.report = newest.report
                    AND other.started_at >= attempt.started_at
                    AND (other.started_at, other.ledger_id) > (attempt.started_at, attempt.ledger_id)
                    AND other.status IN ('ingested', 'empty', 'unchanged')
                    AND attempt.to_date BETWEEN other.from_date AND other.to_date))
            AND (newest.purpose <> 'catch_up' OR EXISTS (
                SELECT FROM generate_series(attempt.from_date, attempt.to_date, interval '1 day') AS day
                WHERE NOT EXISTS (
                    SELECT FROM staging_slice AS slice
                    WHERE slice.crm = newest.crm AND slice.report = newest.report AND slice.store = newest.store
                        AND slice.business_day = day::date AND slice.final_at IS NOT NULL)))
        UNION ALL
        SELECT crm, store, '', error_code, coalesce(reason, ''), since, 0, since, NULL, 0
        FROM store_session WHERE state = 'needs_person' AND error_code IS NOT NULL
    )
    SELECT crm, store, code, max(report) AS report,
        (array_agg(message ORDER BY rank, last_at DESC))[1] AS message,
        min(since) AS since, greatest(sum(times), 1)::integer AS times, max(last_at) AS last_at,
        (array_agg(evidence ORDER BY evidence IS NULL, last_at DESC))[1] AS evidence
    FROM sighting GROUP BY crm, store, code ORDER BY crm, store, code
"""


def current_troubles(conn: Connection, now: datetime) -> list[Trouble]:
    """What does not work now, one trouble for each store and reason, by CRM, store and code."""
    with conn.cursor(row_factory=class_row(Trouble)) as cursor:
        return cursor.execute(
            TROUBLES,
            {
                "since": now - LOOKED_BACK,
                "purposes": [purpose.value for purpose in BY_ITSELF],
                "person": [error.__name__ for error in NeedsPerson.__subclasses__()],
                "nobody_acts": [error.__name__ for error in NOBODY_ACTS],
            },
        ).fetchall()
