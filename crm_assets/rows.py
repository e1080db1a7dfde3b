"""Rows: texts become typed values by the report's column table; what cannot is named.

A row without a readable key, day or number becomes a Reject with every rule that it broke to be one; what is odd elsewhere is
loaded with a warning. No format is ever guessed: ``01/02/2026`` is what the column's formats say it is.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from crm_assets.model import IST, NOT_PLAIN, Column, Kind, Problem, Reject, Report

if TYPE_CHECKING:
    import pandas as pd

WHOLE_DIGITS = 9  # a number that no column of the warehouse could hold is not a readable one
IN_WORDS = {
    Kind.TEXT: "not empty",
    Kind.INTEGER: "a whole number",
    Kind.NUMBER: "a number",
    Kind.MONEY: "an amount in rupees",
    Kind.DAY: "a date",
    Kind.MOMENT: "a date and time",
}
EXAMPLE = datetime(2025, 11, 24, 11, 18, 3)  # noqa: DTZ001 - shown, not compared
NUMBERS = (Kind.INTEGER, Kind.NUMBER, Kind.MONEY)
RUPEES = re.compile(r"^([+-]?)\s*(?:₹|Rs\.?|INR)?\s*|\s*(?:₹|/-)$", re.IGNORECASE)
PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(E[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
COMMA = re.compile("[,\u0020\u00a0\u2009\u202f]")  # or one of the spaces that stand for it
GROUPED = re.compile(  # 1,20,000.50 as in India, or 120,000.50 as elsewhere; 0,500 may be a half
    rf"[+-]?([1-9]\d?({COMMA.pattern}\d\d)*{COMMA.pattern}\d{{3}}|[1-9]\d{{0,2}}({COMMA.pattern}\d{{3}})+)(\.\d*)?",
    re.ASCII,
)
DATE_CELL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", re.ASCII)  # what workbook makes of a date cell


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedRows:
    """``rows``: one column of Python values per fact column, ``business_day`` and ``warnings`` (a tuple of Problem, or None).

    ``warnings`` counts the loaded rows' problems.
    """

    rows: "pd.DataFrame"
    rejects: tuple[Reject, ...]
    warnings: int


def read_rows(texts: "pd.DataFrame", report: Report) -> TypedRows:
    """Type the staged texts of one report. ``texts`` holds its columns, ``row_number``, ``business_day`` and ``_extra``.

    A column that was unknown when the row was staged is taken out of ``_extra``.
    """
    import pandas as pd

    extras = [(at, extra) for at, extra in enumerate(texts["_extra"]) if extra] if "_extra" in texts else []
    cells = {column.name: _cells(texts[column.name].tolist(), extras, column) for column in report.columns}
    values, odd = dict[str, list[Any]](), dict[int, _Odd]()
    for column in report.fact_columns:
        reading = _Reading(column)
        values[column.name] = [reading[text][0] for text in cells[column.name]]
        _note_odd(odd, reading, cells[column.name])
    values["business_day"] = texts["business_day"].tolist()
    values["warnings"] = [None] * len(texts)
    for at, row in odd.items():
        values["warnings"][at] = tuple(row.problems)
    refused = sorted(at for at, row in odd.items() if row.fatal)
    typed = pd.DataFrame(values, dtype=object).drop(index=refused).reset_index(drop=True)
    return TypedRows(
        rows=typed,
        rejects=tuple(
            Reject(
                day=values["business_day"][at],
                row_number=int(texts["row_number"].iloc[at]),
                raw={name: column[at] for name, column in cells.items()},
                problems=tuple(odd[at].fatal),
            )
            for at in refused
        ),
        warnings=sum(len(problems) for problems in typed["warnings"] if problems),
    )


def read_value(text: str | None, column: Column) -> Any:
    """One cell's value, or None where it is empty or not of its column's kind."""
    return None if text is None else READERS[column.kind](text.strip(), column)


def business_day_of(text: str | None, report: Report) -> date | None:
    """The day a row belongs to, or None when its date cannot be read."""
    value = read_value(text, report.column(report.day))
    return value.astimezone(IST).date() if isinstance(value, datetime) else value


def rule(column: Column) -> str:
    """What a value of the column must be, in words."""
    if column.formats:
        return f"a date as {' or '.join(f'{EXAMPLE:{form}}' for form in column.formats)}"
    return IN_WORDS[column.kind]


class _Reading(dict["str | None", tuple[Any, tuple[Problem, ...], bool]]):
    """A column's cells by their text: the value, the rules it breaks, and whether they are fatal. A text is read once."""

    def __init__(self, column: Column) -> None:
        super().__init__()
        self._column = column

    def __missing__(self, text: str | None) -> tuple[Any, tuple[Problem, ...], bool]:
        value, column = read_value(text, self._column), self._column
        problems = tuple(_problems(text, value, column))
        read = self[text] = value, problems, any(_is_fatal(problem, column) for problem in problems)
        return read


