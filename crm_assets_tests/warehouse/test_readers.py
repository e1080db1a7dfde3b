"""The role for BI tools: what it may read, and that it may do nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from crm_assets.warehouse.connection import connect
from crm_assets_tests.fixtures.postgres import new_database
from crm_assets_tests.warehouse.samples import UC, invoice, load, nov, order, staged, window, written

SCRIPT = (Path(__file__).resolve().parents[2] / "deploy" / "readers.sql").read_text(encoding="utf-8")
VIEWS = sorted(set(re.findall(r"\bv_\w+", SCRIPT.split("GRANT SELECT ON")[1])))


@pytest.fixture(scope="module")
def reader(postgres_url: str, migrated_template: str) -> Iterator[psycopg.Connection]:
    """A connection in the role, to a database with an order and an invoice; the script was run twice."""
    with new_database(postgres_url, template=migrated_template) as url:
        with connect(url) as conn:
            orders = [
                order("T1", 12, net_amount=100, balance=40, order_status="Ready", due_on=nov(15)),
                order("T2", 12, net_amount=50, balance=0, order_status="Delivered"),
                order("T3", 12, net_amount=0),
            ]
            load(conn, *orders, days=window(12))
            load(conn, invoice("1", 12, taxable_value=100, invoice_value=118), days=window(12), store=UC)
            staged(conn, written("T1", 12), days=window(12, 13))
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


HELD = {
    "SELECT crm, order_number, order_amount FROM v_order_facts ORDER BY crm, order_number": [
        ("td", "T1", 100),
        ("td", "T2", 50),
        ("td", "T3", 0),
        ("uc", "UC567-1", 118),
    ],
    # As of today, whatever day that is: only the distance of the two is fixed. An order without a status is not delivered.
    "SELECT order_number, order_status, age_days - days_late, age_days > 0 FROM v_open_orders ORDER BY order_number": [
        ("T1", "Ready", 3, True),
        ("T3", None, None, True),
    ],
    "SELECT order_number, balance, age FROM v_unpaid": [("T1", 40, "over 90")],
    "SELECT month::text, invoices, taxable_value, invoice_value FROM v_gst_monthly": [("2025-11-01", 1, 100, 118)],
    "SELECT crm, month::text, days, orders, order_amount FROM v_monthly_sales ORDER BY crm": [
        ("td", "2025-11-01", 2, 3, 150),
        ("uc", "2025-11-01", 1, 1, 118),
    ],
    "SELECT report, business_day::text, rows, is_empty FROM v_coverage ORDER BY business_day": [
        ("order_report", "2025-11-12", 1, False),
        ("order_report", "2025-11-13", 0, True),
    ],
    "SELECT crm, status, from_date::text, to_date::text FROM v_ingest_log ORDER BY ledger_id": [
        ("td", "downloaded", "2025-11-12", "2025-11-12"),
        ("uc", "downloaded", "2025-11-12", "2025-11-12"),
        ("td", "downloaded", "2025-11-12", "2025-11-13"),
    ],
}


@pytest.mark.parametrize("question", HELD)
def test_the_views_hold_what_was_loaded(reader: psycopg.Connection, question: str) -> None:
    assert reader.execute(question).fetchall() == HELD[question]  # type: ignore[arg-type]


def test_a_view_has_no_type_that_a_bi_tool_cannot_show(reader: psycopg.Connection) -> None:
    used = reader.execute(
        "SELECT DISTINCT data_type FROM information_schema.columns WHERE table_name = ANY(%s)", [VIEWS]
    ).fetchall()
    numbers, others = {"integer", "bigint", "numeric"}, {"text", "date", "boolean", "timestamp with time zone"}
    assert {name for (name,) in used} <= numbers | others


def test_no_table_and_no_customer_is_open_to_it(reader: psycopg.Connection) -> None:
    opened = reader.execute(
        """
        SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'S', 'p')
            AND CASE relkind WHEN 'S' THEN has_sequence_privilege('crm_reader', oid, 'USAGE, SELECT, UPDATE')
                ELSE has_any_column_privilege('crm_reader', oid, 'SELECT, INSERT, UPDATE, REFERENCES') END
        """
    ).fetchall()
    assert sorted(name for (name,) in opened) == VIEWS
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


def test_a_login_made_as_the_script_says_reads_and_is_held_back(warehouse: str) -> None:
    recipe = re.findall(r"^--     ((?:CREATE|ALTER) ROLE .*;)$", SCRIPT, re.MULTILINE)
    with connect(warehouse) as conn:
        conn.execute(SCRIPT)  # type: ignore[arg-type]
        for statement in recipe:
            conn.execute(statement)
    try:
        with psycopg.connect(warehouse, user="grafana") as conn:
            assert conn.execute("SELECT count(*) FROM v_order_facts").fetchall() == [(0,)]
            assert conn.execute("SHOW statement_timeout").fetchall() == [("30s",)]
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                conn.execute("CREATE TEMPORARY TABLE mine (id integer)")
    finally:
        with connect(warehouse) as conn:
            conn.execute("DROP ROLE grafana")


@pytest.mark.parametrize("everybody_may", [True, False])
def test_it_warns_where_everybody_may_make_tables(warehouse: str, everybody_may: bool) -> None:
    said = list[str]()
    with connect(warehouse) as conn:
        conn.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        if everybody_may:
            conn.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
        conn.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
        conn.execute(SCRIPT)  # type: ignore[arg-type]
    assert [line for line in said if "REVOKE CREATE ON SCHEMA public" in line] == said
    assert bool(said) is everybody_may
