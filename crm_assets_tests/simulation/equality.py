"""Equality: a store's facts, day by day and row by row, against what the sandbox's books said when the day was last asked for.

Expected values are read from the books' cells here, not by the product's readers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crm_assets.model import IST, Column, Kind, Report, Store, Window
from crm_assets.sandbox.books import Books
from crm_assets.sandbox.layouts import Cell
from crm_assets_tests.fixtures.dagster import Pipeline
from crm_assets_tests.simulation.worker import rows_of

type Facts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedDay:
    """A day of a store: when its newest export was asked for, whether it is final, and its facts by their business key.

    ``difference``: the keys whose rows are not the books' of that moment. ``changed_since``: how many are otherwise by now.
    """

    day: date
    asked_at: datetime
    is_final: bool
    rows: int
    difference: tuple[str, ...]
    changed_since: int


def loaded_days(pipeline: Pipeline, report: Report, store: Store) -> list[LoadedDay]:
    """Every day of the store that the warehouse knows, compared."""
    days = pipeline.rows(
        """
        SELECT business_day, requested_at, final_at IS NOT NULL AS is_final
        FROM staging_slice JOIN download_ledger AS newest ON newest.ledger_id = coalesce(confirmed_by, staging_slice.ledger_id)
        WHERE staging_slice.crm = %s AND staging_slice.store = %s ORDER BY business_day
        """,
        store.crm,
        store.code,
    )
    facts = _facts_by_day(pipeline, report, store)
    return [
        _compared(pipeline.sandbox.books, report, store, facts.get(found["business_day"], {}), **found)
        for found in days
    ]


def _compared(
    sold: Books,
    report: Report,
    store: Store,
    facts: Facts,
    *,
    business_day: date,
    requested_at: datetime,
    is_final: bool,
) -> LoadedDay:
    meant = _meant(sold, report, store, business_day, requested_at)
    by_now = _meant(sold, report, store, business_day, None)
    return LoadedDay(
        day=business_day,
        asked_at=requested_at,
        is_final=is_final,
        rows=len(facts),
        difference=_differing(facts, meant),
        changed_since=len(_differing(facts, by_now)),
    )


def _differing(facts: Facts, meant: Facts) -> tuple[str, ...]:
    return tuple(sorted(key for key in facts.keys() | meant.keys() if facts.get(key) != meant.get(key)))


def _facts_by_day(pipeline: Pipeline, report: Report, store: Store) -> Mapping[date, Facts]:
    columns = ", ".join(["business_day", *(column.name for column in report.fact_columns)])
    found: dict[date, dict[str, Mapping[str, Any]]] = {}
    for row in pipeline.rows(
        f"SELECT {columns} FROM {report.fact_table} WHERE store = %s AND missing_since IS NULL",  # noqa: S608 - our names
        store.code,
    ):
        found.setdefault(row.pop("business_day"), {})[row[report.key]] = row
    return found


def _meant(sold: Books, report: Report, store: Store, day: date, as_of: datetime | None) -> Facts:
    rows = rows_of(sold, store, Window(first=day, last=day), as_of)
    typed = [{column.name: _value(row[column.header], column) for column in report.fact_columns} for row in rows]
    return {row[report.key]: row for row in typed}


READ: Mapping[Kind, Callable[[str, Column], Any]] = {
    Kind.TEXT: lambda text, _: text.strip() or None,
    Kind.INTEGER: lambda text, _: int(text),
    Kind.NUMBER: lambda text, _: Decimal(text),
    Kind.MONEY: lambda text, _: Decimal(text),
    Kind.DAY: lambda text, column: datetime.strptime(text, column.formats[0]).date(),  # noqa: DTZ007 - a day has no zone
    Kind.MOMENT: lambda text, column: datetime.strptime(text, column.formats[0]).replace(tzinfo=IST),
}


def _value(cell: Cell, column: Column) -> Any:
    return None if cell is None else READ[column.kind](str(cell), column)
