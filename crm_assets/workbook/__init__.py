"""Workbook: an .xlsx becomes a table of texts, or a BadReport that says why not.

Reads what the portal wrote and believes nothing else: the zip (``package.py``), the parts around the sheet (``book.py``), the
sheet and its cells (``sheet.py``, ``cell.py``), here the headers, the rows and the footer. One parser reads them all
(``markup.py``; rows of plain cells are taken at once where it stands: ``plain_row.py``), so that what is checked is what is used:
readers of spreadsheets took some files for something else than what had been checked, and they say nothing of formulas, errors
and merges.
What a text means belongs to ``rows.py``; whether it is the right store and window to ``proof.py``.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from crm_assets.errors import ChecksumMismatch, HeaderDrift
from crm_assets.model import NOT_PLAIN, Claims, Column, Report
from crm_assets.workbook.book import open_book
from crm_assets.workbook.cell import NUMBER
from crm_assets.workbook.package import sniff, unpack
from crm_assets.workbook.sheet import Cells, is_blank, read_sheet

if TYPE_CHECKING:
    import pandas as pd

MADE_BY = " | "  # joins the parts of a made column

__all__ = ["TextTable", "read", "sniff"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """The data rows of one workbook.

    ``rows``: one text column (or None where the cell is empty) per report column, ``row_number`` (the sheet's, from 1) and
    ``_extra`` (dict of unknown columns, or None). A cell that is no plain value shows as one of ``model.NOT_PLAIN``, one that
    holds a date as ISO 8601 (``2025-11-12T00:00:00``). ``claims`` is the footer's count and sums; ``headers`` stand as in the
    file, spaces aside.
    """

    rows: "pd.DataFrame"
    claims: Claims
    headers: tuple[str, ...]
    extra_headers: tuple[str, ...]
    content_md5: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heading:
    """The header row: its place from 0, its texts, where each report column stands, and the columns no report knows."""

    at: int
    headers: list[str]
    places: dict[str, int]
    extra: dict[int, str]


def read(file: Path, report: Report) -> TextTable:
    """Read the report's sheet. Raises NotAWorkbook, TooLarge, HeaderDrift, or ChecksumMismatch when the footer is not there."""
    import pandas as pd

    cells = read_sheet(open_book(unpack(file), report.sheet))
    heading = _heading(cells, report)
    data, claims = _without_footer(cells[heading.at + 1 :], report, heading.places)
    texts = {column.name: _column(data, heading.places.get(column.name)) for column in report.file_columns}
    rows = pd.DataFrame(
        {
            **{
                column.name: _made(texts, column) if column.made_of else texts[column.name] for column in report.columns
            },
            "row_number": range(heading.at + 2, heading.at + 2 + len(data)),
            "_extra": [_extra(row, heading.extra) for row in data],
        },
        dtype=object,
    )
    return TextTable(
        rows=rows,
        claims=claims,
        headers=tuple(heading.headers),
        extra_headers=tuple(heading.extra.values()),
        content_md5=_digest(heading.headers, data),
    )


def _heading(cells: Cells, report: Report) -> _Heading:
    """The first row that is not blank, once every column of the report stands in it exactly once."""
    at = next((number for number, row in enumerate(cells) if not is_blank(row)), 0)
    headers = [" ".join((cell or "").split()) for cell in (cells[at] if cells else [])]
    names = {header: column.name for column in report.file_columns for header in (column.header, *column.aliases)}
    found = [names.get(header) for header in headers]
    missing = [
        column.header
        for column in report.file_columns
        if found.count(column.name) > 1 or (column.name not in found and not column.optional)
    ]
    if missing:
        raise HeaderDrift(
            _what_is_missing(report, headers, missing, [header for header in headers if header not in names])
        )
    return _Heading(
        at=at,
        headers=headers,
        places={name: place for place, name in enumerate(found) if name},
        extra=_extra_names(headers, found, cells[at + 1 :]),
    )


def _what_is_missing(report: Report, headers: list[str], missing: list[str], unknown: list[str]) -> str:
    wanted = sum(not column.optional for column in report.file_columns)
    if len(missing) > wanted / 2:  # what stands there instead may be a customer's row, and is not shown
        return (
            f"expected the {wanted} columns of {report.crm}/{report.name} in the first row, found "
            f"{max(0, wanted - len(missing))} of them. Look at the kept file"
        )
    return (
        f"expected the {wanted} columns of {report.crm}/{report.name} once each; missing or doubled: {missing}; "
        f"not known: {[header for header in unknown if header]}. If the portal renamed one, add its new name to the column's "
        "aliases in the portal's reports.py"
    )


def _extra_names(headers: list[str], found: list[str | None], data: Cells) -> dict[int, str]:
    """A name for each column that the report does not know and that holds anything, by its place."""
    names = dict[int, str]()
    for at, header in enumerate(headers):
        if found[at] or not (header or any(row[at] for row in data)):
            continue
        name = header or f"column {at + 1}"
        while name in names.values() or (name in headers and name != header):
            name = f"{name} ({at + 1})"
        names[at] = name
    return names


def _without_footer(rows: Cells, report: Report, places: dict[str, int]) -> tuple[Cells, Claims]:
    footer = report.footer
    if footer is None:
        return rows, Claims()
    last = rows[-1] if rows else []
    labels = {(last[at] or "").strip() for at in (0, places.get(report.columns[0].name, 0)) if last}
    if footer.label not in labels:
        found = "nothing" if not rows else "a row without it"
        raise ChecksumMismatch(
            f"expected the totals row {footer.label!r} at the end of the sheet, found {found}: the file is cut short. "
            "Look at the kept file"
        )
    count = _number(last[places[footer.count]])
    if count != count.to_integral_value() or count < 0:
        raise ChecksumMismatch(
            f"expected a whole number of rows in the totals row, found {count}. Look at the kept file"
        )
    sums = {name: _number(last[places[name]]) for name in footer.sums if name in places}
    return rows[:-1], Claims(rows=int(count), sums=sums)


def _number(text: str | None) -> Decimal:
    if not text or not NUMBER.fullmatch(text.strip()):
        found = "nothing" if not text else text if text in NOT_PLAIN else "a text"
        raise ChecksumMismatch(f"expected a number in the totals row, found {found}. Look at the kept file")
    return Decimal(text.strip())


def _column(data: Cells, place: int | None) -> list[str | None]:
    return [None if place is None else row[place] for row in data]


def _made(texts: Mapping[str, Sequence[str | None]], column: Column) -> list[str]:
    """Of each row the texts of the columns it is made of; the second of equal ones ends in ``(2)``."""
    rows = zip(*(texts[name] for name in column.made_of), strict=True)
    seen: Counter[str] = Counter()
    made = list[str]()
    for parts in rows:
        text = MADE_BY.join((part or "").strip() for part in parts)
        seen[text] += 1
        made.append(text if seen[text] == 1 else f"{text} ({seen[text]})")
    return made


def _extra(row: list[str | None], extra: dict[int, str]) -> dict[str, str | None] | None:
    return {name: row[at] for at, name in extra.items()} or None


def _digest(headers: list[str], data: Cells) -> str:
    """MD5 of the cell values: equal when the content is, whatever the file's bytes."""
    digest = hashlib.md5(usedforsecurity=False)
    for row in [headers, *data]:
        digest.update(repr(row).encode(errors="surrogatepass"))
    return digest.hexdigest()
