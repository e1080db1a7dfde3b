"""Connections, and what they say when there is none."""

from urllib.parse import quote

import psycopg
import pytest
import sqlalchemy

from crm_assets.errors import ConfigurationError, WarehouseUnavailable
from crm_assets.warehouse.connection import connect, dagster_url, place


def test_a_session_reads_times_in_kolkata_whatever_the_server_defaults_to(warehouse: str) -> None:
    with connect(warehouse) as conn:
        conn.execute(f"ALTER DATABASE {conn.info.dbname} SET timezone = 'America/New_York'")
        conn.execute(f"ALTER DATABASE {conn.info.dbname} SET datestyle = 'German'")
    with connect(warehouse) as conn:
        shown = conn.execute("SELECT timestamptz '2025-11-12 18:45+00' :: text").fetchone()
        assert shown == ("2025-11-13 00:15:00+05:30",)
        assert conn.execute("SHOW application_name").fetchone() == ("crm_assets",)


def test_a_statement_is_committed_by_itself_and_a_transaction_as_a_whole(warehouse: str) -> None:
    with connect(warehouse) as conn:
        conn.execute("CREATE TABLE kept (n integer)")
        with pytest.raises(ZeroDivisionError), conn.transaction():
            conn.execute("INSERT INTO kept VALUES (1)")
            raise ZeroDivisionError
    with connect(warehouse) as conn:
        assert conn.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_the_urls_own_search_path_is_kept(empty_database: str) -> None:
    with connect(f"{empty_database}&options={quote('-c search_path=elsewhere')}") as conn:
        assert conn.execute("SHOW search_path").fetchone() == ("elsewhere",)


def test_a_refused_connection_names_the_place_and_the_setting_but_no_secret() -> None:
    with pytest.raises(WarehouseUnavailable) as refused, connect("postgresql://crm:hunter2@127.0.0.1:1/sales"):
        pass
    message = str(refused.value)
    assert "database 'sales' on 127.0.0.1:1" in message
    assert "Check CRM_DATABASE_URL" in message
    assert "hunter2" not in message


def test_an_unknown_database_is_named(postgres_url: str) -> None:
    with (
        pytest.raises(WarehouseUnavailable, match=r"database 'nowhere' on .*does not exist"),
        connect(postgres_url.replace("/postgres?", "/nowhere?")),
    ):
        pass


def test_an_unreadable_url_is_refused_without_quoting_it() -> None:
    with pytest.raises(ConfigurationError, match="CRM_DATABASE_URL: libpq cannot read it") as refused:
        place("postgresql://crm:hunter%zz2@db.internal/sales")
    assert "hunter" not in str(refused.value)


def test_a_server_that_goes_away_midway_is_a_warehouse_error(warehouse: str) -> None:
    with pytest.raises(WarehouseUnavailable, match="was lost"), connect(warehouse) as conn:
        with psycopg.connect(warehouse, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [conn.info.backend_pid])
        conn.execute("SELECT 1")


def test_an_error_of_the_statement_itself_stays_what_it_is(warehouse: str) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled), connect(warehouse) as conn:
        conn.execute("SET statement_timeout = 1; SELECT pg_sleep(5)")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@h:5432/crm", "postgresql+psycopg2://u:p@h:5432/crm?options=-csearch_path%3Ddagster"),
        (
            "postgres://u@h/crm?sslmode=require",
            "postgresql+psycopg2://u@h/crm?sslmode=require&options=-csearch_path%3Ddagster",
        ),
        (
            "postgresql://u@h/crm?options=-c%20jit%3Doff",
            "postgresql+psycopg2://u@h/crm?options=-c%20jit%3Doff%20-csearch_path%3Ddagster",
        ),
        (
            "postgresql://postgres:@/postgres?host=/run/pg",
            "postgresql+psycopg2://postgres:@/postgres?host=%2Frun%2Fpg&options=-csearch_path%3Ddagster",
        ),
    ],
)
def test_dagster_gets_the_same_database_in_its_own_schema(url: str, expected: str) -> None:
    assert dagster_url(url) == expected


def test_dagsters_driver_reads_its_url(warehouse: str) -> None:
    engine = sqlalchemy.create_engine(dagster_url(warehouse))
    with engine.connect() as conn:
        assert conn.execute(sqlalchemy.text("SELECT current_schema()")).scalar() == "dagster"
    engine.dispose()
