"""What is wrong, as a table and as objects."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.table import Table

from crm_assets.errors import advice, command_of, error_class
from crm_assets.model import IST
from crm_assets.terminal.paper import paper
from crm_assets.warehouse.alerts import Alert


def show_alerts(found: Sequence[Alert], *, as_json: bool) -> None:
    """Every trouble in a line, and below the table what those that last say of themselves, and what to do about it."""
    if as_json:
        for one in found:
            print(json.dumps(_as_object(one)))  # noqa: T201 - standard output is for programs
        return
    table = Table("since", "store", "code", "times", "told", "state", title="Alerts")
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for one in found:
        told = _when(one.told_at) if one.told_at else "-"
        table.add_row(_when(one.first_seen_at), one.name or "-", one.code, str(one.times), told, _state(one))
    console = paper()
    console.print(table)
    for one in found:
        if not one.over:
            for line in (one.message, *advice(one.code, one.message, _account(one))):
                console.print(line, highlight=False, soft_wrap=True, markup=False)


def _account(one: Alert) -> str:
    """The store's name; empty for what concerns a CRM or everything."""
    return one.name if one.store else ""


def _state(one: Alert) -> str:
    if one.resolved_at:
        return f"[green]over since {_when(one.resolved_at)}"
    waits = f", told again from {_when(one.next_try_at)}" if one.next_try_at else ""
    return f"[red]open[/]{waits}"


def _as_object(one: Alert) -> dict[str, Any]:
    """A trouble for ``--json``; times are ISO 8601."""
    return {
        "id": one.alert_id,
        "account": one.name,
        "code": one.code,
        "message": one.message,
        "next_step": error_class(one.code).next_step,
        "command": command_of(one.code, _account(one)),
        "evidence": one.evidence,
        "times": one.times,
        "first_seen_at": _iso(one.first_seen_at),
        "last_seen_at": _iso(one.last_seen_at),
        "resolved_at": _iso(one.resolved_at),
        "told_at": _iso(one.told_at),
        "recovery_told_at": _iso(one.recovery_told_at),
        "tries": one.tries,
        "next_try_at": _iso(one.next_try_at),
        "last_delivery_error": one.last_delivery_error,
    }


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(IST):%Y-%m-%d %H:%M}"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
