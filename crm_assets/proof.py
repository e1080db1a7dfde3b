"""Proof: a file is guilty until it is shown to be the report, the store and the window that were asked for.

Works on the text table of ``workbook.py`` and changes nothing. A row's own mistakes are not judged here: they reject the row, not
the file.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from crm_assets.errors import ChecksumMismatch, WrongStore, WrongWindow
from crm_assets.model import Claims, Kind, Report, Store, Window
from crm_assets.rows import business_day_of, read_value
from crm_assets.workbook import TextTable

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = Decimal("0.05")  # the portals add floating point numbers and show the sum


def prove(table: TextTable, report: Report, store: Store, window: Window, claims: Claims) -> "pd.DataFrame":
    """The table's rows with their ``business_day``, once store, window and sums are right.

    A row whose date cannot be read is filed under the window's first day, where it will be rejected by name.
    Raises WrongStore, WrongWindow or ChecksumMismatch.
    """
    days = [business_day_of(text, report) for text in table.rows[report.day]]
    outside = sorted({str(day) for day in days if day is not None and day not in window})
    if outside:
        raise WrongWindow(f"{store}: expected rows from {window}, found rows of {outside[0]} to {outside[-1]}")
    _same_store(table, report, store)
    for said in (table.claims, claims):
        _same_sums(table, report, store, said)
    return table.rows.assign(business_day=[day or window.first for day in days])


def _same_store(table: TextTable, report: Report, store: Store) -> None:
    if not (report.store_column and store.booking_prefix):
        return
    prefix = f"{store.booking_prefix}-"
    found = table.rows[report.store_column].dropna()
    others = sorted({str(text).split("-")[0] for text in found if not str(text).startswith(prefix)})
    if others:
        raise WrongStore(f"{store}: expected bookings that begin with {prefix}, found {', '.join(others)}")


def _same_sums(table: TextTable, report: Report, store: Store, said: Claims) -> None:
    if said.rows is not None and said.rows != len(table.rows):
        raise ChecksumMismatch(f"{store}: the portal counts {said.rows} rows, the file holds {len(table.rows)}")
    for name, expected in said.sums.items():
        column = report.column(name)
        if column.kind in (Kind.INTEGER, Kind.NUMBER, Kind.MONEY):
            found = sum((read_value(text, column) or Decimal(0) for text in table.rows[name]), Decimal(0))
            if abs(found - expected) > TOLERANCE:
                raise ChecksumMismatch(
                    f"{store}: the portal's total of {column.header!r} is {expected}, the rows sum to {found}"
                )
