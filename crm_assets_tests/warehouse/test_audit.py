"""The ingest audit."""

from dataclasses import asdict, replace

import psycopg
import pytest
from psycopg.rows import dict_row

from crm_assets.warehouse import audit
from crm_assets.warehouse.audit import Audit
from crm_assets.warehouse.connection import Connection
from crm_assets_tests.warehouse.samples import LATER, NOW, fetched, nov, window


def a_load(ledger_id: int) -> Audit:
    return Audit(
        run_id="run-1",
        crm="td",
        store="a668",
        report="order_report",
        from_date=nov(12),
        to_date=nov(13),
        parsed_rows=15,
        inserted_rows=8,
        updated_rows=4,
        unchanged_rows=2,
        rejected_rows=1,
        missing_rows=3,
        md5="0123456789abcdef" * 2,
        started_at=NOW,
        finished_at=LATER,
        status="ok",
        ledger_id=ledger_id,
    )


def test_a_load_is_kept_whole(conn: Connection) -> None:
    load = a_load(fetched(conn, window(12, 13)))
    audit.record(conn, load)
    with conn.cursor(row_factory=dict_row) as cursor:
        [kept] = cursor.execute("SELECT * FROM ingest_audit").fetchall()
    assert {name: kept[name] for name in asdict(load)} == asdict(load)


@pytest.mark.parametrize("count", ["parsed_rows", "inserted_rows", "updated_rows", "unchanged_rows", "rejected_rows"])
def test_the_database_refuses_a_load_that_lost_a_row(conn: Connection, count: str) -> None:
    load = a_load(fetched(conn, window(12, 13)))
    with pytest.raises(psycopg.errors.CheckViolation, match="every_row_accounted_for"):
        audit.record(conn, replace(load, **{count: getattr(load, count) + 1}))


def test_a_load_with_rows_cannot_call_itself_empty(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="empty_without_rows"):
        audit.record(conn, replace(a_load(fetched(conn, window(12, 13))), status="empty"))
