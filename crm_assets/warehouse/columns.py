"""The columns that a report gained since its tables were made: one line in a portal's ``reports.py`` is all a new one takes.

Only added, only nullable. The tables themselves, and every other change of them, are migrations in ``sql/``.
"""

from collections.abc import Iterable, Iterator

from psycopg import sql

from crm_assets.model import Column, Kind, Report
from crm_assets.warehouse.connection import Connection

POSTGRES_TYPES = {
    Kind.TEXT: "text",
    Kind.INTEGER: "integer",
    Kind.NUMBER: "numeric",
    Kind.MONEY: "numeric(12,2)",
    Kind.DAY: "date",
    Kind.MOMENT: "timestamptz",
}


def add_columns(conn: Connection, reports: Iterable[Report]) -> list[str]:
    """Add what the tables of these reports lack, explained; returns ``table.column`` of each."""
    with conn.transaction():
        return [_add(conn, report, *one) for report in reports for one in list(_lacking(conn, report))]


def lacking(conn: Connection, reports: Iterable[Report]) -> list[str]:
    """``table.column`` of each column that a report has and its tables lack."""
    return [f"{table}.{column.name}" for report in reports for table, column, _ in _lacking(conn, report)]


def comment_of_staging(column: Column) -> str:
    """What the database says of a staged column."""
    told = f"Made of {', '.join(column.made_of)}" if column.made_of else f'Cell under "{column.header}", as text'
    return told + _personal(column)


def comment_of_fact(column: Column) -> str:
    """What the database says of a fact column."""
    return column.description + _personal(column)


def _personal(column: Column) -> str:
    return " (personal data)" if column.personal else ""


def _lacking(conn: Connection, report: Report) -> Iterator[tuple[str, Column, str]]:
    """Table, column and PostgreSQL type of what is not there. A table that is not there lacks nothing: a migration makes it."""
    for table, columns in ((report.staging_table, report.columns), (report.fact_table, report.fact_columns)):
        there = {
            name
            for (name,) in conn.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
                [table],
            )
        }
        for column in columns:
            if there and column.name not in there:
                yield table, column, "text" if table == report.staging_table else POSTGRES_TYPES[column.kind]


def _add(conn: Connection, report: Report, table: str, column: Column, kind: str) -> str:
    place = {"table": sql.Identifier(table), "column": sql.Identifier(column.name)}
    conn.execute(sql.SQL("ALTER TABLE {table} ADD COLUMN {column} {kind}").format(**place, kind=sql.SQL(kind)))
    text = comment_of_staging(column) if table == report.staging_table else comment_of_fact(column)
    conn.execute(sql.SQL("COMMENT ON COLUMN {table}.{column} IS {text}").format(**place, text=text))
    return f"{table}.{column.name}"
