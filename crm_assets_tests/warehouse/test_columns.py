"""A column that a report gained: one line in its table of columns is all it takes."""

from dataclasses import replace

import pytest

from crm_assets.errors import WarehouseUnavailable
from crm_assets.model import Column, Kind
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.warehouse.columns import POSTGRES_TYPES, add_columns, lacking
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.migrate import migrate, require_current

NEW = (
    *(Column(name=f"a_{kind}", header=f"A {kind}", kind=kind, optional=True, description="New") for kind in Kind),
    Column(name="guest", header="Guest", optional=True, personal=True, description="Who 'else' came"),
    Column(name="place", header="Place", optional=True, in_fact=False, description="Of the row"),
)
WIDER = replace(ORDER_REPORT, columns=(*ORDER_REPORT.columns, *NEW))
STAGING, FACTS = ORDER_REPORT.staging_table, ORDER_REPORT.fact_table


def told(conn: Connection, table: str, column: str) -> tuple[str, bool, str]:
    """Type, whether null is refused, and the comment."""
    found = conn.execute(
        """
        SELECT format_type(atttypid, atttypmod), attnotnull, col_description(attrelid, attnum)
        FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s
        """,
        [table, column],
    ).fetchone()
    assert found is not None
    return found  # type: ignore[return-value]


def test_what_a_report_gained_is_added_to_both_tables_by_its_kind_and_explained(conn: Connection) -> None:
    added = [f"{STAGING}.{column.name}" for column in NEW] + [f"{FACTS}.{column.name}" for column in NEW[:-1]]
    assert lacking(conn, [ORDER_REPORT]) == []
    assert lacking(conn, [WIDER]) == added
    assert add_columns(conn, [WIDER]) == added
    for kind in Kind:
        short = {"timestamp with time zone": "timestamptz"}
        found, required, comment = told(conn, FACTS, f"a_{kind}")
        assert (short.get(found, found), required, comment) == (POSTGRES_TYPES[kind], False, "New")
        assert told(conn, STAGING, f"a_{kind}") == ("text", False, f'Cell under "A {kind}", as text')
    assert told(conn, FACTS, "guest") == ("text", False, "Who 'else' came (personal data)")
    assert told(conn, STAGING, "guest") == ("text", False, 'Cell under "Guest", as text (personal data)')


def test_twice_does_no_harm(conn: Connection) -> None:
    add_columns(conn, [WIDER])
    assert lacking(conn, [WIDER]) == []
    assert add_columns(conn, [WIDER]) == []


def test_a_table_that_is_not_there_is_a_migrations_business(conn: Connection) -> None:
    stranger = replace(WIDER, staging_table="stg_other", fact_table="fact_other")
    assert lacking(conn, [stranger]) == []
    assert add_columns(conn, [stranger]) == []


def test_migrating_adds_them_and_a_database_without_them_is_told_so(warehouse: str) -> None:
    with connect(warehouse) as conn:
        require_current(conn, [ORDER_REPORT])
        told = rf"lacks {2 * len(NEW) - 1} of our migrations or columns: {STAGING}.a_text"
        with pytest.raises(WarehouseUnavailable, match=told):
            require_current(conn, [WIDER])
        assert len(migrate(warehouse, [WIDER])) == 2 * len(NEW) - 1
        assert migrate(warehouse, [WIDER]) == []
        require_current(conn, [WIDER])
