"""A sheet's XML, cell by cell: rows and cells in order, within limits, each once, and nothing between them.

A formula, its further results, and what a merge covers show as one of ``model.NOT_PLAIN``: the value saved beside a formula may
be an old one. What a plain cell shows belongs to ``cell.py``.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from crm_assets.errors import NotAWorkbook, TooLarge
from crm_assets.model import FORMULA, MERGED
from crm_assets.workbook.book import Book
from crm_assets.workbook.cell import plain_text, shown
from crm_assets.workbook.markup import Attributes, Nesting, parse
from crm_assets.workbook.plain_row import LETTERS, PlainRow, places_of_rows, plain_row

ROWS, COLUMNS, CELLS = 50_000, 300, 500_000  # a year of the busiest store has 6,600 rows of 42 cells
PLACE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
HOME = {  # an element that means something here means it in one place only
    "sheetData": "worksheet",
    "row": "sheetData",
    "c": "row",
    "v": "c",
    "f": "c",
    "is": "c",
    "mergeCell": "mergeCells",
}
INSIDE = {
    "sheetData": {"row"},
    "row": {"c"},
    "c": {"v", "f", "is"},
    "v": set[str](),
    "f": set[str](),
    "is": {"t", "r", "rPh", "phoneticPr"},
    "t": set[str](),
}
BARE = ("sheetData", "row", "c")  # hold elements only

type Cells = list[list[str | None]]
type Area = tuple[int, int, int, int]


def read_sheet(book: Book) -> Cells:
    """Every cell from A1 to the last row and column that hold anything, all rows equally long.

    Raises NotAWorkbook or TooLarge.
    """
    reader = _SheetReader(book, _Numbers(book))
    parse(book.sheet, reader.begin, reader.end, reader.text, pieces=reader.without_plain_cells)
    return reader.cells()


class _Numbers(dict[tuple[str, str], str | None]):
    """What a number of a style shows, by both: worked out once."""

    def __init__(self, book: Book) -> None:
        super().__init__()
        self._book = book

    def __missing__(self, number: tuple[str, str]) -> str | None:
        text = self[number] = shown("n", *number, self._book)
        return text


@dataclass(slots=True)
class _SheetReader:
    """Handlers for the sheet's elements, in document order."""

    _book: Book
    _numbers: _Numbers
    _cells: Cells = field(default_factory=list)
    _areas: list[tuple[Area, str]] = field(default_factory=list)
    _covered: int = 0
    _sheets: int = 0
    _open: Nesting = field(default_factory=Nesting)
    _row: int = 0
    _column: int = 0
    _width: int = 0
    _row_digits: str = ""
    _attributes: Attributes = field(default_factory=dict)
    _holders: str = ""
    _pieces: list[str] = field(default_factory=list)

    def without_plain_cells(self, sheet: bytes) -> Iterator[bytes]:
        """The sheet for the parser, without the plain cells: they are taken when it stands in their row."""
        told = 0
        for begin, end in places_of_rows(sheet):
            yield sheet[told:begin]
            told = begin
            if self._open[-1:] == ["row"] and (row := plain_row(sheet[begin:end], self._row_digits)):
                self._take(row)
                told = end
        yield sheet[told:]

    def begin(self, name: str, attributes: Attributes) -> None:
        parent = self._open[-1] if self._open else ""
        name = self._open.enter(name)
        inside = INSIDE.get(parent)
        if HOME.get(name, parent) != parent or (inside is not None and name not in inside):
            raise NotAWorkbook(f"expected rows, cells and values only, found another element near row {self._row}")
        match name:
            case "c":
                self._begin_cell(attributes)
            case "row":
                self._begin_row(attributes)
            case "v" | "is" | "f":
                self._holders += name
                if name == "f" and attributes.get("ref") and attributes.get("t") in ("array", "dataTable"):
                    self._cover(attributes["ref"], FORMULA)
            case "mergeCell":
                self._cover(attributes.get("ref", ""), MERGED)
            case "sheetData":
                self._sheets += 1

    def text(self, text: str) -> None:
        if self._open[-1] == "v" or self._open.in_string():
            self._pieces.append(text)
        elif self._open[-1] in BARE and not text.isspace():
            raise NotAWorkbook(f"expected text in a cell's value only, found some beside it near row {self._row}")

    def end(self, _name: str) -> None:
        if self._open.pop() == "c":
            row = self._cells[-1]
            if gap := self._column - 1 - len(row):
                row += [None] * gap
            row.append(self._shown())

    def cells(self) -> Cells:
        if self._sheets != 1:
            raise NotAWorkbook(
                f"expected a worksheet's cells once, found them {self._sheets} times. Look at the kept file"
            )
        for area, instead in self._areas:
            self._show(area, instead)
        while self._cells and is_blank(self._cells[-1]):
            self._cells.pop()
        width = max(map(_width, self._cells), default=0)
        for row in self._cells:
            row[:] = row[:width] + [None] * (width - len(row))
        return self._cells

    def _begin_row(self, attributes: Attributes) -> None:
        number = _whole(attributes["r"]) if "r" in attributes else self._row + 1
        if number <= self._row:
            raise NotAWorkbook(
                f"expected rows in order, found row {number} after row {self._row}. Look at the kept file"
            )
        self._make_room(number, 1)
        self._row, self._column, self._row_digits = number, 0, str(number)

    def _begin_cell(self, attributes: Attributes) -> None:
        place = attributes.get("r")
        column, row = (self._column + 1, self._row) if place is None else self._place(place)
        if row != self._row or column <= self._column:
            raise NotAWorkbook(f"expected cells in order, found {place} in row {self._row} after column {self._column}")
        if column > self._width:
            self._make_room(row, column)
        self._column, self._attributes, self._holders, self._pieces = column, attributes, "", []

    def _take(self, row: PlainRow) -> None:
        """All cells of the row that has just begun, as if each had been told."""
        if not row.columns:
            return
        self._column = row.columns[-1]
        if self._column > self._width:
            self._make_room(self._row, self._column)
        cells = self._cells[-1]
        cells += [None] * self._column
        for column, kind, style, value in zip(row.columns, row.types, row.styles, row.values, strict=True):
            match kind:
                case "str":
                    cells[column - 1] = plain_text(value)
                case None:
                    cells[column - 1] = self._numbers[value, style or "0"]
                case _:
                    cells[column - 1] = self._text(kind, style or "0", value)

    def _place(self, text: str) -> tuple[int, int]:
        """As ``place_of``; at once for a place in this row."""
        letters = text.rstrip("0123456789")
        if text[len(letters) :] == self._row_digits and letters in LETTERS:
            return LETTERS[letters], self._row
        return place_of(text)

    def _shown(self) -> str | None:
        """What the cell that ends here shows."""
        if "f" in self._holders:
            return FORMULA
        kind = self._attributes.get("t", "n")
        if self._holders and self._holders != ("is" if kind == "inlineStr" else "v"):
            raise NotAWorkbook(f"expected one value in a cell, found another number or kind of them in row {self._row}")
        return self._text(kind, self._attributes.get("s", "0"), "".join(self._pieces))

    def _text(self, kind: str, style: str, value: str) -> str | None:
        return self._numbers[value, style] if kind == "n" else shown(kind, value, style, self._book)

    def _cover(self, area: str, instead: str) -> None:
        """Note what stands instead of the cells of a merge, or of a formula with many results."""
        first, _, last = area.partition(":")
        left, top = place_of(first)
        right, bottom = place_of(last or first)
        if right < left or bottom < top:
            raise NotAWorkbook(f"expected an area's first cell before its last, found {area}. Look at the kept file")
        self._covered += (right - left + 1) * (bottom - top + 1)
        if right > COLUMNS or bottom > ROWS or self._covered > CELLS:
            raise TooLarge(f"expected merges within {COLUMNS} columns, {ROWS} rows and {CELLS} cells, found {area}")
        self._areas.append(((left, top, right, bottom), instead))

    def _show(self, area: Area, instead: str) -> None:
        """Write over the cells of the area; a merge's first cell shows what it holds."""
        left, top, right, bottom = area
        self._make_room(bottom, right)
        rows = self._cells[top - 1 : bottom]
        for row in rows:
            row += [None] * (right - len(row))
        first = rows[0][left - 1]
        for row in rows:
            row[left - 1 : right] = [instead] * (right - left + 1)
        if instead == MERGED:
            rows[0][left - 1] = first

    def _make_room(self, row: int, column: int) -> None:
        """Rows down to this one, once the whole area is not too large."""
        self._width = max(self._width, column)
        if row > ROWS or column > COLUMNS or max(row, len(self._cells)) * self._width > CELLS:
            raise TooLarge(
                f"expected a sheet of at most {ROWS} rows, {COLUMNS} columns and {CELLS} cells, found one at row {row}, "
                f"column {column}. Look at the kept file"
            )
        self._cells += [[] for _ in range(row - len(self._cells))]


def is_blank(row: Sequence[str | None]) -> bool:
    """Whether the row shows nothing: spaces are nothing to see."""
    return not any(text and not text.isspace() for text in row)


def _width(row: Sequence[str | None]) -> int:
    """How many columns there are up to the last one that holds anything."""
    width = len(row)
    while width and not row[width - 1]:
        width -= 1
    return width


def place_of(text: str) -> tuple[int, int]:
    """Column and row of ``AB12``, both from 1. Raises NotAWorkbook for anything else."""
    found = PLACE.fullmatch(text)
    if not found:
        raise NotAWorkbook(f"expected a cell's place such as AB12, found {text[:12]!r}. Look at the kept file")
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - ord("A") + 1
    return column, int(found[2])


def _whole(text: str) -> int:
    if not re.fullmatch("[0-9]{1,7}", text):
        raise NotAWorkbook(f"expected a row's number, found {text[:12]!r}. Look at the kept file")
    return int(text)
