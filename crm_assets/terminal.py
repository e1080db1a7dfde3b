"""What people see at a terminal: progress while runs go on, tables afterwards, JSON for programs.

Results go to standard output; progress and log lines to standard error.
"""

import dataclasses
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from crm_assets import logs
from crm_assets.browser.fingerprint import Fingerprint
from crm_assets.model import IST, Account, AccountState, Store, Window
from crm_assets.pipeline.launch import Launched, Task
from crm_assets.pipeline.reload import Reloaded
from crm_assets.session_facts import SessionFacts
from crm_assets.warehouse.outcomes import RunOutcome
from crm_assets.warehouse.overview import StoreSales
from crm_assets.warehouse.rejects import KeptReject

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
        event = "[green]done" if one.outcome.ok else _result(one.outcome)
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
        result = _result(outcome)
        counts = (outcome.inserted, outcome.updated, outcome.unchanged, outcome.rejected)
        table.add_row(str(one.task.store), str(one.task.window), *map(str, counts), result)
    console = _paper()
    console.print(table)
    for one in launched:
        if not one.outcome.ok:
            style = "yellow" if one.outcome.skipped else "red"
            console.print(failure_text(one), style=style, highlight=False, soft_wrap=True, markup=False)
            if one.outcome.evidence:
                console.print(f"Evidence: {one.outcome.evidence}", highlight=False, soft_wrap=True, markup=False)


def show_reloaded(done: Sequence[Reloaded]) -> None:
    """What became of each store's staged days, and each refusal in full below."""
    table = Table("store", "days", "new", "changed", "unchanged", "missing", "rejected", "result")
    table.columns[0].no_wrap = True
    for one in done:
        counts = one.counts
        figures = (len(one.days), counts.inserted, counts.updated, counts.unchanged, counts.missing, one.rejected)
        table.add_row(str(one.store), *map(str, figures), f"[red]{one.error.code}" if one.error else "[green]good")
    console = _paper()
    console.print(table)
    for one in done:
        if one.error:
            console.print(str(one.error), style="red", highlight=False, soft_wrap=True, markup=False)


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
    _paper().print(table)


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


def _result(outcome: RunOutcome) -> str:
    if outcome.ok:
        return "[green]good"
    if outcome.skipped:
        return f"[yellow]skipped: {outcome.error_code}"
    return f"[red]{outcome.error_code or 'ended early'}"


def as_object(one: Launched) -> dict[str, Any]:
    """One store's result for ``--json``."""
    outcome = dataclasses.asdict(one.outcome)
    window = one.task.window
    return {
        "store": str(one.task.store),
        "from": str(window.first),
        "to": str(window.last),
        "ok": one.outcome.ok,
        "skipped": one.outcome.skipped,
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


def show_sessions(found: Sequence[SessionFacts], now: datetime, *, as_json: bool) -> None:
    """Every account in a line: its state and since when, its last login, its saved session's age and form."""
    if as_json:
        for one in found:
            print(json.dumps(facts_as_object(one)))  # noqa: T201 - standard output is for programs
        return
    table = Table("account", "state", "since", "last login", "session", "saved", "made by", title="Sessions")
    table.columns[0].no_wrap = True
    for one in found:
        account = one.account
        table.add_row(
            str(one.store),
            _state(account),
            _when(account.since if account else None),
            _when(account.last_login_at if account else None),
            one.form,
            f"{_age(now - one.saved_at)} ago" if one.saved_at else "-",
            _maker(one.fingerprint),
        )
    console = _paper()
    console.print(table)
    for one in found:
        for line in filter(None, (one.problem, one.account and one.account.reason)):
            console.print(line, highlight=False, soft_wrap=True, markup=False)


def show_session_in_full(one: SessionFacts, *, as_json: bool) -> None:
    """One account, line by line."""
    if as_json:
        print(json.dumps(facts_as_object(one)))  # noqa: T201 - standard output is for programs
        return
    table = Table(show_header=False, title=str(one.store))
    for name, value in facts_as_object(one).items():
        told = ", ".join(f"{key}: {count}" for key, count in value.items()) if isinstance(value, dict) else value
        table.add_row(name.replace("_", " "), "-" if told in (None, "") else str(told))
    _paper().print(table)


def facts_as_object(one: SessionFacts) -> dict[str, Any]:
    """An account for ``--json``; times are ISO 8601."""
    account = one.account
    return {
        "account": str(one.store),
        "state": account.state.value if account else None,
        "since": _iso(account.since if account else None),
        "last_login_at": _iso(account.last_login_at if account else None),
        "error_code": account.error_code if account else None,
        "reason": account.reason if account else None,
        "file": str(one.file),
        "session": one.form,
        "problem": one.problem,
        "saved_at": _iso(one.saved_at),
        "previous": one.previous,
        "fingerprint": one.fingerprint.as_json() if one.fingerprint else None,
        "cookies": dict(one.cookies),
        "stored": dict(one.stored),
        "first_expiry": _iso(one.first_expiry),
    }


def _state(account: Account | None) -> str:
    colours = {AccountState.OK: "green", AccountState.EXPIRED: "yellow", AccountState.NEEDS_PERSON: "red"}
    return f"[{colours[account.state]}]{account.state.value}" if account else "never signed in"


def _maker(fingerprint: Fingerprint | None) -> str:
    return f"{fingerprint.browser} {fingerprint.version.partition('.')[0]}" if fingerprint else "-"


def _when(moment: datetime | None) -> str:
    return f"{moment.astimezone(IST):%Y-%m-%d %H:%M}" if moment else "-"


def _age(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return (
        f"{hours // 24} days"
        if hours >= 48
        else f"{hours} hours"
        if hours
        else f"{int(age.total_seconds() // 60)} minutes"
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(IST).isoformat(timespec="seconds") if moment else None


def _paper() -> Console:
    """Standard output: as wide as the terminal, or as the widest table where there is none, such as in cron's mail."""
    return Console() if sys.stdout.isatty() or "COLUMNS" in os.environ else Console(width=PAPER_WIDTH)
