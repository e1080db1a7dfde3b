"""Facts: typed rows by business key, each written only when it changed, each change kept in the history.

Parsing and rejecting come before, the audit after. A fact row is never deleted: one that a newer export lacks is marked.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg import sql

from crm_assets.errors import BadReport
from crm_assets.model import Kind, Report
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.copy import copy_frame, identifiers

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What an upsert did with its rows (the first three), and how many facts the export no longer holds."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    missing: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            inserted=self.inserted + other.inserted,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            missing=self.missing + other.missing,
        )


def upsert(
    conn: Connection,
    report: Report,
    *,
    store: str,
    days: Sequence[date],
    ledger_id: int,
    rows: "pd.DataFrame",
    now: datetime,
    also_present: Collection[str] = (),
) -> Counts:
    """Bring the facts of these days of the store in line with one export.

    ``rows``: ``business_day`` (date) and every ``report.fact_columns`` (str, int, Decimal, date, aware datetime or None). A row
    whose key is new is inserted; one whose values or day changed, or that was missing, is updated with a history entry; others
    are not touched. A fact of these days without a row is marked missing, unless its key is in ``also_present``: the keys whose
    row was rejected. An older export never undoes what a newer one said.
    Raises BadReport, before anything is written, when two rows share a key.
    """
    _refuse_doubles(report, store, rows)
    given = {"store": store, "days": list(days), "ledger_id": ledger_id, "now": now, "also_present": list(also_present)}
    with conn.transaction():
        # Two loads of one store at once would both insert; the second waits until the first has committed.
        conn.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"crm_assets:{report.fact_table}:{store}"]
        )
        _copy_incoming(conn, report, rows)
        _run(conn, report, KEEP_OLD_VALUES, given)
        updated = _run(conn, report, UPDATE, given)
        inserted = _run(conn, report, INSERT, given)
        missing = _run(conn, report, MARK_MISSING, given)
    return Counts(inserted=inserted, updated=updated, unchanged=len(rows) - inserted - updated, missing=missing)


CREATE_INCOMING: LiteralString = """
    CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS SELECT {columns}, row_hash FROM {fact} WITH NO DATA
"""

HASH: LiteralString = "UPDATE incoming SET row_hash = md5(ROW({hashed})::text)"

# An update is due when a value changed or the row was missing, and this export is not older than the one that last changed it.
DUE: LiteralString = """
    fact.store = %(store)s AND fact.{key} = incoming.{key} AND fact.ledger_id <= %(ledger_id)s
    AND (fact.row_hash <> incoming.row_hash OR fact.missing_since IS NOT NULL)
"""

KEEP_OLD_VALUES: LiteralString = """
    INSERT INTO {history} (store, {key}, changed_at, ledger_id, old, new)
    SELECT fact.store, fact.{key}, %(now)s, %(ledger_id)s, changed.old, changed.new
    FROM {fact} AS fact
    JOIN incoming ON {due}
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(key, before.value) AS old, jsonb_object_agg(key, after.value) AS new
        FROM jsonb_each(to_jsonb(fact)) AS before
        JOIN jsonb_each(to_jsonb(incoming) || '{{"missing_since": null}}') AS after USING (key)
        WHERE before.value <> after.value AND key <> 'row_hash'
        HAVING count(*) > 0
    ) AS changed
"""

UPDATE: LiteralString = """
    UPDATE {fact} AS fact
    SET ({columns}) = ROW({incoming_columns}),
        row_hash = incoming.row_hash, changed_at = %(now)s, ledger_id = %(ledger_id)s, missing_since = NULL
    FROM incoming WHERE {due}
"""

INSERT: LiteralString = """
    INSERT INTO {fact} (store, {columns}, row_hash, first_seen_at, changed_at, ledger_id)
    SELECT %(store)s, {columns}, row_hash, %(now)s, %(now)s, %(ledger_id)s FROM incoming
    WHERE NOT EXISTS (SELECT FROM {fact} AS fact WHERE fact.store = %(store)s AND fact.{key} = incoming.{key})
"""

MARK_MISSING: LiteralString = """
    WITH gone AS (
        UPDATE {fact} AS fact SET missing_since = %(now)s, changed_at = %(now)s, ledger_id = %(ledger_id)s
        WHERE store = %(store)s AND business_day = ANY(%(days)s) AND missing_since IS NULL
            AND ledger_id <= %(ledger_id)s AND {key} <> ALL(%(also_present)s::text[])
            AND NOT EXISTS (SELECT FROM incoming WHERE incoming.{key} = fact.{key})
        RETURNING store, {key}
    )
    INSERT INTO {history} (store, {key}, changed_at, ledger_id, old, new)
    SELECT store, {key}, %(now)s, %(ledger_id)s,
        '{{"missing_since": null}}', jsonb_build_object('missing_since', %(now)s::timestamptz)
    FROM gone
"""


def _refuse_doubles(report: Report, store: str, rows: "pd.DataFrame") -> None:
    keys = rows[report.key]
    if not (doubled := keys[keys.duplicated()]).empty:
        raise BadReport(
            f"{report.crm}/{store}: expected each {report.key} once, found {len(doubled)} repeated, "
            f"{doubled.iloc[0]} first. Nothing was loaded"
        )


def _copy_incoming(conn: Connection, report: Report, rows: "pd.DataFrame") -> None:
    conn.execute("DROP TABLE IF EXISTS pg_temp.incoming")
    _run(conn, report, CREATE_INCOMING, {})
    copy_frame(conn, "incoming", _columns(report), rows)
    _run(conn, report, HASH, {})


def _run(conn: Connection, report: Report, statement: LiteralString, given: dict[str, Any]) -> int:
    """Execute a statement of this module on the report's tables; returns the number of rows it wrote."""
    key, columns = sql.Identifier(report.key), _columns(report)
    composed = sql.SQL(statement).format(
        fact=sql.Identifier(report.fact_table),
        history=sql.Identifier(report.history_table),
        key=key,
        columns=identifiers(columns),
        incoming_columns=sql.SQL(", ").join(sql.Identifier("incoming", name) for name in columns),
        hashed=_hashed(report),
        due=sql.SQL(DUE).format(key=key),
    )
    return conn.execute(composed, given).rowcount


def _columns(report: Report) -> list[str]:
    return ["business_day", *(column.name for column in report.fact_columns)]


def _hashed(report: Report) -> sql.Composed:
    """What the hash covers, written alike for equal values: 1.5 and 1.50 are one weight. Money has two decimals by its type."""
    numbers = {column.name for column in report.fact_columns if column.kind is Kind.NUMBER}
    trimmed, plain = sql.SQL("trim_scale({})"), sql.SQL("{}")
    return sql.SQL(", ").join(
        (trimmed if name in numbers else plain).format(sql.Identifier(name)) for name in _columns(report)
    )
