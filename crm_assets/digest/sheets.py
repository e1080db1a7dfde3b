"""The digest as a workbook: the page's tables, every number exact and a number."""

import io
import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from crm_assets.digest.figures import AGES_OF_DEBTS, AGES_OF_ORDERS, Digest, Sums, ThreeSums
from crm_assets.model import IST

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

type Cell = str | int | Decimal | date | None

NEVER_FETCHED = "never fetched"
THREE = ("day", "month", "last month")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
RUPEES, DAY = "#,##0.00;[Red]-#,##0.00", "yyyy-mm-dd"


def workbook_of(digest: Digest) -> bytes:
    """The whole file."""
    from openpyxl import Workbook

    book = Workbook()
    assert book.active is not None  # noqa: S101 - a new workbook has one sheet
    book.remove(book.active)
    book.properties.created = book.properties.modified = digest.made_at.astimezone(IST).replace(tzinfo=None)
    for title, header, rows in _tables(digest):
        _write(book.create_sheet(title), header, rows)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _tables(digest: Digest) -> Iterable[tuple[str, Sequence[str], Iterable[Sequence[Cell]]]]:
    counted = [f"{name} {what}" for name in THREE for what in ("orders", "amount", "days not fetched")]
    yield "Sales", ("crm", "store", "name", *counted, "growth"), _sales(digest)
    yield "Days", ("crm", "store", "day", "amount"), _days(digest)
    yield "Collections", ("crm", "store", "what", *THREE), _collections(digest)
    ages = [name for name, _ in AGES_OF_ORDERS]
    yield "Open orders", ("crm", "store", "status", *ages, "all"), _open(digest)
    yield "Late orders", ("crm", "store", "late", "longest", "due on"), _late(digest)
    debts = [f"{name} {what}" for name, _ in AGES_OF_DEBTS for what in ("orders", "balance")]
    yield "Unpaid", ("crm", "store", *debts), _owed(digest)
    yield "GST", ("store", "month", "invoices", "taxable", "CGST", "SGST", "value"), _gst(digest)
    yield "Freshness", ("crm", "store", "report", "last good refresh (IST)", "warning"), _fresh(digest)
    yield "Reconciliation", ("what", "page count", "page amount", "tables count", "tables amount"), _proof(digest)


def _sales(digest: Digest) -> Iterable[Sequence[Cell]]:
    for one in digest.sales:
        yield one.store.crm, one.store.code, one.store.name, *_told(one.sums), one.sums.growth
    yield "", "", "All stores", *_told(digest.total), digest.total.growth


def _told(sums: ThreeSums) -> Iterable[Cell]:
    for one in sums.of_windows():
        yield from (one.count, _amount(one), one.unfetched)


def _amounts(sums: ThreeSums) -> Iterable[Cell]:
    return map(_amount, sums.of_windows())


def _amount(sums: Sums) -> Cell:
    return NEVER_FETCHED if sums.is_missing else sums.amount


def _days(digest: Digest) -> Iterable[Sequence[Cell]]:
    return (
        (one.store.crm, one.store.code, day, NEVER_FETCHED if amount is None else amount)
        for one in digest.sales
        for day, amount in one.days
    )


def _collections(digest: Digest) -> Iterable[Sequence[Cell]]:
    for one in digest.collections:
        named = {"money": one.money, **one.modes, "returns, in it": one.returns, "packages, not in it": one.packages}
        for what, sums in named.items():
            yield one.store.crm, one.store.code, what, *_amounts(sums)


def _open(digest: Digest) -> Iterable[Sequence[Cell]]:
    for one in digest.pipelines:
        for status, counts in one.by_status.items():
            yield one.store.crm, one.store.code, status, *counts, sum(counts)
        yield one.store.crm, one.store.code, "Delivered, of the month", *[None] * len(AGES_OF_ORDERS), one.delivered


def _late(digest: Digest) -> Iterable[Sequence[Cell]]:
    for one in digest.pipelines:
        latest = (one.latest.order_number, one.latest.due_on) if one.latest else (None, None)
        yield one.store.crm, one.store.code, one.late, *latest


def _owed(digest: Digest) -> Iterable[Sequence[Cell]]:
    for one in digest.owed:
        yield one.store.crm, one.store.code, *(cell for sums in one.by_age for cell in (sums.count, sums.amount))


def _gst(digest: Digest) -> Iterable[Sequence[Cell]]:
    return (
        (store.code, one.month, one.invoices, one.taxable, one.cgst, one.sgst, one.value) for store, one in digest.gst
    )


def _fresh(digest: Digest) -> Iterable[Sequence[Cell]]:
    for one in digest.refreshed:
        at = f"{one.at.astimezone(IST):%Y-%m-%d %H:%M}" if one.at else "never"
        yield one.store.crm, one.store.code, one.report, at, one.warning


def _proof(digest: Digest) -> Iterable[Sequence[Cell]]:
    for one in digest.mismatches:
        yield one.what, one.page.count, one.page.amount, one.tables.count, one.tables.amount
    if not digest.mismatches:
        yield f"every sum is that of the tables; rows counted: {digest.rows}", None, None, None, None


def _plain(value: Cell) -> Cell:
    """Without the control characters that no workbook may hold."""
    return UNPRINTABLE.sub(" ", value) if isinstance(value, str) else value


def _write(sheet: "Worksheet", header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet.append(list(header))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([_plain(value) for value in row])
        for cell in sheet[sheet.max_row]:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # a portal's text that begins with = is no formula
            elif isinstance(cell.value, Decimal):
                cell.number_format = RUPEES if header[cell.column - 1] != "growth" else "0.0%"
            elif isinstance(cell.value, date):
                cell.number_format = DAY
    for at, name in enumerate(header, start=1):
        sheet.column_dimensions[get_column_letter(at)].width = max(12, len(name) + 2)
