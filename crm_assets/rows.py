"""Rows: texts become typed values by the report's column table; what cannot is named.

A row without a readable required value becomes a Reject; an unreadable optional value becomes null. No format is ever guessed:
``01/02/2026`` is what the column's formats say it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from crm_assets.model import IST, Column, Kind, Problem, Reject, Report

if TYPE_CHECKING:
    import pandas as pd

WHOLE_DIGITS = 9  # a number that no column of the warehouse could hold is not a readable one


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedRows:
    """``rows``: one column of Python values per fact column plus ``business_day``; ``warnings``: unreadable optional values."""

    rows: "pd.DataFrame"
    rejects: tuple[Reject, ...]
    warnings: int


def read_rows(texts: "pd.DataFrame", report: Report) -> TypedRows:
    """Type the staged texts of one report. ``texts`` holds its columns, ``row_number`` and ``business_day``."""
    import pandas as pd

    values: dict[str, list[Any]] = {}
    problems: dict[int, list[Problem]] = {}
    warnings = 0
    for column in report.fact_columns:
        values[column.name] = []
        for at, text in enumerate(texts[column.name]):
            value = read_value(text, column)
            values[column.name].append(value)
            if value is None and (text is not None or column.required):
                warnings += not column.required
                if column.required:
                    problems.setdefault(at, []).append(Problem(column=column.name, rule=rule(column), value=text))
    typed = pd.DataFrame({**values, "business_day": list(texts["business_day"])}, dtype=object)
    good = [at for at in range(len(typed)) if at not in problems]
    rejects = tuple(_reject(texts, at, found) for at, found in sorted(problems.items()))
    return TypedRows(rows=typed.iloc[good].reset_index(drop=True), rejects=rejects, warnings=warnings)


def read_value(text: str | None, column: Column) -> Any:
    """One cell's value, or None where it is empty or not of its column's kind."""
    return None if text is None else READERS[column.kind](text.strip(), column)


def business_day_of(text: str | None, report: Report) -> date | None:
    """The day a row belongs to, or None when its date cannot be read."""
    value = read_value(text, report.column(report.day))
    return value.astimezone(IST).date() if isinstance(value, datetime) else value


def rule(column: Column) -> str:
    """The rule of a required column, in words."""
    if column.formats:
        return f"a date as {' or '.join(column.formats)}"
    return "not empty" if column.kind is Kind.TEXT else f"a readable {column.kind}"


def _reject(texts: "pd.DataFrame", at: int, problems: list[Problem]) -> Reject:
    row = texts.iloc[at]
    names = [name for name in texts.columns if name not in ("row_number", "business_day", "_extra")]
    return Reject(
        day=row["business_day"],
        row_number=int(row["row_number"]),
        raw={str(name): row[name] for name in names},
        problems=tuple(problems),
    )


def _text(text: str, _column: Column) -> str | None:
    return text or None


def _number(text: str, _column: Column) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and (not value or value.adjusted() < WHOLE_DIGITS) else None


def _integer(text: str, column: Column) -> int | None:
    value = _number(text, column)
    return int(value) if value is not None and value == value.to_integral_value() else None


def _money(text: str, column: Column) -> Decimal | None:
    value = _number(text, column)
    return None if value is None else value.quantize(Decimal("0.01"))


def _moment(text: str, column: Column) -> datetime | None:
    for pattern in column.formats:
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=IST)
        except ValueError:
            continue
    return None


def _day(text: str, column: Column) -> date | None:
    moment = _moment(text, column)
    return moment.date() if moment else None


READERS: dict[Kind, Callable[[str, Column], Any]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.MONEY: _money,
    Kind.DAY: _day,
    Kind.MOMENT: _moment,
}
