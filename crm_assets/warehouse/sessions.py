"""Store accounts: whether each can work without a person, and the lock that lets one run at a time use it.

What the states mean and who moves between them is ``crm_assets.account``'s business.
"""

import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from crm_assets.errors import AccountBusy
from crm_assets.logs import say
from crm_assets.model import Account, AccountState, Store
from crm_assets.warehouse.connection import Connection, connect_async, set_session_async

# Only the lock's own limit ends the wait for it, and nothing ends the idle connection that holds it.
LOCK_HOLDER = {"statement_timeout": "0", "idle_session_timeout": "0"}
NAME_LETTERS = 63  # PostgreSQL cuts an application's name there


def record_state(
    conn: Connection,
    store: Store,
    state: AccountState,
    now: datetime,
    *,
    reason: str | None = None,
    error_code: str | None = None,
    profile_digest: str | None = None,
    signed_in: bool = False,
) -> None:
    """Keep the account's state; ``since`` moves only when the state changes, the last login only when ``signed_in``."""
    conn.execute(
        """
        INSERT INTO store_session AS kept (crm, store, state, since, last_login_at, reason, error_code, profile_digest)
        VALUES (%(crm)s, %(store)s, %(state)s, %(now)s, CASE WHEN %(signed_in)s THEN %(now)s::timestamptz END,
            %(reason)s, %(error_code)s, %(profile_digest)s)
        ON CONFLICT (crm, store) DO UPDATE SET
            state = excluded.state,
            since = CASE WHEN kept.state = excluded.state THEN kept.since ELSE excluded.since END,
            last_login_at = coalesce(excluded.last_login_at, kept.last_login_at),
            reason = excluded.reason,
            error_code = excluded.error_code,
            profile_digest = excluded.profile_digest
        """,
        {
            "crm": store.crm,
            "store": store.code,
            "state": state.value,
            "now": now,
            "signed_in": signed_in,
            "reason": reason,
            "error_code": error_code,
            "profile_digest": profile_digest,
        },
    )


def account(conn: Connection, store: Store) -> Account | None:
    """What is known of the account, or None for one that never signed in."""
    return next((known for known in accounts(conn) if (known.crm, known.store) == (store.crm, store.code)), None)


def accounts(conn: Connection) -> list[Account]:
    """Every account that ever had a state, by CRM and store."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            SELECT crm, store, state, since, last_login_at, reason, error_code, profile_digest
            FROM store_session ORDER BY crm, store
            """
        ).fetchall()
    return [Account(**{**row, "state": AccountState(row["state"])}) for row in rows]


@asynccontextmanager
async def account_lock(url: str, store: Store, *, timeout: float, holder: str) -> AsyncIterator[None]:  # noqa: ASYNC109 - the server's own limit
    """Hold the account while the block runs; PostgreSQL frees it when the process dies, because its connection does.

    ``holder`` says who holds it, for whoever waits: ``run 1a2b3c4d``. Waits up to ``timeout`` seconds, then raises AccountBusy
    naming the other holder. The lock lives on a connection of its own.
    """
    async with connect_async(url) as conn:
        name = f"crm_assets {holder}, process {os.getpid()} on {socket.gethostname()}"[:NAME_LETTERS]
        await set_session_async(conn, LOCK_HOLDER | {"application_name": name})
        key = {"key": account_key(store.crm, store.code)}
        if not await _taken_at_once(conn, key):
            await _wait(conn, store, key, timeout)
        try:
            yield
        finally:  # at once, and not when the server notices that the connection is gone
            if not conn.broken:
                await conn.execute("SELECT pg_advisory_unlock(hashtextextended(%(key)s, 0))", key)


async def _taken_at_once(conn: psycopg.AsyncConnection[Any], key: Mapping[str, str]) -> bool:
    cursor = await conn.execute("SELECT pg_try_advisory_lock(hashtextextended(%(key)s, 0))", key)
    return await cursor.fetchone() == (True,)


async def _wait(conn: psycopg.AsyncConnection[Any], store: Store, key: Mapping[str, str], seconds: float) -> None:
    """Wait for the holder to let go. Raises AccountBusy."""
    holder = await _holder(conn, key)
    say(store, "waiting", f"the account is held by {holder}")
    milliseconds = max(1, round(seconds * 1000))  # 0 would wait for ever
    await set_session_async(conn, {"lock_timeout": str(milliseconds)})
    try:
        await conn.execute("SELECT pg_advisory_lock(hashtextextended(%(key)s, 0))", key)
    except psycopg.errors.LockNotAvailable as error:
        raise AccountBusy(
            f"{store}: this account is still held after {seconds:g} s, by {await _holder(conn, key)}. "
            "Wait for it to end, then run again"
        ) from error


async def _holder(conn: psycopg.AsyncConnection[Any], key: Mapping[str, str]) -> str:
    """Who holds the lock: its own name for itself, and since when its connection stands."""
    cursor = await conn.execute(
        """
        SELECT application_name, to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS')
        FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND granted AND objsubid = 1
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND (classid::bigint << 32 | objid::bigint) = hashtextextended(%(key)s, 0)
        """,
        key,
    )
    found = await cursor.fetchone()
    return (
        f"{found[0].removeprefix('crm_assets ') or 'someone'}, since {found[1]}" if found else "a run that just ended"
    )


def account_key(crm: str, store: str) -> str:
    """What the account's advisory lock is taken on, in the database at hand."""
    return f"crm_assets:account:{crm}/{store}"
