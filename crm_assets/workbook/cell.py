"""One cell: what its type, style and value show, as text.

Whole numbers without a decimal point, a date as ISO 8601, nothing as None, and what is no plain value as one of
``model.NOT_PLAIN``.
"""

import math
import re
from datetime import datetime, timedelta

from crm_assets.errors import NotAWorkbook
from crm_assets.model import SPREADSHEET_ERRORS
from crm_assets.workbook.book import Book

EXACT_DIGITS = 15  # more of them do not survive in a spreadsheet's numbers
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?|-?\.[0-9]+([eE][+-]?[0-9]+)?")
LONG_NUMBER = re.compile(rf"-?[0-9]{{{EXACT_DIGITS + 1},}}")
ESCAPED = re.compile(r"(?:_x[0-9A-Fa-f]{4}_)+")
TRUTH = {"0": "FALSE", "1": "TRUE", "false": "FALSE", "true": "TRUE"}
DAYS = 2_958_466  # a date cell's number up to the end of the year 9999
LEAP_BUG = 60  # 1900 was no leap year, but spreadsheets count its 29th of February
NO_VALUE = SPREADSHEET_ERRORS[2]


def shown(kind: str, value: str, style: str, book: Book) -> str | None:
    """The text of a cell of the type ``kind``. Raises NotAWorkbook for a value that is not of it."""
    match kind:
        case "str" | "inlineStr":
            return plain_text(value)
        case "s":
            return plain_text(book.strings[_index(value, len(book.strings))]) if value else None
        case "n":
            return _number(value.strip(), style, book) if value else None
        case "b":
            return _truth(value.strip())
        case "e":
            return value.strip() if value.strip() in SPREADSHEET_ERRORS else NO_VALUE
        case "d":
            return _iso_date(value.strip())
    raise NotAWorkbook(f"expected a cell of a known type, found {kind[:12]!r}. Look at the kept file")


def plain_text(text: str) -> str | None:
    """A text without a spreadsheet's escapes. What PostgreSQL cannot hold shows as a sign in its place: a NUL as its picture."""
    if "_x" in text:
        text = ESCAPED.sub(lambda found: _unescaped(found[0]), text)
    return text or None


def _unescaped(escapes: str) -> str:
    units = b"".join(int(unit, 16).to_bytes(2, "little") for unit in re.findall("_x(....)_", escapes))
    return units.decode("utf-16-le", "replace").replace("\0", "\u2400")


def _number(value: str, style: str, book: Book) -> str | None:
    is_date = book.date_styles[_index(style, len(book.date_styles))]
    if not NUMBER.fullmatch(value):
        raise NotAWorkbook("expected a number in a cell of that type, found something else. Look at the kept file")
    number = float(value)
    if is_date:
        return _date(number, book.epoch)
    if LONG_NUMBER.fullmatch(value):
        return value
    if not math.isfinite(number):
        return NO_VALUE
    return str(int(number)) if number.is_integer() and abs(number) < 10**EXACT_DIGITS else repr(number)


def _date(days: float, epoch: datetime) -> str:
    """A date cell's number of days as the moment it shows; less than a day is a time of day."""
    if not 0 <= days < DAYS:
        return NO_VALUE
    if days < LEAP_BUG and days >= 1 and epoch.year < 1904:
        days += 1
    moment = epoch + timedelta(days=int(days), milliseconds=round(days % 1 * 86_400_000))
    return (moment if days >= 1 else moment.time()).isoformat()


def _truth(value: str) -> str | None:
    if value and value not in TRUTH:
        raise NotAWorkbook("expected true or false in a cell of that type, found something else. Look at the kept file")
    return TRUTH.get(value)


def _iso_date(value: str) -> str | None:
    try:
        return datetime.fromisoformat(value.removesuffix("Z")).replace(tzinfo=None).isoformat() if value else None
    except ValueError:
        raise NotAWorkbook(
            "expected a date in a cell of that type, found something else. Look at the kept file"
        ) from None


def _index(value: str, length: int) -> int:
    if not re.fullmatch("[0-9]{1,7}", value.strip()) or int(value) >= length:
        raise NotAWorkbook(f"expected a shared string or style below {length}, found another. Look at the kept file")
    return int(value)
