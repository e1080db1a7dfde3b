"""What a server says of its health."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import psycopg
import pytest

from crm_assets.model import system_clock
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.health import health, migrations
from crm_assets.warehouse.migrate import SQL_DIR

NAMES = sorted(path.stem for path in SQL_DIR.glob("*.sql"))
USER = "<the user of CRM_DATABASE_URL>"


@pytest.fixture
def plain_user(empty_database: str) -> Iterator[str]:
    """URL of a user without rights on an empty database."""
    with psycopg.connect(empty_database, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS test_patient; CREATE ROLE test_patient LOGIN")
        admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        yield empty_database.replace("//postgres:@", "//test_patient:@")
        admin.execute("DROP OWNED BY test_patient; DROP ROLE test_patient")


def grants(url: str) -> list[str]:
    with connect(url) as conn:
        return health(conn).missing_grants


def test_a_migrated_database_of_our_own_is_well(conn: Connection) -> None:
    found = health(conn)
    assert found.version // 10_000 == conn.info.server_version // 10_000
    assert (found.database, found.schema) == (conn.info.dbname, "public")
    assert (found.read_only, found.table_rights, found.dagster_schema, found.dagster_rights) == (
        False,
        True,
        True,
        True,
    )
    assert found.missing_grants == []
    assert abs(found.clock - system_clock()) < timedelta(seconds=5)


def test_an_empty_database_has_no_schema_for_dagster_but_we_may_make_it(empty_database: str) -> None:
    with connect(empty_database) as conn:
        found = health(conn)
    assert (found.dagster_schema, found.dagster_rights, found.missing_grants) == (False, True, [])


def test_what_connections_are_free_goes_down_with_each(conn: Connection, warehouse: str) -> None:
    before = health(conn).free_connections
    with connect(warehouse), connect(warehouse):
        conn.execute("SELECT pg_stat_clear_snapshot()")
        assert health(conn).free_connections <= before - 2
    assert before < 200


def test_a_user_without_rights_gets_the_statements_that_give_them(plain_user: str, empty_database: str) -> None:
    with connect(empty_database) as admin:
        name = admin.info.dbname
        assert grants(plain_user) == [
            f'GRANT USAGE, CREATE ON SCHEMA "public" TO {USER}',
            f'GRANT CREATE ON DATABASE "{name}" TO {USER}',
        ]
        admin.execute("CREATE SCHEMA dagster; GRANT CREATE ON SCHEMA public TO test_patient")
        assert grants(plain_user) == [f'GRANT USAGE, CREATE ON SCHEMA "dagster" TO {USER}']
        admin.execute("GRANT USAGE, CREATE ON SCHEMA dagster TO test_patient")
        assert grants(plain_user) == []


def test_tables_that_somebody_else_made_are_closed_to_us(warehouse: str) -> None:
    with connect(warehouse) as admin:
        admin.execute("DROP ROLE IF EXISTS test_heir; CREATE ROLE test_heir LOGIN")
        admin.execute("GRANT CREATE ON SCHEMA public TO test_heir; GRANT USAGE, CREATE ON SCHEMA dagster TO test_heir")
        try:
            admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO test_heir")
            with connect(warehouse.replace("//postgres:@", "//test_heir:@")) as conn:
                found = health(conn)
                admin.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO test_heir")
                assert health(conn).closed_tables == []
        finally:
            admin.execute("DROP OWNED BY test_heir; DROP ROLE test_heir")
    assert "store_session" in found.closed_tables
    assert found.missing_grants == [f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "public" TO {USER}']


def test_a_search_path_that_leads_nowhere_is_no_schema(empty_database: str) -> None:
    with connect(f"{empty_database}&options={quote('-c search_path=elsewhere')}") as conn:
        found = health(conn)
    assert (found.schema, found.table_rights) == (None, False)


def test_a_server_that_may_not_be_written_to_is_read_only(empty_database: str) -> None:
    with connect(f"{empty_database}&options={quote('-c default_transaction_read_only=on')}") as conn:
        assert health(conn).read_only


def test_migrations_are_compared_with_the_files(conn: Connection) -> None:
    found = migrations(conn)
    assert (found.applied, found.pending, found.unknown) == (len(NAMES), [], [])
    conn.execute("UPDATE _yoyo_migration SET migration_id = '9999_newer' WHERE migration_id = %s", [NAMES[-1]])
    found = migrations(conn)
    assert (found.pending, found.unknown) == ([NAMES[-1]], ["9999_newer"])


def test_an_empty_database_has_every_migration_before_it(empty_database: str) -> None:
    with connect(empty_database) as conn:
        assert migrations(conn).pending == NAMES
