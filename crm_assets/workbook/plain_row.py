"""Plain rows: the cells of a row at once, where all of them are written as every portal writes them.

The parser (``markup.py``) leads: it tells that a row has begun, and only what stands between its tags comes here. A row with
anything but plain cells, in order and each with one value, is not taken, and read by the parser element by element.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from string import ascii_uppercase

CELL = re.compile(  # no reference, no end of CDATA, and no character that is none in XML or that a parser would change
    r'<c r="([A-Z]++)([0-9]++)"(?: s="([0-9]++)")?+(?: t="([a-z]++)")?+>'
    "<v>([^<>&\0-\x08\x0b-\x1f\ufffe\uffff]*+)</v></c>"
)
GROUPS = CELL.groups + 1  # and what stands before the cell
BEGIN, END = b"<row ", b"</row>"
ROW_BYTES = 2**16  # of a longer row the parser reads every cell
UTF_8 = re.compile(rb'(<\?xml version="1\.0"( encoding="utf-8")?( standalone="[a-z]+")?\?>\s*)?<[a-z]', re.IGNORECASE)
LETTERS = {
    first + second: 26 * at + number
    for at, first in enumerate(("", *ascii_uppercase))
    for number, second in enumerate(ascii_uppercase, start=1)
}  # of a column, up to ZZ


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainRow:
    """Of each cell its column from 1, ascending, its type and style where it names one, and its value."""

    columns: tuple[int, ...]
    types: Sequence[str | None]
    styles: Sequence[str | None]
    values: Sequence[str]


def plain_row(content: bytes, number: str) -> PlainRow | None:
    """What stands between the tags of a row of this number; None unless all of it is plain cells."""
    try:
        gaps_and_cells = CELL.split(content.decode())
    except UnicodeDecodeError:
        return None
    letters, numbers, styles, types, values = (gaps_and_cells[at::GROUPS] for at in range(1, GROUPS))
    columns = _columns(tuple(letters))
    if any(gaps_and_cells[::GROUPS]) or numbers.count(number) != len(numbers) or columns is None:
        return None
    return PlainRow(columns=columns, styles=styles, types=types, values=values)


def places_of_rows(sheet: bytes) -> Iterator[tuple[int, int]]:
    """Where each row's first tag ends, and where its last tag begins.

    None of a sheet in another encoding than UTF-8, or with comments and the like, in which something may only look like a row.
    """
    beginning = UTF_8.match(sheet)
    if not beginning or b"<!" in sheet or sheet.find(b"<?", beginning.end()) >= 0:
        return
    at = sheet.find(BEGIN)
    while at >= 0 and (begin := sheet.find(b">", at) + 1):
        end = sheet.find(END, begin, begin + ROW_BYTES)
        if end >= 0:
            yield begin, end
        at = sheet.find(BEGIN, begin)


@lru_cache(maxsize=1024)
def _columns(letters: tuple[str, ...]) -> tuple[int, ...] | None:
    """From 1; None when they do not ascend."""
    columns = tuple(LETTERS.get(name, 0) for name in letters)
    return columns if all(left < right for left, right in pairwise((0, *columns))) else None
