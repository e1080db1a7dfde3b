"""Proof: a file is guilty until it is shown to be the report, the store and the window that were asked for, and whole.

Works on the text table of ``workbook`` and changes nothing. A row's own mistakes reject the row, not the file, unless they are
too many. What the file lacks of the rows that are loaded already is compared in ``pipeline/books.py``.
"""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from crm_assets.errors import (
    ChecksumMismatch,
    DatesSwapped,
    DuplicateKeys,
    TooManyRejects,
    UnprovenEmpty,
    WrongStore,
    WrongWindow,
)
from crm_assets.model import Claims, Report, Store, Window
from crm_assets.rows import NUMBERS, TypedRows, business_day_of, read_value
from crm_assets.workbook import TextTable

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = Decimal("0.05")  # the portals add floating point numbers and show the sum
A_FEW_REJECTS = 3  # so many never fail a file, whatever their share: a day may have four rows
MONTH_FIRST = {"%d/%m/%Y": "%m/%d/%Y"}


def prove(table: TextTable, report: Report, store: Store, window: Window, claims: Claims) -> "pd.DataFrame":
    """The table's rows with their ``business_day``, once store, window and sums are right.

    A row whose date cannot be read is filed under the window's first day, where it will be rejected by name.
    Raises WrongStore, DatesSwapped, WrongWindow, ChecksumMismatch or UnprovenEmpty.
    """
    _same_store(table, report, store)
    days = [business_day_of(text, report) for text in table.rows[report.day]]
    _day_first(table, report, store, window, days)
    _same_window(store, window, days)
    for said in (table.claims, claims):
        _same_sums(table, report, store, said)
    if table.rows.empty:
        _said_to_be_empty(report, store, window, (table.claims, claims))
    return table.rows.assign(business_day=[day or window.first for day in days])


def refuse_bad_rows(typed: TypedRows, report: Report, store: str, *, limit: float) -> None:
    """Raise DuplicateKeys when two rows share a key, TooManyRejects when more than this share of the rows, and more than a few,
    break a rule. ``store`` is the store's name: ``td/a668``.
    """
    keys = typed.rows[report.key]
    if not (doubled := keys[keys.duplicated()]).empty:
        raise DuplicateKeys(
            f"{store}: expected each {report.key} once, found {len(doubled)} repeated, {doubled.iloc[0]} first. "
            "Nothing was loaded"
        )
    rejected, rows = len(typed.rejects), len(typed.rejects) + len(keys)
    if rejected > A_FEW_REJECTS and rejected > limit * rows:
        broken = Counter(f"{p.column}: {p.rule}" for reject in typed.rejects for p in reject.problems)
        worst = ", ".join(f"{what} ({count})" for what, count in broken.most_common(3))
        raise TooManyRejects(
            f"{store}: expected at most {limit:.0%} of the rows to break a rule, found {rejected} of {rows}: {worst}. "
            "Nothing was loaded. If the portal writes it so now, mend the columns in its reports.py; "
            "CRM_MAX_REJECT_SHARE is the limit"
        )


def _same_store(table: TextTable, report: Report, store: Store) -> None:
    if not (report.store_column and store.booking_prefix):
        return
    prefix = f"{store.booking_prefix}-"
    found = [str(text).strip() for text in table.rows[report.store_column].dropna()]
    prefixes = {_prefix(text) for text in found if not text.startswith(prefix)} - {None, store.booking_prefix}
    if prefixes:
        others = ", ".join(sorted(str(other) for other in prefixes)[:5])
        raise WrongStore(f"{store}: expected bookings that begin with {prefix}, found {others}. Nothing was loaded")


def _prefix(booking: str) -> str | None:
    """The store's part of a booking id; None for what is none, whose row will be rejected by name.

    What has a dash but is no booking id may be a customer's and is not shown.
    """
    if code := re.match(r"[A-Z]{1,4}\d{1,6}(?!\d)", booking):
        return code[0]
    return "bookings without a store" if "-" in booking else None


def _day_first(table: TextTable, report: Report, store: Store, window: Window, days: Sequence[date | None]) -> None:
    """Refuse a file whose dates make sense month first rather than day first: as a whole, not row by row, because the rest of
    its dates would be read wrongly without a sign.
    """
    swapped = MONTH_FIRST.get("".join(report.column(report.day).formats))
    if swapped is None:
        return
    pairs = [(day, _read_as(text, swapped)) for day, text in zip(days, table.rows[report.day], strict=True)]
    as_written = sum(_inside(day, window) and not _inside(other, window) for day, other in pairs)
    the_other_way = sum(_inside(other, window) and not _inside(day, window) for day, other in pairs)
    if the_other_way > as_written:
        raise DatesSwapped(
            f"{store}: expected dates of {window} day first, found {the_other_way} that only make sense month first and "
            f"{as_written} that only make sense day first. Nothing was loaded: look at the kept file"
        )


def _read_as(text: str | None, pattern: str) -> date | None:
    try:
        return datetime.strptime((text or "").strip(), pattern).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def _inside(day: date | None, window: Window) -> bool:
    return day is not None and day in window


def _same_window(store: Store, window: Window, days: Sequence[date | None]) -> None:
    outside = sorted({str(day) for day in days if day is not None and day not in window})
    if outside:
        raise WrongWindow(
            f"{store}: expected rows from {window}, found rows of {outside[0]} to {outside[-1]}. "
            "Nothing was loaded: look at the kept file"
        )


def _same_sums(table: TextTable, report: Report, store: Store, said: Claims) -> None:
    """A column that holds an unreadable number is not compared: its row will be rejected by name."""
    if said.rows is not None and said.rows != len(table.rows):
        raise ChecksumMismatch(
            f"{store}: the portal counts {said.rows} rows, the file holds {len(table.rows)}. Nothing was loaded"
        )
    for name, expected in said.sums.items():
        column = report.column(name)
        texts = Counter(text for text in table.rows[name] if text is not None and text.strip())
        values = {text: read_value(text, column) for text in texts}
        if column.kind not in NUMBERS or None in values.values():
            continue
        found = sum((values[text] * count for text, count in texts.items()), Decimal(0))
        if abs(found - expected) > TOLERANCE:
            raise ChecksumMismatch(
                f"{store}: the portal's total of {column.header!r} is {expected}, the rows sum to {found}. Nothing was loaded"
            )


def _said_to_be_empty(report: Report, store: Store, window: Window, said: Sequence[Claims]) -> None:
    """No row is good news only where the portal says so too: by a count, or by sums that are all 0."""
    if any(claims.rows == 0 or (claims.sums and not any(claims.sums.values())) for claims in said):
        return
    raise UnprovenEmpty(
        f"{store}: expected rows of {window} or a total of 0 beside them, found {report.crm}/{report.name} with its headers "
        "alone. Nothing was loaded; try again later"
    )
