"""Migrations."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from crm_assets.errors import WarehouseUnavailable
from crm_assets.model import IST, Report, Store, Window
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.facts import Counts
from crm_assets.warehouse.migrate import SQL_DIR, migrate, require_current
from crm_assets_tests.warehouse.samples import LATER, NOW, REPORTS, TD, UC, invoice, load, nov, order, window

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
        ledger_id = _loaded_as_before(conn, window(12), NOW, store=store)
        _insert_as_before(conn, REPORTS[store.crm], store, row, ledger_id)
        conn.execute(f"ALTER DATABASE {conn.info.dbname} SET timezone = 'UTC'")
    assert migrate(empty_database)[0] == "0007_trust"
    with connect(empty_database) as conn:
        assert load(conn, row, days=window(12), store=store) == Counts(unchanged=1)
        other = row | {"customer_name": "Another"}
        assert load(conn, other, days=window(12), store=store) == Counts(updated=1)


# What 0008 makes of days that are there already.


def midnight(day: int) -> datetime:
    """The moment at which this day of November begins in Kolkata."""
    return datetime.combine(nov(day), time.min, IST)


def test_days_from_before_0008_are_final_where_the_facts_hold_an_export_asked_for_after_them(
    empty_database: str,
) -> None:
    _migrate_up_to(empty_database, "0007_trust")
    with connect(empty_database) as conn:
        during = _loaded_as_before(conn, window(10, 14), midnight(13) - timedelta(seconds=1))
        after = _loaded_as_before(conn, window(12), midnight(13))
        confirming = _loaded_as_before(conn, window(13), midnight(14), status="unchanged")
        only_staged = _loaded_as_before(conn, window(14), midnight(20), status="downloaded")
        for day, ledger_id, confirmed_by in [
            (10, during, None),
            (11, during, None),
            (12, after, None),
            (13, during, confirming),
            (14, only_staged, None),
        ]:
            conn.execute(
                """
                INSERT INTO staging_slice
                    (crm, report, store, business_day, ledger_id, row_count, staged_at, confirmed_by, confirmed_at)
                VALUES ('td', 'order_report', 'a668', %s, %s, 0, %s, %s, CASE WHEN %s::bigint IS NULL THEN NULL ELSE now() END)
                """,
                [nov(day), ledger_id, NOW, confirmed_by, confirmed_by],
            )
        second = _loaded_as_before(conn, window(12), midnight(13) - timedelta(seconds=1), store=UC)
        conn.execute(
            "INSERT INTO staging_slice (crm, report, store, business_day, ledger_id, row_count, staged_at)"
            " VALUES ('uc', 'gst_report', 'sector56', '2025-11-12', %s, 0, %s)",
            [second, NOW],
        )
        conn.execute(f"ALTER DATABASE {conn.info.dbname} SET timezone = 'America/New_York'")
    assert migrate(empty_database)[0] == "0008_autonomy"
    with connect(empty_database) as conn:
        found = conn.execute(
            "SELECT crm, business_day, final_at FROM staging_slice ORDER BY crm, business_day"
        ).fetchall()
        assert found == [
            ("td", nov(10), LATER),
            ("td", nov(11), LATER),
            ("td", nov(12), LATER),
            ("td", nov(13), LATER),
            ("td", nov(14), None),
            ("uc", nov(12), None),
        ]
        assert conn.execute("SELECT DISTINCT purpose FROM download_ledger").fetchall() == [("by_hand",)]


def _loaded_as_before(
    conn: Connection, days: Window, requested_at: datetime, *, store: Store = TD, status: str = "ingested"
) -> int:
    """A ledger row with what every release knows of an export."""
    row = conn.execute(
        """
        INSERT INTO download_ledger (run_id, crm, store, report, from_date, to_date, attempt, status, started_at, finished_at,
            requested_at, stored_name, bytes, md5, ingested_at)
        VALUES ('run-1', %s, %s, %s, %s, %s, 1, %s, %s, %s, %s, '/downloads/a.xlsx', 4096, md5(''), %s) RETURNING ledger_id
        """,
        [
            *(store.crm, store.code, REPORTS[store.crm].name, days.first, days.last, status),
            *(requested_at, requested_at, requested_at, None if status == "downloaded" else LATER),
        ],
    ).fetchone()
    assert row is not None
    return int(row[0])


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
