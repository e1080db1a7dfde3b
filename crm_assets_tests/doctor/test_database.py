"""The database's findings, on real servers; what a server cannot be made to say here is handed in."""

from datetime import timedelta

import psycopg
import pytest

from crm_assets.doctor.database import clock_skew, connections, look_at_database, version
from crm_assets.doctor.findings import Finding, Level
from crm_assets.model import AccountState, Clock, system_clock
from crm_assets.warehouse.connection import connect
from crm_assets.warehouse.sessions import record_state
from crm_assets_tests.fixtures.sandbox import NOON, Installation

NAMES = ["connection", "version", "migrations", "permissions", "connections", "clock"]


def look(installation: Installation, url: str, clock: Clock = system_clock) -> dict[str, Finding]:
    installation.environ["CRM_DATABASE_URL"] = url
    findings = look_at_database(installation.settings, clock).findings
    assert all(finding.next_step for finding in findings if finding.level is not Level.GREEN)
    return {finding.name: finding for finding in findings}


def test_a_database_that_is_ready_is_green_all_over(installation: Installation, warehouse: str) -> None:
    found = look(installation, warehouse)
    assert {name: finding.level for name, finding in found.items()} == dict.fromkeys(NAMES, Level.GREEN)
    assert found["connection"].found.startswith("reached database 'test_")


def test_the_accounts_are_read_for_the_sessions(installation: Installation, warehouse: str) -> None:
    with connect(warehouse) as conn:
        record_state(conn, installation.store("td/a668"), AccountState.NEEDS_PERSON, NOON, reason="an OTP")
    installation.environ["CRM_DATABASE_URL"] = warehouse
    seen = look_at_database(installation.settings, system_clock)
    assert seen.reached
    assert seen.dagster_schema
    assert [(account.store, account.reason) for account in seen.accounts or ()] == [("a668", "an OTP")]


def test_pending_migrations_are_yellow_and_name_the_command(installation: Installation, empty_database: str) -> None:
    found = look(installation, empty_database)
    assert (found["migrations"].level, found["migrations"].next_step) == (Level.YELLOW, "Run: crm_download migrate")
    assert "0001_ledger_and_audit" in found["migrations"].found
    assert found["permissions"].level is Level.GREEN


def test_a_database_of_a_newer_version_is_red(installation: Installation, warehouse: str) -> None:
    with psycopg.connect(warehouse, autocommit=True) as conn:
        conn.execute("INSERT INTO _yoyo_migration (migration_hash, migration_id) VALUES ('x', '9999_newer')")
    found = look(installation, warehouse)["migrations"]
    assert (found.level, found.found) == (Level.RED, "the database is newer than this code: 9999_newer")


def test_a_user_without_rights_is_red_with_the_statements(installation: Installation, empty_database: str) -> None:
    with psycopg.connect(empty_database, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS test_guest; CREATE ROLE test_guest LOGIN")
        try:
            found = look(installation, empty_database.replace("//postgres:@", "//test_guest:@"))["permissions"]
        finally:
            admin.execute("DROP OWNED BY test_guest; DROP ROLE test_guest")
    assert found.level is Level.RED
    assert 'GRANT USAGE, CREATE ON SCHEMA "public" TO' in found.next_step
    assert "test_guest" not in found.next_step


def test_tables_of_somebody_else_are_red_and_the_rest_is_examined(installation: Installation, warehouse: str) -> None:
    with psycopg.connect(warehouse, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS test_heir; CREATE ROLE test_heir LOGIN")
        try:
            found = look(installation, warehouse.replace("//postgres:@", "//test_heir:@"))
        finally:
            admin.execute("DROP ROLE test_heir")
    assert found["permissions"].level is Level.RED
    assert "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES" in found["permissions"].next_step
    assert (found["version"].level, "migrations" in found) == (Level.GREEN, False)


def test_a_server_that_is_read_only_or_has_no_schema_is_red(installation: Installation, warehouse: str) -> None:
    read_only = look(installation, f"{warehouse}&options=-c%20default_transaction_read_only%3Don")
    nowhere = look(installation, f"{warehouse}&options=-c%20search_path%3Delsewhere")
    assert read_only["permissions"].found == "the server is read-only"
    assert nowhere["permissions"].found == "the search path leads to no schema"
    assert {read_only["permissions"].level, nowhere["permissions"].level} == {Level.RED}


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://Never-Shown-1:Never-Shown-2@127.0.0.1:1/crm", "no connection to database 'crm' on 127.0.0.1:1"),
        ("postgresql://crm:Never-Shown%zz1@db.invalid/crm", "CRM_DATABASE_URL: libpq cannot read it"),
    ],
)
def test_a_database_that_cannot_be_reached_is_one_red_finding(
    installation: Installation, url: str, sentence: str
) -> None:
    (finding,) = look(installation, url).values()
    assert (finding.name, finding.level) == ("connection", Level.RED)
    assert finding.found.startswith(sentence)
    assert "Never-Shown" not in finding.found + finding.next_step


def test_a_user_whom_the_server_refuses_is_not_named(installation: Installation, warehouse: str) -> None:
    (finding,) = look(installation, warehouse.replace("//postgres:@", "//Never-Shown-1:@")).values()
    assert finding.level is Level.RED
    assert "this role" in finding.found
    assert "Never-Shown" not in finding.found + finding.next_step


@pytest.mark.parametrize(
    ("number", "level"),
    [
        (130_022, Level.RED),
        (140_000, Level.GREEN),
        (150_004, Level.GREEN),
        (180_001, Level.GREEN),
        (190_000, Level.YELLOW),
    ],
)
def test_versions_14_to_18_are_known(number: int, level: Level) -> None:
    assert version(number).level is level


@pytest.mark.parametrize(("free", "level"), [(20, Level.GREEN), (19, Level.YELLOW), (-1, Level.YELLOW)])
def test_little_room_for_connections_is_yellow(free: int, level: Level) -> None:
    assert connections(free).level is level


def test_a_machine_whose_clock_is_off_is_told(installation: Installation, warehouse: str) -> None:
    found = look(installation, warehouse, clock=lambda: system_clock() - timedelta(minutes=2))["clock"]
    assert found.level is Level.YELLOW
    assert "by 120 s" in found.found
    assert clock_skew(-4.9, NOON).level is Level.GREEN
