"""Stores, accounts and saved sessions, as tables and as objects."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from rich.table import Table

from crm_assets.browser.fingerprint import Fingerprint
from crm_assets.model import IST, Account, AccountState
from crm_assets.session_facts import SessionFacts
from crm_assets.terminal.paper import paper


def show_stores(rows: Sequence[tuple[str, ...]]) -> None:
    """The configured stores, one row each."""
    table = Table("store", "name", "first day", "report", "login", "session", title="Stores")
    for row in rows:
        table.add_row(*row)
    paper().print(table)


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
    console = paper()
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
    paper().print(table)


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
