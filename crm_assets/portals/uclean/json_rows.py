"""UClean's API answers JSON rows where the page makes a workbook: the same invoices, written as the same sheet. And whether a
workbook that came has no row at all; reading one for its rows belongs to the warehouse's side.

The API gives a time where the workbook gives a day (``2026-06-06 18:36:46`` against ``06/06/2026``); the workbook's form is
kept, so that one invoice reads the same whichever way it came. Same rows, same bytes: an MD5 stays meaningful.
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from crm_assets.errors import PortalChanged
from crm_assets.model import Report

FIELDS = {
    "booking_id": "order_number",
    "invoice_number": "invoice_number",
    "invoiced_on": "invoice_date",
    "customer_name": "name",
    "customer_phone": "customer_phone",
    "payment_status": "payment_status",
    "customer_gstin": "customer_gst",
    "place_of_supply": "city_name",
    "taxable_value": "taxable_value",
    "cgst": "cgst",
    "sgst": "sgst",
    "invoice_value": "final_amount",
}
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
MOST_BYTES_WITHOUT_ROWS = 20_000
FIXED = datetime(1980, 1, 1)  # noqa: DTZ001 - zip entries and document properties carry no zone


def write_workbook(rows: Sequence[Mapping[str, Any]], report: Report, file: Path) -> None:
    """Write API rows as the report's workbook, oldest invoice first. Raises PortalChanged when a field is missing."""
    for row in rows:
        missing = sorted(set(FIELDS.values()) - row.keys())
        if missing:
            raise PortalChanged(
                f"expected the fields {', '.join(FIELDS.values())} in a JSON row; missing: {', '.join(missing)}"
            )
    ordered = sorted(rows, key=lambda row: (str(row["invoice_date"]), str(row["invoice_number"])))
    cells = [
        [_cell(row, number, column.name) for column in report.columns] for number, row in enumerate(ordered, start=1)
    ]
    file.write_bytes(_fixed_bytes([[column.header for column in report.columns], *cells], report.sheet))


def is_empty_workbook(body: bytes) -> bool:
    """Is it a workbook whose sheet holds headers at most? A large one is not looked into, and one that cannot be read is none."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    if len(body) > MOST_BYTES_WITHOUT_ROWS:
        return False
    try:
        page = load_workbook(io.BytesIO(body), read_only=True).worksheets[0]
        page.reset_dimensions()  # what the file says of its own size may be wrong, and would hide rows
        return not any(any(cell is not None for cell in row) for row in page.iter_rows(min_row=2, values_only=True))
    except (zipfile.BadZipFile, InvalidFileException, KeyError, IndexError, TypeError, ValueError, SyntaxError):
        return False  # XML errors are SyntaxErrors


def _cell(row: Mapping[str, Any], number: int, column: str) -> Any:
    if column == "serial_number":
        return number
    value = row[FIELDS[column]]
    if column == "invoiced_on":
        return _day_first(str(value))
    if value is None or isinstance(value, int | float):
        return value
    return NOT_IN_XML.sub("", str(value)) or None


def _day_first(text: str) -> str:
    """``2026-06-06 18:36:46`` as ``06/06/2026``; anything else as it is, to be rejected by name later."""
    try:
        return f"{datetime.fromisoformat(text):%d/%m/%Y}"
    except ValueError:
        return text


def _fixed_bytes(rows: Sequence[Sequence[Any]], sheet: str) -> bytes:
    """The rows as a workbook whose bytes depend on nothing but them."""
    from openpyxl import Workbook
    from openpyxl.xml.functions import tostring

    workbook = Workbook()
    page = workbook.active
    assert page is not None  # a new workbook has its one sheet  # noqa: S101
    page.title = sheet
    for row in rows:
        page.append(list(row))
    for cell in (cell for row in page.iter_rows() for cell in row if cell.data_type == "f"):
        cell.data_type = "s"  # a customer's text that begins with "=" is still a text
    written, fixed = io.BytesIO(), io.BytesIO()
    workbook.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
        workbook.properties.created = workbook.properties.modified = FIXED  # saving had set both to the present
        parts = {name: source.read(name) for name in source.namelist()}
        parts["docProps/core.xml"] = tostring(workbook.properties.to_tree())
        for name, content in parts.items():
            target.writestr(zipfile.ZipInfo(name, FIXED.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
