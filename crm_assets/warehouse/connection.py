"""Connections: one way to open them, so that every session reads dates, times and timeouts alike.

Transactions belong to the callers (``with conn.transaction()``). Starting a server belongs to ``embedded``.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from crm_assets.errors import ConfigurationError, WarehouseUnavailable

Connection = psycopg.Connection[tuple[Any, ...]]

CONNECT_TIMEOUT_SECONDS = 10
# Row hashes and the JSON of the history hold times as text: every session must write them alike, whatever the server's default.
SESSION = {
    "TimeZone": "Asia/Kolkata",
    "DateStyle": "ISO, YMD",
    "statement_timeout": "5min",
    "lock_timeout": "1min",
    "idle_in_transaction_session_timeout": "10min",
}
SET_SESSION = "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS setting (name, value)"


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    """A connection in autocommit mode: what must be atomic says ``with conn.transaction()``.

    Raises ConfigurationError when libpq cannot read the URL, WarehouseUnavailable when the server refuses, or goes away midway.
    """
    conn = _open(url)
    with conn:
        try:
            yield conn
        except psycopg.OperationalError as error:
            if conn.broken:
                raise _lost(url, error) from error
            raise


@asynccontextmanager
async def connect_async(url: str) -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
    """The same connection for a task of an event loop: a wait in it can be cancelled. Raises like ``connect``."""
    try:
        conn = await psycopg.AsyncConnection.connect(autocommit=True, **_parts(url))
    except psycopg.OperationalError as error:
        raise _refused(url, error) from error
    async with conn:
        await set_session_async(conn, SESSION)
        try:
            yield conn
        except psycopg.OperationalError as error:
            if conn.broken:
                raise _lost(url, error) from error
            raise


def _open(url: str) -> Connection:
    try:
        conn = psycopg.connect(autocommit=True, **_parts(url))
    except psycopg.OperationalError as error:
        raise _refused(url, error) from error
    # Set here and not as start-up options: those would replace the URL's own (a search_path), and PgBouncer refuses them.
    set_session(conn, SESSION)
    return conn


def _parts(url: str) -> dict[str, Any]:
    return conninfo(url) | {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": "crm_assets"}


def _refused(url: str, error: Exception) -> WarehouseUnavailable:
    return WarehouseUnavailable(
        f"no connection to {place(url)}: {_first_line(error)}. "
        "Check CRM_DATABASE_URL, and that the server runs and admits this user"
    )


def _lost(url: str, error: Exception) -> WarehouseUnavailable:
    return WarehouseUnavailable(f"the connection to {place(url)} was lost: {_first_line(error)}. Run it again")


def set_session(conn: Connection, settings: Mapping[str, str]) -> None:
    """Set server settings for the rest of the connection."""
    conn.execute(SET_SESSION, [list(settings), list(settings.values())])


async def set_session_async(conn: psycopg.AsyncConnection[Any], settings: Mapping[str, str]) -> None:
    """The same for a connection of an event loop."""
    await conn.execute(SET_SESSION, [list(settings), list(settings.values())])


def conninfo(url: str) -> dict[str, Any]:
    """The URL's libpq keywords. Raises ConfigurationError without libpq's own text, which can quote a part of the password."""
    try:
        return dict(conninfo_to_dict(url))
    except psycopg.Error:
        raise ConfigurationError(
            "CRM_DATABASE_URL: libpq cannot read it. Expected postgresql://user:password@host:5432/database, "
            "with special characters of the password percent-encoded"
        ) from None


def place(url: str) -> str:
    """Where a URL leads, for messages: ``database 'crm' on db.internal:5432``. Never the user or the password."""
    parts = conninfo(url)
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"database {parts.get('dbname') or '(default)'!r} on {parts.get('host') or 'the local socket'}{port}"


def dagster_url(url: str) -> str:
    """The same database for Dagster's own storage: SQLAlchemy's spelling for psycopg2, tables in the schema ``dagster``."""
    parts = urlsplit(url)
    query = parse_qs(parts.query, keep_blank_values=True)
    options = [*query.pop("options", []), "-csearch_path=dagster"]
    # quote, not quote_plus: libpq does not read + as a space.
    text = urlencode(query | {"options": " ".join(options)}, doseq=True, quote_via=quote)
    return urlunsplit(("postgresql+psycopg2", parts.netloc, parts.path, text, ""))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
