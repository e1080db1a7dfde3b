"""The tables are those of the reports, and the database explains itself."""

import pytest

from crm_assets.model import Kind, Report
from crm_assets.portals.tumbledry.reports import ORDER_REPORT, SALES_AND_DELIVERY
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.tables import migration_of

TYPES = {
    Kind.TEXT: "text",
    Kind.INTEGER: "integer",
    Kind.NUMBER: "numeric",
    Kind.MONEY: "numeric(12,2)",
    Kind.DAY: "date",
    Kind.MOMENT: "timestamp with time zone",
}
OF_A_FACT = {
    "store": ("text", True),
    "business_day": ("date", True),
    "row_hash": ("text", True),
    "first_seen_at": ("timestamp with time zone", True),
    "changed_at": ("timestamp with time zone", True),
    "ledger_id": ("bigint", True),
    "missing_since": ("timestamp with time zone", False),
    "warnings": ("jsonb", False),
}
OF_STAGING = {
    "store": ("text", True),
    "business_day": ("date", True),
    "row_number": ("integer", True),
    "ledger_id": ("bigint", True),
    "_extra": ("jsonb", False),
}
each_report = pytest.mark.parametrize(
    "report", [ORDER_REPORT, SALES_AND_DELIVERY, GST_REPORT], ids=lambda report: report.name
)


def columns(conn: Connection, table: str) -> dict[str, tuple[str, bool]]:
    """``{name: (type, is it NOT NULL)}``"""
    rows = conn.execute(
        """
        SELECT attname, format_type(atttypid, atttypmod), attnotnull
        FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
        """,
        [table],
    )
    return {name: (kind, required) for name, kind, required in rows}


def primary_key(conn: Connection, table: str) -> list[str]:
    rows = conn.execute(
        """
        SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
        WHERE indrelid = %s::regclass AND indisprimary ORDER BY array_position(indkey::int2[], attnum)
        """,
        [table],
    )
    return [name for (name,) in rows]


def comments(conn: Connection, table: str) -> dict[str, str | None]:
    rows = conn.execute(
        """
        SELECT attname, col_description(attrelid, attnum)
        FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
        """,
        [table],
    )
    return dict(rows.fetchall())


def tables(conn: Connection) -> list[tuple[str, str]]:
    return conn.execute("SELECT schemaname, tablename FROM pg_tables").fetchall()


@each_report
def test_a_staging_table_holds_every_column_of_its_report_as_text(conn: Connection, report: Report) -> None:
    expected = OF_STAGING | {column.name: ("text", False) for column in report.columns}
    assert columns(conn, report.staging_table) == expected


@each_report
def test_a_fact_table_holds_the_business_columns_by_their_kind(conn: Connection, report: Report) -> None:
    expected = OF_A_FACT | {column.name: (TYPES[column.kind], column.required) for column in report.fact_columns}
    expected[report.key] = ("text", True)
    assert columns(conn, report.fact_table) == expected
    assert primary_key(conn, report.fact_table) == ["store", report.key]


@each_report
def test_a_facts_dictionary_says_what_the_report_says(conn: Connection, report: Report) -> None:
    rows = conn.execute(
        "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0",
        [report.fact_table],
    )
    said = dict(rows.fetchall())
    for column in report.fact_columns:
        assert said[column.name] == column.description + (" (personal data)" if column.personal else "")


@each_report
def test_the_printed_migration_makes_the_tables_that_are_there(conn: Connection, report: Report) -> None:
    """In a schema beside them, where they are then compared by column, key and comment."""
    there = [report.staging_table, report.fact_table, report.history_table]
    expected = {table: (columns(conn, table), primary_key(conn, table), comments(conn, table)) for table in there}
    printed = migration_of([report], depends="0001_ledger_and_audit")
    assert printed.startswith("-- depends: 0001_ledger_and_audit\n")
    conn.execute("CREATE SCHEMA beside")
    conn.execute("SET search_path = beside, public")
    conn.execute(printed)  # type: ignore[arg-type]
    made = {table: (columns(conn, table), primary_key(conn, table), comments(conn, table)) for table in there}
    assert made == expected
    assert {("beside", table) for table in there} <= set(tables(conn))


def test_every_table_view_and_column_is_explained(conn: Connection) -> None:
    unexplained = conn.execute(
        """
        SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') AND relname !~ 'yoyo' AND attnum > 0
            AND (col_description(attrelid, attnum) IS NULL OR obj_description(attrelid, 'pg_class') IS NULL)
        """
    ).fetchall()
    assert unexplained == []


def test_the_audit_has_the_required_columns(conn: Connection) -> None:
    required = "run_id crm store from_date to_date inserted_rows md5 started_at finished_at status"
    assert set(required.split()) <= columns(conn, "ingest_audit").keys()
