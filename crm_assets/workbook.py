"""Workbook: an .xlsx becomes a table of texts, or a BadReport that says why not.

Reads what the portal wrote and believes nothing else: sniff first, then the sheet, the headers, the footer. What a text means
belongs to ``rows.py``; whether it is the right store and window to ``proof.py``.
"""

import hashlib
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_assets.errors import ChecksumMismatch, HeaderDrift, NotAWorkbook
from crm_assets.model import Claims, Report

if TYPE_CHECKING:
    import pandas as pd

ZIP_MAGIC = b"PK\x03\x04"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """The data rows of one workbook.

    ``rows``: one text column (or None where the cell is empty) per report column, ``row_number`` (the sheet's, 2 is the first
    data row) and ``_extra`` (dict of unknown columns, or None). ``claims`` is the footer's count and sums.
    """

    rows: "pd.DataFrame"
    claims: Claims
    extra_headers: tuple[str, ...]
    content_md5: str


def sniff(file: Path) -> None:
    """Raise NotAWorkbook unless the first bytes are those of an .xlsx; shows them when they are not."""
    with file.open("rb") as stream:
        head = stream.read(64)
    if head.startswith(ZIP_MAGIC):
        return
    kind = "an empty file" if not head else "an HTML page" if b"<" in head[:16] else "something else"
    raise NotAWorkbook(
        f"expected an .xlsx workbook, found {kind} of {file.stat().st_size} bytes that begins {head[:24]!r}"
    )


def read(file: Path, report: Report) -> TextTable:
    """Read the report's sheet. Raises NotAWorkbook, HeaderDrift, or ChecksumMismatch when the footer is not there."""
    import pandas as pd

    sniff(file)
    cells = _cells(file, report.sheet)
    headers = [_text(cell) or "" for cell in (cells[0] if cells else [])]
    places, extra = _places(headers, report)
    data, claims = _without_footer(cells[1:], report, places)
    rows = pd.DataFrame(
        {
            **{column.name: [_text(row[places[column.name]]) for row in data] for column in report.columns},
            "row_number": range(2, len(data) + 2),
            "_extra": [_extra(row, headers, extra) for row in data],
        },
        dtype=object,
    )
    return TextTable(
        rows=rows, claims=claims, extra_headers=tuple(headers[at] for at in extra), content_md5=_digest(headers, data)
    )


def _cells(file: Path, sheet: str) -> list[list[Any]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_path(str(file))
        if sheet not in workbook.sheet_names:
            raise HeaderDrift(f"expected a sheet named {sheet!r}, found {workbook.sheet_names}")
        return workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise NotAWorkbook(f"expected a readable .xlsx workbook, found a damaged one: {error}") from error


def _places(headers: list[str], report: Report) -> tuple[dict[str, int], list[int]]:
    """Where each report column stands, and the positions of columns the report does not know."""
    wanted = {column.header: column.name for column in report.columns}
    missing = [header for header in wanted if headers.count(header) != 1]
    if len(missing) > len(wanted) / 2:
        raise HeaderDrift(  # what stands there instead may be a customer's row, and is not shown
            f"expected the {len(wanted)} columns of {report.crm}/{report.name} in the first row, found "
            f"{len(wanted) - len(missing)} of them. Look at the kept file"
        )
    if missing:
        unknown = [header for header in headers if header not in wanted]
        raise HeaderDrift(
            f"expected the {len(wanted)} columns of {report.crm}/{report.name} once each; missing or doubled: {missing}; "
            f"not known: {unknown}. If the portal renamed one, mend its header in the portal's reports.py"
        )
    extra = [at for at, header in enumerate(headers) if header not in wanted]
    return {wanted[header]: at for at, header in enumerate(headers) if header in wanted}, extra


def _without_footer(rows: list[list[Any]], report: Report, places: dict[str, int]) -> tuple[list[list[Any]], Claims]:
    if report.footer is None:
        return rows, Claims()
    if not rows or _text(rows[-1][0]) != report.footer.label:
        last = _text(rows[-1][0]) if rows else None
        raise ChecksumMismatch(
            f"expected the totals row {report.footer.label!r} at the end of the sheet, found {last!r}: the file is cut short"
        )
    footer = rows[-1]
    numbers = {name: _number(footer[places[name]]) for name in (report.footer.count, *report.footer.sums)}
    return rows[:-1], Claims(
        rows=int(numbers[report.footer.count]), sums={name: numbers[name] for name in report.footer.sums}
    )


def _number(cell: Any) -> Decimal:
    try:
        number = Decimal(_text(cell) or "")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ChecksumMismatch(f"expected a number in the totals row, found {cell!r}")
    return number


def _text(cell: Any) -> str | None:
    """A cell as the portal shows it: whole numbers without a decimal point, an empty cell as None."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell)


def _extra(row: list[Any], headers: list[str], extra: list[int]) -> dict[str, str | None] | None:
    return {headers[at]: _text(row[at]) for at in extra} or None


def _digest(headers: list[str], data: list[list[Any]]) -> str:
    """MD5 of the cell values: equal when the content is, whatever the file's bytes."""
    digest = hashlib.md5(usedforsecurity=False)
    for row in [headers, *data]:
        digest.update(repr([_text(cell) for cell in row]).encode())
    return digest.hexdigest()
