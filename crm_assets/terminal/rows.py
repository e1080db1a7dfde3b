"""Rejected rows, and what became of staged days that were read anew."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from crm_assets.errors import in_full
from crm_assets.terminal.paper import paper
from crm_assets.warehouse.rejects import KeptReject

if TYPE_CHECKING:
    from crm_assets.pipeline.reload import Reloaded


def show_reloaded(done: "Sequence[Reloaded]") -> None:
    """What became of each store's staged days, and each refusal in full below."""
    table = Table("store", "days", "new", "changed", "unchanged", "missing", "rejected", "result")
    table.columns[0].no_wrap = True
    for one in done:
        counts = one.counts
        figures = (len(one.days), counts.inserted, counts.updated, counts.unchanged, counts.missing, one.rejected)
        table.add_row(str(one.store), *map(str, figures), f"[red]{one.error.code}" if one.error else "[green]good")
    console = paper()
    console.print(table)
    for one in done:
        if one.error:
            console.print(
                in_full(one.error, str(one.store)), style="red", highlight=False, soft_wrap=True, markup=False
            )


def show_rejects(found: Sequence[KeptReject], *, as_json: bool) -> None:
    """The rejected rows, one line each, by columns and rules: their values are customers' data."""
    broken = [[f"{problem['column']}: {problem['rule']}" for problem in row.problems] for row in found]
    if as_json:
        for row, rules in zip(found, broken, strict=True):
            print(json.dumps(_reject_as_object(row, rules)))  # noqa: T201 - standard output is for programs
        return
    table = Table("id", "store", "day", "row", "status", "what is wrong", title="Rejected rows")
    table.columns[1].no_wrap = table.columns[2].no_wrap = True
    for row, rules in zip(found, broken, strict=True):
        day = str(row.business_day or "-")
        table.add_row(
            str(row.reject_id), f"{row.crm}/{row.store}", day, str(row.row_number), row.status, "\n".join(rules)
        )
    paper().print(table)


def _reject_as_object(row: KeptReject, rules: list[str]) -> dict[str, Any]:
    return {
        "id": row.reject_id,
        "account": f"{row.crm}/{row.store}",
        "business_day": str(row.business_day) if row.business_day else None,
        "row_number": row.row_number,
        "status": row.status,
        "rules": rules,
        "note": row.note,
    }
