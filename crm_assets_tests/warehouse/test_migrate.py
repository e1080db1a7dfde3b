"""Migrations."""

import threading

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
