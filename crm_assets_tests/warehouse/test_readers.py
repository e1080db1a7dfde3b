"""The role for BI tools: what it may read, and that it may do nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from crm_assets.warehouse.connection import connect
from crm_assets_tests.fixtures.postgres import new_database
from crm_assets_tests.warehouse.samples import UC, invoice, load, order, staged, window, written

SCRIPT = (Path(__file__).resolve().parents[2] / "deploy" / "readers.sql").read_text(encoding="utf-8")
VIEWS = sorted(set(re.findall(r"\bv_\w+", SCRIPT.split("GRANT SELECT ON")[1])))


@pytest.fixture(scope="module")
def reader(postgres_url: str, migrated_template: str) -> Iterator[psycopg.Connection]:
    """A connection in the role, to a database with an order and an invoice; the script was run twice."""
    with new_database(postgres_url, template=migrated_template) as url:
        with connect(url) as conn:
            load(conn, order("T1", 12, net_amount=100, balance=40, order_status="Ready"), days=window(12))
            load(conn, invoice("1", 12, taxable_value=100, invoice_value=118), days=window(12), store=UC)
            staged(conn, written("T1", 12), days=window(12))
            conn.execute(SCRIPT)  # type: ignore[arg-type]
            conn.execute(SCRIPT)  # type: ignore[arg-type]
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("SET ROLE crm_reader")
            yield conn


def test_the_script_names_every_view_but_the_one_with_customers(reader: psycopg.Connection) -> None:
    there = reader.execute("SELECT viewname FROM pg_views WHERE schemaname = 'public'").fetchall()
    assert sorted({name for (name,) in there} - {"v_orders"}) == VIEWS


@pytest.mark.parametrize("view", VIEWS)
def test_it_reads_each_view(reader: psycopg.Connection, view: str) -> None:
    reader.execute(f"SELECT * FROM {view}").fetchall()  # type: ignore[arg-type]  # noqa: S608


def test_the_views_hold_what_was_loaded(reader: psycopg.Connection) -> None:
    assert reader.execute("SELECT order_number, order_amount FROM v_order_facts ORDER BY crm").fetchall() == [
        ("T1", 100),
        ("UC567-1", 118),
    ]
    assert reader.execute("SELECT store, order_status, days_late > 100 FROM v_open_orders").fetchall() == [
        ("a668", "Ready", None)
    ]
    assert reader.execute("SELECT order_number, balance, age FROM v_unpaid").fetchall() == [("T1", 40, "over 90")]
    assert reader.execute("SELECT month::text, invoices, invoice_value FROM v_gst_monthly").fetchall() == [
        ("2025-11-01", 1, 118)
    ]
    assert reader.execute("SELECT crm, days, orders, order_amount FROM v_monthly_sales ORDER BY crm").fetchall() == [
        ("td", 1, 1, 100),
        ("uc", 1, 1, 118),
    ]
    assert reader.execute("SELECT report, business_day::text, rows, is_empty FROM v_coverage").fetchall() == [
        ("order_report", "2025-11-12", 1, False)
    ]


def test_no_table_and_no_customer_is_open_to_it(reader: psycopg.Connection) -> None:
    closed = reader.execute(
        """
        SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'S', 'p')
            AND has_table_privilege('crm_reader', oid, 'SELECT')
        """
    ).fetchall()
    assert sorted(name for (name,) in closed) == VIEWS
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("SELECT customer_name FROM v_orders")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("SELECT raw FROM rejected_rows")


def test_no_column_it_sees_is_personal(reader: psycopg.Connection) -> None:
    told = reader.execute(
        """
        SELECT relname, attname, col_description(attrelid, attnum) FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relname = ANY(%s) AND attnum > 0
        """,
        [VIEWS],
    ).fetchall()
    assert len(told) > 80
    named = re.compile(r"customer|phone|address|gstin", re.IGNORECASE)
    assert [row for row in told if "(personal data)" in row[2] or named.search(row[1])] == []


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM v_coverage", "UPDATE v_payments SET amount = 0", "DELETE FROM fact_td_orders", "TRUNCATE alert"],
)
def test_it_writes_nothing(reader: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(statement)  # type: ignore[arg-type]
