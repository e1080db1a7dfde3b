"""How fresh the stores are: a table for people, objects for programs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.table import Table

from crm_assets.errors import command_of, error_class
from crm_assets.model import IST
from crm_assets.terminal.paper import paper

if TYPE_CHECKING:
    from crm_assets.pipeline.health import StoreHealth

STYLES = {"good": "green", "days missing": "yellow", "skipped": "yellow"}


def show_health(found: "Sequence[StoreHealth]", now: datetime) -> None:
    """A table of every store and report; below it what stands in the way of some, and what to do about it."""
    table = Table("store", "report", "state", "last good refresh", "age", "missing days", "open rejects", "next slot")
    table.columns[0].no_wrap = table.columns[2].no_wrap = True
    for one in found:
        fresh = one.fresh
        table.add_row(
            str(one.store),
            one.report,
            f"[{STYLES.get(one.state, 'red')}]{one.state}",
            _moment(fresh.refreshed_at) or "never",
            _age(now - fresh.refreshed_at) if fresh.refreshed_at else "-",
            str(fresh.missing_days),
            str(fresh.open_rejects),
            _moment(one.next_at) or "none",
        )
    console = paper()
    console.print(table)
    for one in found:
        style = "yellow" if one.state in STYLES else "red"
        for line in one.told:
            console.print(line, style=style, highlight=False, soft_wrap=True, markup=False)


def health_as_object(one: "StoreHealth", now: datetime) -> dict[str, Any]:
    """One store and report for ``--json``; times in Kolkata's, age in seconds."""
    fresh = one.fresh
    return {
        "store": str(one.store),
        "report": one.report,
        "state": one.state,
        "late": one.is_late,
        "last_good_refresh": _iso(fresh.refreshed_at),
        "age_seconds": round((now - fresh.refreshed_at).total_seconds()) if fresh.refreshed_at else None,
        "missing_days": fresh.missing_days,
        "open_rejects": fresh.open_rejects,
        "due_since": _iso(one.due_at),
        "next_slot": _iso(one.next_at),
        "error_code": fresh.error_code,
        "error_message": fresh.error_message,
        "next_step": error_class(one.reason).next_step if one.reason else None,
        "command": command_of(one.reason, str(one.store)) if one.reason else None,
    }


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(IST):%d %b %H:%M}" if at else ""


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(IST).isoformat(timespec="seconds") if at else None


def _age(age: timedelta) -> str:
    hours, minutes = divmod(round(age.total_seconds() / 60), 60)
    return f"{hours // 24} d {hours % 24} h" if hours >= 48 else f"{hours} h {minutes:02} min"
