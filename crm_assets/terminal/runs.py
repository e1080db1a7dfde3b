"""What came of runs: a table for people, objects for programs, and what the warehouse holds after them."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from crm_assets.errors import advice, command_of, error_class
from crm_assets.model import Store, Window
from crm_assets.terminal.paper import paper
from crm_assets.warehouse.outcomes import RunOutcome
from crm_assets.warehouse.overview import StoreSales

if TYPE_CHECKING:
    from crm_assets.pipeline.launch import Launched


def show_results(launched: "Sequence[Launched]") -> None:
    """A table of what each run did; below it each failure in full, and what to do about it."""
    table = Table("store", "report", "window", "new", "changed", "unchanged", "rejected", "result")
    table.columns[0].no_wrap = True
    table.columns[-1].overflow = "fold"  # an error's name is looked up: never cut it
    for one in sorted(launched, key=lambda one: (str(one.task.store), one.task.report.name)):
        outcome = one.outcome
        result = result_of(outcome)
        counts = (outcome.inserted, outcome.updated, outcome.unchanged, outcome.rejected)
        table.add_row(str(one.task.store), one.task.report.name, str(one.task.window), *map(str, counts), result)
    console = paper()
    console.print(table)
    for one in launched:
        if not one.outcome.ok:
            style = "yellow" if one.outcome.skipped else "red"
            told = failure_text(one)
            for line in (told, *advice(one.outcome.error_code, told, str(one.task.store))):
                console.print(line, style=style, highlight=False, soft_wrap=True, markup=False)
            if one.outcome.evidence:
                console.print(f"Evidence: {one.outcome.evidence}", highlight=False, soft_wrap=True, markup=False)


def result_of(outcome: RunOutcome) -> str:
    if outcome.ok:
        return "[green]good"
    if outcome.skipped:
        return f"[yellow]skipped: {outcome.error_code}"
    return f"[red]{outcome.error_code or 'ended early'}"


def as_object(one: "Launched") -> dict[str, Any]:
    """One run's result for ``--json``."""
    outcome = dataclasses.asdict(one.outcome)
    window = one.task.window
    return {
        "store": str(one.task.store),
        "report": one.task.report.name,
        "from": str(window.first),
        "to": str(window.last),
        "ok": one.outcome.ok,
        "skipped": one.outcome.skipped,
        **{name: value for name, value in outcome.items() if name != "complete"},
        "error_message": None if one.outcome.ok else failure_text(one),
        "next_step": None if one.outcome.ok else error_class(one.outcome.error_code).next_step,
        "command": None if one.outcome.ok else command_of(one.outcome.error_code, str(one.task.store)),
    }


def failure_text(one: "Launched") -> str:
    """The failure's own sentence, or where to look when the run ended without one."""
    message = one.outcome.error_message or (
        f"the run ended before its end; its log is in the Dagster UI: run {one.outcome.run_id}"
    )
    store = str(one.task.store)
    return message if message.startswith(store) else f"{store}: {message}"


def show_sales(sales: Sequence[StoreSales], stores: Sequence[Store], window: Window) -> None:
    """What the warehouse holds of a window, per store: days, orders or invoices, rupees."""
    names = {str(store): store.name for store in stores}
    table = Table("store", "name", "days", "orders or invoices", "amount in ₹", title=f"Sales of {window}")
    for column in table.columns[2:]:
        column.justify = "right"
    table.columns[0].no_wrap = True
    for one in sales:
        store = f"{one.crm}/{one.store}"
        table.add_row(store, names.get(store, ""), str(one.days), str(one.orders), f"{one.order_amount:,.2f}")
    paper().print(table)
