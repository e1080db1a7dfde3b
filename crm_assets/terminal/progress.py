"""Progress while runs go on: a bar per store on a terminal, log lines otherwise; both to standard error."""

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from crm_assets import logs
from crm_assets.terminal.runs import result_of

if TYPE_CHECKING:
    from crm_assets.pipeline.launch import Launched, Task

STEPS = ("started", "signed in", "downloaded", "loaded")  # the bar's marks; a reused session stands for a sign-in


def collected(launched: "Iterable[Launched]", tasks: "Sequence[Task]") -> "list[Launched]":
    """Every store's result: with a progress bar per store on a terminal, with plain log lines otherwise."""
    if not sys.stderr.isatty():
        logs.to_stream(sys.stderr)
        return list(launched)
    with _bars(tasks) as bars:
        return [bars.ended(one) for one in launched]


class _Bars(logging.Handler):
    """One bar per store, moved by the log lines of its run."""

    def __init__(self, progress: Progress, tasks: "Sequence[Task]") -> None:
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

    def ended(self, one: "Launched") -> "Launched":
        event = "[green]done" if one.outcome.ok else result_of(one.outcome)
        self.progress.update(self.rows[str(one.task.store)], completed=len(STEPS), event=event)
        return one


@contextmanager
def _bars(tasks: "Sequence[Task]") -> Iterator[_Bars]:
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
