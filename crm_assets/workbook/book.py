"""The book around a sheet: where the sheet's part lies, the shared strings, and which styles show a number as a date."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from crm_assets.errors import HeaderDrift, NotAWorkbook, TooLarge
from crm_assets.workbook.markup import Attributes, Nesting, parse
from crm_assets.workbook.package import part

BOOK, LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
STRING = ["sst", "si"]
PART_BYTES = 2**20  # of every part but the sheets and their strings
STRINGS = 500_000
LINK = "http://schemas.openxmlformats.org/package/2006/relationships Relationship"
EPOCH, EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 - a spreadsheet knows no zone
DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}  # built in, by number
NOT_CODE = re.compile(r'"[^"]*"|\\.|_.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)  # literals, colours, locales


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """``sheet``: the wanted sheet's XML; ``date_styles``: whether a number shows as a date, by the cell's style."""

    sheet: bytes
    strings: list[str]
    date_styles: list[bool]
    epoch: datetime


def open_book(parts: Mapping[str, bytes], sheet: str) -> Book:
    """Raises NotAWorkbook, TooLarge, or HeaderDrift when there is no such sheet."""
    outline, links = _Outline(), _Links()
    parse(_small(parts, BOOK), outline.begin, outline.end)
    parse(_small(parts, LINKS), links.begin, links.end)
    if sheet not in outline.sheets:
        raise HeaderDrift(
            f"expected a sheet named {sheet!r}, found {[name[:31] for name in outline.sheets][:10]}. Look at the kept file"
        )
    styles, strings = _Styles(), _Strings()
    if place := links.of_kind("styles"):
        parse(_small(parts, place), styles.begin, styles.end)
    if place := links.of_kind("sharedStrings"):
        parse(part(parts, place), strings.begin, strings.end, strings.text)
    return Book(
        sheet=part(parts, links.by_id.get(outline.sheets[sheet], "a link to its sheet")),
        strings=strings.found,
        date_styles=styles.are_dates(),
        epoch=outline.epoch,
    )


def _small(parts: Mapping[str, bytes], name: str) -> bytes:
    content = part(parts, name)
    if len(content) > PART_BYTES:
        raise TooLarge(
            f"expected {name[:100]} to hold at most {PART_BYTES} bytes, found {len(content)}. Look at the kept file"
        )
    return content


@dataclass(slots=True)
class _Outline:
    """The workbook's own part: its sheets' link ids by name, and what day 0 is."""

    sheets: dict[str, str] = field(default_factory=dict)
    epoch: datetime = EPOCH
    _open: Nesting = field(default_factory=Nesting)

    def begin(self, name: str, attributes: Attributes) -> None:
        self._open.enter(name)
        if self._open == ["workbook", "workbookPr"] and attributes.get("date1904") in ("1", "true"):
            self.epoch = EPOCH_1904
        if self._open != ["workbook", "sheets", "sheet"]:
            return
        title = attributes.get("name", "")
        if title in self.sheets:
            raise NotAWorkbook("expected each sheet once, found two of one name. Look at the kept file")
        self.sheets[title] = next((value for at, value in attributes.items() if at.endswith("/relationships id")), "")

    def end(self, _name: str) -> None:
        self._open.pop()


@dataclass(slots=True)
class _Links:
    """The workbook's links: the parts by link id, and by the last word of their kind."""

    by_id: dict[str, str] = field(default_factory=dict)
    _kinds: dict[str, list[str]] = field(default_factory=dict)

    def begin(self, name: str, attributes: Attributes) -> None:
        if name != LINK:
            return
        key, target = attributes.get("Id", ""), attributes.get("Target", "")
        if key in self.by_id:
            raise NotAWorkbook("expected each link once, found two of one id. Look at the kept file")
        self.by_id[key] = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        self._kinds.setdefault(attributes.get("Type", "").rpartition("/")[2], []).append(self.by_id[key])

    def end(self, _name: str) -> None:
        """Links do not nest."""

    def of_kind(self, kind: str) -> str | None:
        """The one part of the kind, such as ``styles``, or None when there is none."""
        found = self._kinds.get(kind, [])
        if len(found) > 1:
            raise NotAWorkbook(f"expected one part of the kind {kind!r}, found {len(found)}. Look at the kept file")
        return found[0] if found else None


@dataclass(slots=True)
class _Styles:
    """The number formats: those that the file brings, and the one of each cell style."""

    _codes: dict[str, str] = field(default_factory=dict)
    _formats: list[str] = field(default_factory=list)
    _open: Nesting = field(default_factory=Nesting)

    def begin(self, name: str, attributes: Attributes) -> None:
        self._open.enter(name)
        if self._open == ["styleSheet", "numFmts", "numFmt"]:
            if not {"numFmtId", "formatCode"} <= attributes.keys():
                raise NotAWorkbook("expected a number and a code of each number format. Look at the kept file")
            self._codes[attributes["numFmtId"]] = attributes["formatCode"]
        elif self._open == ["styleSheet", "cellXfs", "xf"]:
            self._formats.append(attributes.get("numFmtId", "0"))

    def end(self, _name: str) -> None:
        self._open.pop()

    def are_dates(self) -> list[bool]:
        dates = {key for key, code in self._codes.items() if _is_date(code)}
        dates |= {str(number) for number in DATE_FORMATS} - self._codes.keys()
        return [number in dates for number in self._formats] or [False]


def _is_date(code: str) -> bool:
    """Whether a format code such as ``dd/mm/yyyy;@`` shows a date or a time."""
    return bool(re.search("[dmyhs]", NOT_CODE.sub("", code.split(";")[0]), re.IGNORECASE))


@dataclass(slots=True)
class _Strings:
    """The shared strings, rich ones without their looks."""

    found: list[str] = field(default_factory=list)
    _pieces: list[str] = field(default_factory=list)
    _open: Nesting = field(default_factory=Nesting)

    def begin(self, name: str, _attributes: Attributes) -> None:
        self._open.enter(name)
        if self._open == STRING:
            self._pieces = []

    def text(self, text: str) -> None:
        if self._open.in_string():
            self._pieces.append(text)

    def end(self, _name: str) -> None:
        is_whole = self._open == STRING
        self._open.pop()
        if not is_whole:
            return
        if len(self.found) >= STRINGS:
            raise TooLarge(f"expected at most {STRINGS} shared strings, found more. Look at the kept file")
        self.found.append("".join(self._pieces))
