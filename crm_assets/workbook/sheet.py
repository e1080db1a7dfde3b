"""A sheet's XML seen cell by cell, for what a spreadsheet reader is silent about.

The reader shows an error, an empty cell and one that is covered by a merge alike as nothing, a formula as the value it once had,
and ends the process on a cell at ``XFD1048576``. Found here, before it reads: places in order and within limits, and every
cell that is not a plain value. Reading the plain ones is its business (``__init__.py``).
"""

import re
from dataclasses import dataclass, field

from crm_assets.errors import NotAWorkbook, TooLarge
from crm_assets.model import FORMULA, MERGED, SPREADSHEET_ERRORS

ROWS, COLUMNS, CELLS = 50_000, 300, 500_000  # a year of the busiest store has 6,600 rows of 42 cells
EXACT_DIGITS = 15  # more of them do not survive in a spreadsheet's numbers
PLACE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
LONG_NUMBER = re.compile(rf"-?\d{{{EXACT_DIGITS + 1},}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """``instead``: texts to show in place of what the reader says, by row and column, both from 1."""

    instead: dict[tuple[int, int], str]


@dataclass(slots=True)
class SheetScanner:
    """Handlers for the sheet's elements, in document order."""

    _instead: dict[tuple[int, int], str] = field(default_factory=dict)
    _row: int = 0
    _column: int = 0
    _cells: int = 0
    _kind: str = "n"
    _in_cell: bool = False
    _values: int = 0
    _is_formula: bool = False
    _value: list[str] | None = None

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                self._begin_row(attributes)
            case "c":
                self._begin_cell(attributes)
            case "v" if self._in_cell:
                self._values += 1
                self._value = []
            case "f" if self._in_cell:
                self._is_formula = True
            case "mergeCell":
                self._merge(attributes.get("ref", ""))

    def text(self, text: str) -> None:
        if self._value is not None:
            self._value.append(text)

    def end(self, name: str) -> None:
        if name.rpartition(":")[2] == "c":
            self._end_cell()

    def scan(self) -> Scan:
        return Scan(instead=self._instead)

    def _begin_row(self, attributes: dict[str, str]) -> None:
        number = _whole(attributes["r"]) if "r" in attributes else self._row + 1
        if number <= self._row:
            raise NotAWorkbook(f"expected rows in order, found row {number} after row {self._row}")
        if number > ROWS:
            raise TooLarge(f"expected a sheet of at most {ROWS} rows, found row {number}")
        self._row, self._column = number, 0

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        column, row = place_of(place) if place is not None else (self._column + 1, self._row)
        if row != self._row or column <= self._column:
            raise NotAWorkbook(f"expected cells in order, found {place} in row {self._row} after column {self._column}")
        self._cells += 1
        if column > COLUMNS or self._cells > CELLS:
            raise TooLarge(f"expected a sheet of at most {COLUMNS} columns and {CELLS} cells, found more")
        self._column, self._kind, self._in_cell = column, attributes.get("t", "n"), True
        self._values, self._is_formula, self._value = 0, False, None

    def _end_cell(self) -> None:
        if self._values > 1:
            raise NotAWorkbook(f"expected one value in a cell, found {self._values} in row {self._row}")
        value = "".join(self._value or ()).strip()
        at = self._row, self._column
        if self._is_formula:
            self._instead[at] = FORMULA
        elif self._kind == "e":
            self._instead[at] = value if value in SPREADSHEET_ERRORS else SPREADSHEET_ERRORS[2]
        elif self._kind == "n" and LONG_NUMBER.fullmatch(value):
            self._instead[at] = value
        self._in_cell, self._value = False, None

    def _merge(self, area: str) -> None:
        """Every cell of a merge but its first."""
        first, _, last = area.partition(":")
        left, top = place_of(first)
        right, bottom = place_of(last or first)
        if right > COLUMNS or bottom > ROWS or (right - left + 1) * (bottom - top + 1) + len(self._instead) > CELLS:
            raise TooLarge(f"expected merged cells within {COLUMNS} columns and {ROWS} rows, found {area}")
        covered = {(row, column) for row in range(top, bottom + 1) for column in range(left, right + 1)}
        self._instead.update(dict.fromkeys(covered - {(top, left)}, MERGED))


def place_of(text: str) -> tuple[int, int]:
    """Column and row of ``AB12``, both from 1. Raises NotAWorkbook for anything else."""
    found = PLACE.fullmatch(text)
    if not found:
        raise NotAWorkbook(f"expected a cell's place such as AB12, found {text!r}")
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - ord("A") + 1
    return column, int(found[2])


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise NotAWorkbook(f"expected a row's number, found {text!r}")
    return int(text)
