"""Migrations."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from crm_assets.errors import WarehouseUnavailable
from crm_assets.model import Report, Store
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.facts import Counts
from crm_assets.warehouse.migrate import SQL_DIR, migrate, require_current
from crm_assets_tests.warehouse.samples import NOW, REPORTS, TD, UC, fetched, invoice, load, nov, order, window

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


# What 0007 makes of rows that are there already.

ORDER = order(
    "T1",
    12,
    net_amount=Decimal("480.50"),
    weight_kg=Decimal("1.50"),
    pieces=7,
    due_on=nov(15),
    preference="NA",
    last_activity_at=datetime(2025, 11, 13, 20, 0, tzinfo=UTC),
)
INVOICE = invoice("5", 12, cgst=Decimal("9.00"), taxable_value=Decimal("100.00"), customer_name="Asha")


@pytest.mark.parametrize(("store", "row"), [(TD, ORDER), (UC, INVOICE)], ids=["td", "uc"])
def test_rows_from_before_0007_are_unchanged_when_they_are_loaded_again(
    empty_database: str, store: Store, row: dict[str, Any]
) -> None:
    _migrate_up_to(empty_database, "0006_accounts")
    with connect(empty_database) as conn:
        ledger_id = fetched(conn, window(12), store=store)
        _insert_as_before(conn, REPORTS[store.crm], store, row, ledger_id)
        conn.execute(f"ALTER DATABASE {conn.info.dbname} SET timezone = 'UTC'")
    assert migrate(empty_database)[0] == "0007_trust"
    with connect(empty_database) as conn:
        assert load(conn, row, days=window(12), store=store) == Counts(unchanged=1)
        other = row | {"customer_name": "Another"}
        assert load(conn, other, days=window(12), store=store) == Counts(updated=1)


def _migrate_up_to(url: str, last: str) -> None:
    """Apply the files up to this one, as a release from then would have."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for path in SQL_DIR.glob("*.sql"):
            if path.stem <= last:
                shutil.copy(path, folder)
        patch.setattr("crm_assets.warehouse.migrate.SQL_DIR", Path(folder))
        assert migrate(url)[-1] == last


def _insert_as_before(conn: Connection, report: Report, store: Store, row: dict[str, Any], ledger_id: int) -> None:
    fixed = {
        "store": store.code,
        "row_hash": "of before",
        "first_seen_at": NOW,
        "changed_at": NOW,
        "ledger_id": ledger_id,
    }
    values = fixed | row
    conn.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(report.fact_table),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(sql.Placeholder() * len(values)),
        ),
        list(values.values()),
    )
