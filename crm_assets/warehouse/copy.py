"""COPY: a DataFrame into a table, in one stream.

Which rows, and what becomes of them, is ``staging``'s and ``facts``' business.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from psycopg import sql

from crm_assets.warehouse.connection import Connection

if TYPE_CHECKING:
    import pandas as pd


def copy_frame(conn: Connection, table: str, columns: Sequence[str], rows: "pd.DataFrame") -> None:
    """Append these columns of ``rows`` to the table, every kind of missing value as NULL."""
    copy_rows(conn, table, columns, records(rows, columns))


def copy_rows(conn: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Append rows, each with the values of ``columns`` in their order."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), identifiers(columns))
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def records(rows: "pd.DataFrame", columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The rows as tuples; None, NaN, NaT and NA alike become None, all else stays the Python value it was."""
    frame = rows[list(columns)].astype(object)
    return frame.where(frame.notna(), None).itertuples(index=False, name=None)


def identifiers(names: Iterable[str]) -> sql.Composed:
    """``"a", "b"``"""
    return sql.SQL(", ").join(map(sql.Identifier, names))
