"""The daily digest at a terminal: the totals, and where the page is."""

from typing import TYPE_CHECKING, Any

from rich.table import Table

from crm_assets.terminal.paper import paper

if TYPE_CHECKING:
    from crm_assets.digest.figures import Digest, Sums, ThreeSums
    from crm_assets.digest.files import DigestFiles


def show_digest(digest: "Digest", files: "DigestFiles") -> None:
    """A row for each store and one for all, what does not agree, and the files."""
    from crm_assets.digest.words import NOT_FETCHED, day_text, grouped, growth, known_rupees

    table = Table("store", "orders", "day", "month", "last month", "growth", title=f"Sales of {day_text(digest.day)}")
    for column in table.columns[1:]:
        column.justify = "right"
    table.columns[0].no_wrap = True
    for name, sums in [*((one.store.name, one.sums) for one in digest.sales), ("All stores", digest.total)]:
        day = ("?", "not fetched") if sums.day.is_missing else (grouped(sums.day.count), known_rupees(sums.day))
        table.add_row(name, *day, known_rupees(sums.month), known_rupees(sums.last_month), growth(sums.growth))
    console = paper()
    console.print(table)
    if digest.collections:
        told = digest.money
        console.print(f"Collected: {known_rupees(told.day)}, the month {known_rupees(told.month)}", highlight=False)
    if digest.total.is_partial or digest.money.is_partial:
        console.print(f"* without days that were never fetched; {NOT_FETCHED} none of it was", highlight=False)
    for one in digest.mismatches:
        console.print(f"RECONCILIATION FAILED: {one}", style="red", highlight=False, soft_wrap=True, markup=False)
    for file in (files.page, files.workbook):
        console.print(str(file), highlight=False, soft_wrap=True, markup=False)


def digest_as_object(digest: "Digest", files: "DigestFiles") -> dict[str, Any]:
    """The totals for ``--json``; rupees as numbers."""
    return {
        "date": str(digest.day),
        "reconciled": not digest.mismatches,
        "differences": [str(one) for one in digest.mismatches],
        "rows": digest.rows,
        "stores": {str(one.store): _three(one.sums) for one in digest.sales},
        "total": _three(digest.total),
        "collected": _three(digest.money) if digest.collections else None,
        "late_orders": sum(one.late for one in digest.pipelines),
        "page": str(files.page),
        "workbook": str(files.workbook),
    }


def _three(sums: "ThreeSums") -> dict[str, Any]:
    return {
        "fetched": not sums.day.unfetched,
        "day": _sums(sums.day),
        "month": _sums(sums.month),
        "last_month": _sums(sums.last_month),
        "growth": None if sums.growth is None else float(round(sums.growth, 4)),
    }


def _sums(sums: "Sums") -> dict[str, Any]:
    return {"orders": sums.count, "amount": float(sums.amount), "days_not_fetched": sums.unfetched}
