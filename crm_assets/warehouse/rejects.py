"""Rejected rows: what an export holds but the facts cannot take, kept until it is loaded or waived.

Which rule a row breaks is decided elsewhere; the same bad row in the next export stays one entry.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from crm_assets.model import Reject, Report, Window
from crm_assets.warehouse.connection import Connection

# Two rejects are the same when row and problems are, apart from columns that describe the export only (a running number).
CLOSE = """
    UPDATE rejected_rows AS kept SET status = 'replayed', closed_at = %(now)s
    WHERE status = 'open' AND crm = %(crm)s AND report = %(report)s AND store = %(store)s
        AND (business_day = ANY(%(days)s)
            -- A row without a readable day belongs to its export: it goes when an export of any of those days does without it.
            OR business_day IS NULL AND EXISTS (
                SELECT FROM download_ledger AS ledger JOIN unnest(%(days)s::date[]) AS day ON day BETWEEN from_date AND to_date
                WHERE ledger.ledger_id = kept.ledger_id))
        AND NOT EXISTS (
            SELECT FROM jsonb_to_recordset(%(rejects)s) AS given (raw jsonb, problems jsonb)
            WHERE given.raw - %(ignored)s::text[] = kept.raw - %(ignored)s::text[] AND given.problems = kept.problems)
"""

REFRESH = """
    UPDATE rejected_rows AS kept
    SET ledger_id = %(ledger_id)s, row_number = given.row_number, business_day = given.business_day, raw = given.raw
    FROM jsonb_to_recordset(%(rejects)s) AS given (business_day date, row_number integer, raw jsonb, problems jsonb)
    WHERE status = 'open' AND crm = %(crm)s AND report = %(report)s AND store = %(store)s
        AND given.raw - %(ignored)s::text[] = kept.raw - %(ignored)s::text[] AND given.problems = kept.problems
"""

# A waived row stays waived, however often it is exported again. Numbers go up in the order of the file.
INSERT = """
    INSERT INTO rejected_rows (crm, report, store, business_day, ledger_id, row_number, raw, problems, created_at)
    SELECT %(crm)s, %(report)s, %(store)s, business_day, %(ledger_id)s, row_number, raw, problems, %(now)s
    FROM jsonb_to_recordset(%(rejects)s) AS given (business_day date, row_number integer, raw jsonb, problems jsonb)
    WHERE NOT EXISTS (
        SELECT FROM rejected_rows AS kept
        WHERE status IN ('open', 'waived') AND crm = %(crm)s AND report = %(report)s AND store = %(store)s
            AND given.raw - %(ignored)s::text[] = kept.raw - %(ignored)s::text[] AND given.problems = kept.problems)
    ORDER BY row_number
"""


def replace(
    conn: Connection,
    report: Report,
    *,
    store: str,
    days: Sequence[date],
    ledger_id: int,
    rejects: Sequence[Reject],
    now: datetime,
) -> None:
    """Bring the open rejects of these days in line with one export: new ones open, absent ones close as ``replayed``."""
    given = {
        "crm": report.crm,
        "report": report.name,
        "store": store,
        "days": list(days),
        "ledger_id": ledger_id,
        "rejects": Jsonb([_as_json(reject) for reject in rejects]),
        "ignored": [column.name for column in report.columns if not column.in_fact],
        "now": now,
    }
    with conn.transaction():
        for statement in (CLOSE, REFRESH, INSERT):
            conn.execute(statement, given)


def _as_json(reject: Reject) -> dict[str, object]:
    return {
        "business_day": reject.day.isoformat() if reject.day else None,
        "row_number": reject.row_number,
        "raw": dict(reject.raw),
        "problems": [{"column": p.column, "rule": p.rule, "value": p.value} for p in reject.problems],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReject:
    """A rejected row as it is kept; ``raw`` and the problems' values are personal data."""

    reject_id: int
    crm: str
    report: str
    store: str
    business_day: date | None
    ledger_id: int
    row_number: int
    raw: dict[str, str | None]
    problems: list[dict[str, str | None]]
    status: str
    created_at: datetime
    closed_at: datetime | None
    note: str | None


def find(
    conn: Connection,
    *,
    crm: str | None = None,
    store: str | None = None,
    window: Window | None = None,
    statuses: Sequence[str] = ("open",),
    ids: Sequence[int] | None = None,
) -> list[KeptReject]:
    """The rejected rows that match all that is given, oldest first."""
    with conn.cursor(row_factory=class_row(KeptReject)) as cursor:
        return cursor.execute(
            """
            SELECT reject_id, crm, report, store, business_day, ledger_id, row_number, raw, problems, status, created_at,
                closed_at, note
            FROM rejected_rows
            WHERE crm = coalesce(%(crm)s, crm) AND store = coalesce(%(store)s, store) AND status = ANY(%(statuses)s)
                AND (%(ids)s::bigint[] IS NULL OR reject_id = ANY(%(ids)s))
                AND (%(first)s::date IS NULL OR business_day BETWEEN %(first)s AND %(last)s)
            ORDER BY reject_id
            """,
            {
                "crm": crm,
                "store": store,
                "statuses": list(statuses),
                "ids": list(ids) if ids is not None else None,
                "first": window.first if window else None,
                "last": window.last if window else None,
            },
        ).fetchall()


def waive(conn: Connection, ids: Sequence[int], note: str, now: datetime) -> list[int]:
    """A person decides to do without these rows; returns those that were open."""
    closed = conn.execute(
        """
        UPDATE rejected_rows SET status = 'waived', closed_at = %s, note = %s
        WHERE reject_id = ANY(%s) AND status = 'open' RETURNING reject_id
        """,
        [now, note, list(ids)],
    )
    return sorted(row[0] for row in closed)
