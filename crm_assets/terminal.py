"""What people see at a terminal: progress while runs go on, tables afterwards, JSON for programs.

Results go to standard output; progress and log lines to standard error.
"""

import dataclasses
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from crm_assets import logs
from crm_assets.model import Store, Window
from crm_assets.pipeline.launch import Launched, Task
from crm_assets.warehouse.overview import StoreSales

PAPER_WIDTH = 120
STEPS = ("started", "signed in", "downloaded", "loaded")  # the bar's marks; a reused session stands for a sign-in


def collected(launched: Iterable[Launched], tasks: Sequence[Task]) -> list[Launched]:
    """Every store's result: with a progress bar per store on a terminal, with plain log lines otherwise."""
    if not sys.stderr.isatty():
        logs.to_stream(sys.stderr)
        return list(launched)
    with _bars(tasks) as bars:
        return [bars.ended(one) for one in launched]


class _Bars(logging.Handler):
    """One bar per store, moved by the log lines of its run."""

    def __init__(self, progress: Progress, tasks: Sequence[Task]) -> None:
        super().__init__()
        self.progress = progress
        self.rows = {
            str(task.store): progress.add_task(str(task.store), total=len(STEPS), event="waiting") for task in tasks
        }

    def emit(self, record: logging.LogRecord) -> None:
        store, event = getattr(record, "store", None), getattr(record, "event", "")
        if store in self.rows:
            step = {"session reused": "signed in"}.get(event, event)
            done = STEPS.index(step) + 1 if step in STEPS else None
            self.progress.update(self.rows[store], completed=done, event=event)

    def ended(self, one: Launched) -> Launched:
        event = "[green]done" if one.outcome.ok else f"[red]{one.outcome.error_code or 'ended early'}"
        self.progress.update(self.rows[str(one.task.store)], completed=len(STEPS), event=event)
        return one


@contextmanager
def _bars(tasks: Sequence[Task]) -> Iterator[_Bars]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<16}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[event]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bars = _Bars(progress, tasks)
        logs.log.addHandler(bars)
        logs.log.setLevel(logging.INFO)
        try:
            yield bars
        finally:
            logs.log.removeHandler(bars)


def show_results(launched: Sequence[Launched]) -> None:
    """A table of what each store's run did, and each failure in full below it."""
    table = Table("store", "window", "new", "changed", "unchanged", "rejected", "result")
    table.columns[0].no_wrap = True
    table.columns[-1].overflow = "fold"  # an error's name is looked up: never cut it
    for one in sorted(launched, key=lambda one: str(one.task.store)):
        outcome = one.outcome
        result = "[green]good" if outcome.ok else f"[red]{outcome.error_code or 'ended early'}"
        counts = (outcome.inserted, outcome.updated, outcome.unchanged, outcome.rejected)
        table.add_row(str(one.task.store), str(one.task.window), *map(str, counts), result)
    console = _paper()
    console.print(table)
    for one in launched:
        if not one.outcome.ok:
            console.print(failure_text(one), style="red", highlight=False, soft_wrap=True, markup=False)


def as_object(one: Launched) -> dict[str, Any]:
    """One store's result for ``--json``."""
    outcome = dataclasses.asdict(one.outcome)
    window = one.task.window
    return {
        "store": str(one.task.store),
        "from": str(window.first),
        "to": str(window.last),
        "ok": one.outcome.ok,
        **{name: value for name, value in outcome.items() if name != "complete"},
        "error_message": None if one.outcome.ok else failure_text(one),
    }


def failure_text(one: Launched) -> str:
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
    _paper().print(table)


def show_stores(rows: Sequence[tuple[str, ...]]) -> None:
    """The configured stores, one row each."""
    table = Table("store", "name", "first day", "report", "login", "session", title="Stores")
    for row in rows:
        table.add_row(*row)
    _paper().print(table)


def _paper() -> Console:
    """Standard output: as wide as the terminal, or as the widest table where there is none, such as in cron's mail."""
    return Console() if sys.stdout.isatty() or "COLUMNS" in os.environ else Console(width=PAPER_WIDTH)
