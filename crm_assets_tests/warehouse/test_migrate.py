"""Migrations."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import psycopg
import pytest

from crm_assets.errors import WarehouseUnavailable
from crm_assets.warehouse.connection import connect
from crm_assets.warehouse.migrate import SQL_DIR, migrate, require_current

NAMES = sorted(path.stem for path in SQL_DIR.glob("*.sql"))


def test_the_first_migration_applies_every_file_and_the_second_nothing(empty_database: str) -> None:
    assert migrate(empty_database) == NAMES
    assert migrate(empty_database) == []
    with connect(empty_database) as conn:
        require_current(conn)
        assert conn.execute("SELECT to_regnamespace('dagster') IS NOT NULL").fetchone() == (True,)


def test_of_several_at_once_one_migrates_and_the_others_find_nothing_to_do(empty_database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate, [empty_database] * 4))
    assert sorted(applied) == [[], [], [], NAMES]


def test_the_lock_row_of_a_killed_migration_does_not_stop_the_next(warehouse: str) -> None:
    with connect(warehouse) as conn:
        conn.execute("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)")
    assert migrate(warehouse) == []


def test_tables_go_where_the_search_path_says(empty_database: str) -> None:
    with connect(empty_database) as conn:
        conn.execute("CREATE SCHEMA crm")
    url = f"{empty_database}&options={quote('-c search_path=crm')}"
    assert migrate(url) == NAMES
    with connect(url) as conn:
        require_current(conn)
        where = conn.execute("SELECT schemaname FROM pg_tables WHERE tablename = 'download_ledger'").fetchall()
        assert where == [("crm",)]


@pytest.mark.parametrize("schema_exists", [False, True])
def test_a_user_without_rights_is_told_what_to_grant(empty_database: str, schema_exists: bool) -> None:
    with psycopg.connect(empty_database, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS test_reader; CREATE ROLE test_reader LOGIN")
        admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        if schema_exists:
            admin.execute("CREATE SCHEMA dagster")
        try:
            with pytest.raises(WarehouseUnavailable, match="GRANT CREATE ON DATABASE"):
                migrate(empty_database.replace("//postgres:@", "//test_reader:@"))
        finally:
            admin.execute("DROP ROLE test_reader")


def test_an_empty_database_is_told_what_is_missing_and_what_to_run(empty_database: str) -> None:
    with connect(empty_database) as conn, pytest.raises(WarehouseUnavailable) as refused:
        require_current(conn)
    assert all(name in str(refused.value) for name in NAMES)
    assert "Run: crm_download migrate" in str(refused.value)


def test_a_database_one_migration_behind_is_told_just_that_one(warehouse: str) -> None:
    with connect(warehouse) as conn:
        conn.execute("DELETE FROM _yoyo_migration WHERE migration_id = %s", [NAMES[-1]])
        with pytest.raises(WarehouseUnavailable, match=f"lacks 1 of our migrations or columns: {NAMES[-1]}"):
            require_current(conn)
