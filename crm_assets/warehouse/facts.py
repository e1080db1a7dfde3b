"""Facts: typed rows by business key, each written only when it changed, each change kept in the history.

Parsing and rejecting come before, the audit after. A fact row is never deleted: one that a newer export lacks is marked.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg import sql
from psycopg.types.json import Jsonb

from crm_assets.model import Kind, Problem, Report
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

    ``rows``: ``business_day`` (date), every ``report.fact_columns`` (str, int, Decimal, date, aware datetime or None) and
    ``warnings`` (a sequence of Problem, or None). A row whose key is new is inserted; one whose values or day changed, or that
    was missing, is updated with a history entry; others are not touched. A fact of these days without a row is marked missing,
    unless its key is in ``also_present``: the keys whose row was rejected. An older export never undoes what a newer one said;
    which is older, the time it was asked for says. Two rows with one key are a defect of the caller's.
    """
    given = {"store": store, "days": list(days), "ledger_id": ledger_id, "now": now, "also_present": list(also_present)}
    with conn.transaction():
        one_load(conn, report, store)
        _copy_incoming(conn, report, rows)
        _run(conn, report, KEEP_OLD_VALUES, given)
        updated = _run(conn, report, UPDATE, given)
        inserted = _run(conn, report, INSERT, given)
        missing = _run(conn, report, MARK_MISSING, given)
    return Counts(inserted=inserted, updated=updated, unchanged=len(rows) - inserted - updated, missing=missing)


def one_load(conn: Connection, report: Report, store: str) -> None:
    """Hold back other loads of the store until this transaction ends: two at once would both insert."""
    conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"crm_assets:{report.fact_table}:{store}"])


def present_and_lacking(
    conn: Connection, report: Report, *, store: str, days: Sequence[date], keys: Collection[str]
) -> dict[date, tuple[int, int]]:
    """For each of these days with facts that are not missing: how many there are, and how many of them are not in ``keys``."""
    statement = sql.SQL(
        """
        SELECT business_day, count(*), count(*) FILTER (WHERE {key} <> ALL(%(keys)s::text[]))
        FROM {fact} WHERE store = %(store)s AND business_day = ANY(%(days)s) AND missing_since IS NULL
        GROUP BY business_day ORDER BY business_day
        """
    ).format(key=sql.Identifier(report.key), fact=sql.Identifier(report.fact_table))
    found = conn.execute(statement, {"store": store, "days": list(days), "keys": list(keys)})
    return {day: (present, lacking) for day, present, lacking in found}


def twins_in_other_stores(
    conn: Connection, report: Report, *, store: str, keys: Sequence[str], times: Sequence[date | datetime]
) -> dict[str, int]:
    """How many of these keys, at these times, are facts of another store, for each such store."""
    statement = sql.SQL(
        """
        SELECT store, count(*)
        FROM unnest(%s::text[], %s::{kind}[]) AS given (key, at)
        JOIN {fact} AS fact ON fact.{key} = given.key AND fact.{at} = given.at
        WHERE store <> %s GROUP BY store
        """
    ).format(
        key=sql.Identifier(report.key),
        at=sql.Identifier(report.day),
        fact=sql.Identifier(report.fact_table),
        kind=sql.SQL("date" if report.column(report.day).kind is Kind.DAY else "timestamptz"),
    )
    return dict(conn.execute(statement, [list(keys), list(times), store]).fetchall())


CREATE_INCOMING: LiteralString = """
    CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS SELECT {columns}, row_hash FROM {fact} WITH NO DATA
"""

# Over the values that are there, by name: a column that is added later changes no row which does not use it.
HASH: LiteralString = """
    UPDATE incoming SET row_hash = md5(jsonb_strip_nulls(to_jsonb(incoming) - 'row_hash' || jsonb_build_object({trimmed}))::text)
"""

# An update is due when a value changed or the row was missing, and this export is not older than the one that last changed it.
DUE: LiteralString = """
    fact.store = %(store)s AND fact.{key} = incoming.{key}
    AND (fact.row_hash <> incoming.row_hash OR fact.missing_since IS NOT NULL) AND {not_older}
"""

NOT_OLDER: LiteralString = """
    (SELECT (last.requested_at, last.ledger_id) <= (this.requested_at, this.ledger_id)
    FROM download_ledger AS last, download_ledger AS this
    WHERE last.ledger_id = fact.ledger_id AND this.ledger_id = %(ledger_id)s)
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

# In order, so that every row is found to be new before the first is written: a table that counts as empty is searched without its
# index, and would be searched again for each row, through all those that were just written.
INSERT: LiteralString = """
    INSERT INTO {fact} (store, {columns}, row_hash, first_seen_at, changed_at, ledger_id)
    SELECT %(store)s, {columns}, row_hash, %(now)s, %(now)s, %(ledger_id)s FROM incoming
    WHERE NOT EXISTS (SELECT FROM {fact} AS fact WHERE fact.store = %(store)s AND fact.{key} = incoming.{key})
    ORDER BY {key}
"""

MARK_MISSING: LiteralString = """
    WITH gone AS (
        UPDATE {fact} AS fact SET missing_since = %(now)s, changed_at = %(now)s, ledger_id = %(ledger_id)s
        WHERE store = %(store)s AND business_day = ANY(%(days)s) AND missing_since IS NULL
            AND {not_older} AND {key} <> ALL(%(also_present)s::text[])
            AND NOT EXISTS (SELECT FROM incoming WHERE incoming.{key} = fact.{key})
        RETURNING store, {key}
    )
    INSERT INTO {history} (store, {key}, changed_at, ledger_id, old, new)
    SELECT store, {key}, %(now)s, %(ledger_id)s,
        '{{"missing_since": null}}', jsonb_build_object('missing_since', %(now)s::timestamptz)
    FROM gone
"""


def _copy_incoming(conn: Connection, report: Report, rows: "pd.DataFrame") -> None:
    conn.execute("DROP TABLE IF EXISTS pg_temp.incoming")
    _run(conn, report, CREATE_INCOMING, {})
    copy_frame(conn, "incoming", _columns(report), rows.assign(warnings=rows["warnings"].map(_as_json)))
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
        trimmed=_trimmed(report),
        not_older=sql.SQL(NOT_OLDER),
        due=sql.SQL(DUE).format(key=key, not_older=sql.SQL(NOT_OLDER)),
    )
    return conn.execute(composed, given).rowcount


def _columns(report: Report) -> list[str]:
    return ["business_day", *(column.name for column in report.fact_columns), "warnings"]


def _as_json(warnings: Iterable[Problem] | None) -> Jsonb | None:
    return Jsonb([asdict(problem) for problem in warnings]) if warnings else None


def _trimmed(report: Report) -> sql.Composed:
    """Numbers written alike when they are equal: 1.5 and 1.50 are one weight. Money has two decimals by its type."""
    numbers = [column.name for column in report.fact_columns if column.kind is Kind.NUMBER]
    return sql.SQL(", ").join(sql.SQL("{}, trim_scale({})").format(name, sql.Identifier(name)) for name in numbers)
