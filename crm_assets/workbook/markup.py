"""Markup: a part's XML as elements in document order, within bounds.

One parser for every part, so that what is checked is what is used. What the elements mean belongs to ``book.py`` and
``sheet.py``.
"""

import re
from collections.abc import Callable, Iterable
from xml.parsers import expat

from crm_assets.errors import NotAWorkbook, TooLarge

MAIN = ("http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main")
KNOWN = (
    *("workbook", "workbookPr", "sheets", "sheet", "styleSheet", "numFmts", "numFmt", "cellXfs", "xf"),
    *("worksheet", "sheetData", "row", "c", "v", "f", "is", "mergeCells", "mergeCell"),
    *("sst", "si", "t", "r", "rPh", "phoneticPr", "rPr"),
)
SHORT = {f"{namespace} {name}": name for namespace in MAIN for name in KNOWN}
STRETCH = re.compile(rb"<[^<]{524288}")  # a tag or text longer than any cell may hold; the parser would keep all of it
TAGS = 4_000_000  # of the largest sheet that is read
DEPTH = 50

type Attributes = dict[str, str]


class Nesting(list[str]):
    """The names of the open elements, outermost first; those of a spreadsheet's own namespace without it."""

    def enter(self, name: str) -> str:
        """Step into the element; its short name. Raises NotAWorkbook when it lies too deep."""
        if len(self) >= DEPTH:
            raise NotAWorkbook(f"expected XML of at most {DEPTH} levels, found more. Look at the kept file")
        name = SHORT.get(name, name)
        self.append(name)
        return name

    def in_string(self) -> bool:
        """Whether text that stands here is of a string itself, and not of how to pronounce it."""
        return len(self) > 1 and self[-1] == "t" and self[-2] in ("si", "is", "r")


def parse(
    part: bytes,
    begin: Callable[[str, Attributes], None],
    end: Callable[[str], None],
    text: Callable[[str], None] | None = None,
    *,
    pieces: Callable[[bytes], Iterable[bytes]] = lambda part: [part],
) -> None:
    """Tell the handlers of every element, piece by piece of the part: a piece is asked for when all before it has been told.

    Raises NotAWorkbook for XML that is broken or brings a DOCTYPE, or TooLarge.
    """
    if STRETCH.search(part):
        raise TooLarge("expected a sheet's tags and texts, found one of more than 512 kB. Look at the kept file")
    if part.count(b"<") > TAGS:
        raise TooLarge(f"expected XML of at most {TAGS} tags, found more. Look at the kept file")
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        for piece in pieces(part):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: of an encoding
        raise NotAWorkbook(f"expected a readable .xlsx workbook, found a damaged one: XML: {error}") from error


def _refuse_doctype(*_: object) -> None:
    """No declarations: no entities that blow up or reach outside."""
    raise NotAWorkbook("expected plain XML, found a DOCTYPE in it. Look at the kept file")
