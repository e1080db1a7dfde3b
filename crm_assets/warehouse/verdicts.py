"""Verdicts: what the warehouse itself says of a store's days, asked anew of its tables each time.

Each question is one statement over the days at hand. Who asks, and how it is shown, belongs to ``pipeline/checks.py``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, LiteralString

from psycopg import sql

from crm_assets.model import Report
from crm_assets.warehouse.connection import Connection

TOLERANCE = Decimal("0.05")  # as in proof.py: the portals add floating point numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a day passes, and the figures that say so."""

    day: date
    passed: bool
    figures: dict[str, Any] = field(default_factory=dict)


KEYS: LiteralString = """
    SELECT business_day, count(*), count({key}) - count(DISTINCT trim({key})) FROM {staging}
    WHERE store = %(store)s AND business_day = ANY(%(days)s) GROUP BY business_day
"""

# A row without a readable date is filed under another day by each export that holds it: its own texts tell it, not the day.
UNACCOUNTED: LiteralString = """
    SELECT staged.business_day, count(*), count(*) FILTER (WHERE
        NOT EXISTS (SELECT FROM {fact} AS fact WHERE fact.store = %(store)s AND fact.{key} = trim(staged.{key}))
        AND NOT EXISTS (
            SELECT FROM rejected_rows WHERE crm = %(crm)s AND report = %(report)s AND store = %(store)s
                AND status <> 'replayed' AND raw ->> %(key)s IS NOT DISTINCT FROM staged.{key}
                AND (rejected_rows.business_day = staged.business_day OR raw ->> %(day)s IS NOT DISTINCT FROM staged.{day})))
    FROM {staging} AS staged WHERE store = %(store)s AND business_day = ANY(%(days)s) GROUP BY staged.business_day
"""

OPEN_REJECTS: LiteralString = """
    SELECT business_day, count(*) FROM rejected_rows
    WHERE crm = %(crm)s AND report = %(report)s AND store = %(store)s AND status = 'open' AND business_day = ANY(%(days)s)
    GROUP BY business_day
"""

VANISHED: LiteralString = """
    SELECT business_day, count(*), count(missing_since) FROM {fact}
    WHERE store = %(store)s AND business_day = ANY(%(days)s) GROUP BY business_day
"""

HEADERS: LiteralString = """
    SELECT business_day, this.headers, before.headers
    FROM staging_slice JOIN download_ledger AS this ON this.ledger_id = coalesce(confirmed_by, staging_slice.ledger_id)
    LEFT JOIN LATERAL (
        SELECT headers FROM download_ledger AS earlier
        WHERE (earlier.crm, earlier.report, earlier.store) = (this.crm, this.report, this.store) AND headers IS NOT NULL
            AND (earlier.requested_at, earlier.ledger_id) < (this.requested_at, this.ledger_id)
            AND earlier.status IN ('ingested', 'empty', 'unchanged')
        ORDER BY earlier.requested_at DESC, earlier.ledger_id DESC LIMIT 1
    ) AS before ON true
    WHERE staging_slice.crm = %(crm)s AND staging_slice.report = %(report)s AND staging_slice.store = %(store)s
        AND business_day = ANY(%(days)s)
"""

CLAIMS: LiteralString = """
    WITH whole AS (
        SELECT there.ledger_id, claimed_rows, claimed_sums, array_agg(business_day) AS days
        FROM staging_slice JOIN download_ledger AS there USING (ledger_id)
        WHERE staging_slice.crm = %(crm)s AND staging_slice.report = %(report)s AND staging_slice.store = %(store)s
            AND there.ledger_id IN (
                SELECT ledger_id FROM staging_slice
                WHERE crm = %(crm)s AND report = %(report)s AND store = %(store)s AND business_day = ANY(%(days)s))
        GROUP BY there.ledger_id HAVING count(*) = there.to_date - there.from_date + 1
    )
    SELECT days, claimed_rows, claimed_sums, (
            SELECT count(*) FROM rejected_rows WHERE crm = %(crm)s AND report = %(report)s AND store = %(store)s
                AND status <> 'replayed' AND business_day = ANY(days)), loaded.*
    FROM whole, LATERAL (
        SELECT count(*), {sums} FROM {fact}
        WHERE store = %(store)s AND business_day = ANY(days) AND missing_since IS NULL
    ) AS loaded
"""


def keys_are_unique(conn: Connection, report: Report, store: str, days: Sequence[date]) -> list[Verdict]:
    """No business key stands twice in a day's staged rows."""
    found = {day: (rows, doubled) for day, rows, doubled in _ask(conn, KEYS, report, store, days)}
    told = ((day, *found.get(day, (0, 0))) for day in days)
    return [
        Verdict(day=day, passed=not doubled, figures={"rows": rows, "doubled": doubled}) for day, rows, doubled in told
    ]


