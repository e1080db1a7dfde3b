"""Store accounts: whether each can work without a person, and the lock that lets one run at a time use it.

What the states mean and who moves between them is ``multi_crm_downloader``'s business.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import psycopg
from psycopg.rows import class_row

from crm_assets.errors import AccountBusy
from crm_assets.model import Store
from crm_assets.warehouse.connection import Connection, connect, set_session

# Only the lock's own limit ends the wait for it, and nothing ends the idle connection that holds it.
LOCK_HOLDER = {"statement_timeout": "0", "idle_session_timeout": "0"}

State = Literal["ok", "expired", "needs_person"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionState:
    """One account's state, since when, its last successful login, and why."""

    crm: str
    store: str
    state: State
    since: datetime
    last_login_at: datetime | None
    reason: str | None


def record_state(
    conn: Connection, store: Store, state: State, reason: str | None, now: datetime, *, signed_in: bool = False
) -> None:
    """Keep the account's state; ``since`` moves only when the state changes, the last login only when ``signed_in``."""
    conn.execute(
        """
        INSERT INTO store_session AS kept (crm, store, state, since, last_login_at, reason)
        VALUES (%(crm)s, %(store)s, %(state)s, %(now)s, CASE WHEN %(signed_in)s THEN %(now)s::timestamptz END, %(reason)s)
        ON CONFLICT (crm, store) DO UPDATE SET
            state = excluded.state,
            since = CASE WHEN kept.state = excluded.state THEN kept.since ELSE excluded.since END,
            last_login_at = coalesce(excluded.last_login_at, kept.last_login_at),
            reason = excluded.reason
        """,
        {"crm": store.crm, "store": store.code, "state": state, "now": now, "signed_in": signed_in, "reason": reason},
    )


def state(conn: Connection, store: Store) -> SessionState | None:
    """The account's state, or None for one that never signed in."""
    return next((known for known in states(conn) if (known.crm, known.store) == (store.crm, store.code)), None)


def states(conn: Connection) -> list[SessionState]:
    """The state of every account that has one, by CRM and store."""
    with conn.cursor(row_factory=class_row(SessionState)) as cursor:
        return cursor.execute(
            "SELECT crm, store, state, since, last_login_at, reason FROM store_session ORDER BY crm, store"
        ).fetchall()


@contextmanager
def account_lock(url: str, store: Store, timeout: float) -> Iterator[None]:
    """Hold the account for this process while the block runs; PostgreSQL frees it when the process dies.

    Waits up to ``timeout`` seconds for another holder, then raises AccountBusy. The lock lives on a connection of its own.
    """
    with connect(url) as conn:
        milliseconds = max(1, round(timeout * 1000))  # 0 would wait for ever
        set_session(conn, LOCK_HOLDER | {"lock_timeout": str(milliseconds)})
        try:
            conn.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [account_key(store.crm, store.code)])
        except psycopg.errors.LockNotAvailable as error:
            raise AccountBusy(
                f"{store}: another run still holds this account after {timeout:g} s. Wait for it to end, then run again"
            ) from error
        yield


def account_key(crm: str, store: str) -> str:
    """What the account's advisory lock is taken on, in the database at hand."""
    return f"crm_assets:account:{crm}/{store}"