@dataclass(slots=True)
class _Odd:
    """The rules that a row breaks, in the order of its columns; ``fatal`` are those of the columns that refuse the row."""

    problems: list[Problem] = field(default_factory=list)
    fatal: list[Problem] = field(default_factory=list)


def _note_odd(odd: dict[int, _Odd], reading: _Reading, cells: Sequence[str | None]) -> None:
    """Add what is wrong with the cells of one column to what is known of their rows."""
    if not any(problems for _, problems, _ in reading.values()):
        return
    for at, text in enumerate(cells):
        _, problems, is_fatal = reading[text]
        if problems:
            row = odd.setdefault(at, _Odd())
            row.problems += problems
            row.fatal += problems if is_fatal else ()


def _cells(
    found: list[str | None], extras: Iterable[tuple[int, Mapping[str, str]]], column: Column
) -> list[str | None]:
    """The column's staged texts, and what an unknown column of the same header held when a row was staged."""
    for at, extra in extras:
        if found[at] is None:
            found[at] = next((extra[header] for header in (column.header, *column.aliases) if extra.get(header)), None)
    return found


def _problems(text: str | None, value: Any, column: Column) -> Iterator[Problem]:
    """Every rule that the text or its value breaks; an empty optional one breaks none."""
    if text is not None and text.strip() in NOT_PLAIN:
        yield Problem(column=column.name, rule="a plain value, no error, formula or merged cell", value=text)
    elif value is None:
        if column.required or (text is not None and text.strip()):
            yield Problem(column=column.name, rule=rule(column), value=text)
    elif text is not None and column.pattern and not re.fullmatch(column.pattern, text.strip()):
        yield Problem(column=column.name, rule=column.pattern_says, value=text)


def _is_fatal(problem: Problem, column: Column) -> bool:
    """Whether the row would be a wrong one with it: a key, a date or a number that is not known."""
    return column.required or column.kind in NUMBERS or (problem.value or "").strip() in NOT_PLAIN


def _text(text: str, _column: Column) -> str | None:
    return text or None


def _number(text: str, _column: Column) -> Decimal | None:
    """A number with or without the rupee sign and thousands commas, or spaces, where commas stand."""
    plain = RUPEES.sub(r"\1", text)
    if GROUPED.fullmatch(plain):
        plain = COMMA.sub("", plain)
    if not PLAIN.fullmatch(plain):
        return None
    value = Decimal(plain)
    return value if not value or value.adjusted() < WHOLE_DIGITS else None


def _integer(text: str, column: Column) -> int | None:
    value = _number(text, column)
    return int(value) if value is not None and value == value.to_integral_value() else None


def _money(text: str, column: Column) -> Decimal | None:
    value = _number(text, column)
    return None if value is None else value.quantize(Decimal("0.01"))


def _moment(text: str, column: Column) -> datetime | None:
    return _moment_as(text, column.formats)


@lru_cache(maxsize=20_000)  # a report is read for its proof, its staging and its facts, and dates take most of the time
def _moment_as(text: str, formats: tuple[str, ...]) -> datetime | None:
    if DATE_CELL.fullmatch(text):
        return _from_date_cell(text)
    for pattern in formats:
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=IST)
        except ValueError:
            continue
    return None


def _from_date_cell(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=IST)
    except ValueError:
        return None


def _day(text: str, column: Column) -> date | None:
    """A day; a date cell is one at midnight only."""
    moment = _moment(text, column)
    if moment is None or (DATE_CELL.fullmatch(text) and moment.time() != time.min):
        return None
    return moment.date()


READERS: dict[Kind, Callable[[str, Column], Any]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.MONEY: _money,
    Kind.DAY: _day,
    Kind.MOMENT: _moment,
}