def rows_are_accounted_for(conn: Connection, report: Report, store: str, days: Sequence[date]) -> list[Verdict]:
    """Every staged row is a fact or a rejected row."""
    found = {day: (rows, lost) for day, rows, lost in _ask(conn, UNACCOUNTED, report, store, days)}
    told = ((day, *found.get(day, (0, 0))) for day in days)
    return [
        Verdict(day=day, passed=not lost, figures={"staged rows": rows, "unaccounted": lost})
        for day, rows, lost in told
    ]


def no_rejects_are_open(conn: Connection, report: Report, store: str, days: Sequence[date]) -> list[Verdict]:
    """No row of the day waits for a person."""
    found = dict(_ask(conn, OPEN_REJECTS, report, store, days))
    return [Verdict(day=day, passed=day not in found, figures={"open rejects": found.get(day, 0)}) for day in days]


def nothing_vanished(conn: Connection, report: Report, store: str, days: Sequence[date]) -> list[Verdict]:
    """The newest export holds every row that an earlier one held."""
    found = {day: (rows, missing) for day, rows, missing in _ask(conn, VANISHED, report, store, days)}
    told = ((day, *found.get(day, (0, 0))) for day in days)
    return [
        Verdict(day=day, passed=not missing, figures={"facts": rows, "missing": missing}) for day, rows, missing in told
    ]


def columns_are_as_before(conn: Connection, report: Report, store: str, days: Sequence[date]) -> list[Verdict]:
    """The file's headers are those of the last good file before it; what changed is in the figures: the drift report."""
    known = {header for column in report.file_columns for header in (column.header, *column.aliases)}
    return [
        Verdict(day=day, passed=not drift, figures=drift or {"columns": len(now or ())})
        for day, now, before in _ask(conn, HEADERS, report, store, days)
        for drift in [_drift(now or [], before or now or [], known)]
    ]


def sums_are_the_portals(conn: Connection, report: Report, store: str, days: Sequence[date]) -> list[Verdict]:
    """The facts of an export's days count and sum to what the portal itself stated. Days whose export is no longer whole in
    staging, because a newer one took over some of its days, have no such statement.
    """
    names = (
        list(report.footer.sums) if report.footer else [c.name for c in report.fact_columns if c.kind.value == "money"]
    )
    verdicts = dict[date, Verdict]()
    for of_days, rows, sums, rejected, loaded, *totals in _ask(conn, CLAIMS, report, store, days, names=names):
        found = dict(zip(names, totals, strict=True))
        wrong = {
            name: f"portal {value}, facts {found[name]}"
            for name, value in sums.items()
            if not rejected and name in found and abs(Decimal(value) - found[name]) > TOLERANCE
        }
        if rows is not None and rows != loaded + rejected:
            wrong["rows"] = f"portal {rows}, facts {loaded}, rejected {rejected}"
        figures = wrong or {
            "stated by the portal": ", ".join([*(["rows"] if rows is not None else []), *sums]) or "nothing"
        }
        verdicts |= {day: Verdict(day=day, passed=not wrong, figures=figures) for day in of_days if day in days}
    nothing = {"stated by the portal": "nothing for these days alone"}
    return [verdicts.get(day, Verdict(day=day, passed=True, figures=nothing)) for day in days]


def _drift(now: list[str], before: list[str], known: set[str]) -> dict[str, Any]:
    """What changed between two files' headers; empty when nothing did."""
    added, gone = [header for header in now if header not in before], [header for header in before if header not in now]
    told = {
        "added": ", ".join(added),
        "gone": ", ".join(gone),
        "unknown to the report": ", ".join(header for header in added if header not in known),
        "order": "" if added or gone or now == before else "another one",
    }
    return {name: text for name, text in told.items() if text}


def _ask(
    conn: Connection,
    statement: LiteralString,
    report: Report,
    store: str,
    days: Sequence[date],
    names: Sequence[str] = (),
) -> Iterator[tuple[Any, ...]]:
    sums = [sql.SQL("coalesce(sum({}), 0)").format(sql.Identifier(name)) for name in names]
    composed = sql.SQL(statement).format(
        key=sql.Identifier(report.key),
        day=sql.Identifier(report.day),
        staging=sql.Identifier(report.staging_table),
        fact=sql.Identifier(report.fact_table),
        sums=sql.SQL(", ").join(sums),
    )
    named = {"crm": report.crm, "report": report.name, "key": report.key, "day": report.day}
    given = {"store": store, "days": list(days), **named}
    return iter(conn.execute(composed, given).fetchall())


type Question = Callable[[Connection, Report, str, Sequence[date]], list[Verdict]]
