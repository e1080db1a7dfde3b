"""The upsert: each row written only when it changed, each change kept."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import psycopg
import pytest
from psycopg.rows import dict_row

from crm_assets.model import Column, Kind, Problem
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.warehouse import facts
from crm_assets.warehouse.columns import add_columns
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.facts import Counts
from crm_assets_tests.warehouse.samples import LATER, NOW, TD, UC, fetched, invoice, load, nov, order, typed, window


def fact(conn: Connection, number: str) -> dict[str, Any]:
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute("SELECT *, ctid::text FROM fact_td_orders WHERE order_number = %s", [number]).fetchone()
    assert found is not None
    return found


def versions(conn: Connection) -> list[tuple[Any, ...]]:
    """Each row's version in the table, and when it was last changed: equal only when nothing was written."""
    return conn.execute(
        "SELECT order_number, ctid::text, xmin::text, changed_at FROM fact_td_orders ORDER BY order_number"
    ).fetchall()


def history(conn: Connection) -> list[tuple[Any, ...]]:
    return conn.execute("SELECT order_number, old, new FROM fact_td_orders_history ORDER BY history_id").fetchall()


def test_new_rows_are_inserted_with_their_types(conn: Connection) -> None:
    row = order(
        "T1035", 12, net_amount=Decimal("480.50"), pieces=7, weight_kg=Decimal("2.345"), due_on=nov(15), preference="NA"
    )
    assert load(conn, row, days=window(12)) == Counts(inserted=1, updated=0, unchanged=0, missing=0)
    kept = fact(conn, "T1035")
    assert {name: kept[name] for name in row} == row
    assert (kept["store"], kept["first_seen_at"], kept["changed_at"], kept["missing_since"]) == ("a668", NOW, NOW, None)


def test_an_unchanged_row_is_not_touched(conn: Connection) -> None:
    row = order("T1", 12, net_amount=Decimal("480.50"), weight_kg=Decimal("1.50"))
    load(conn, row, days=window(12))
    before = fact(conn, "T1")
    same = row | {"weight_kg": Decimal("1.5"), "net_amount": Decimal("480.5")}
    assert load(conn, same, days=window(12), now=LATER) == Counts(inserted=0, updated=0, unchanged=1, missing=0)
    assert fact(conn, "T1") == before, "the same version of the row (ctid)"
    assert history(conn) == []


def test_loading_the_same_rows_again_writes_nothing_to_the_table_nor_to_the_log(conn: Connection) -> None:
    rows = [order(f"T{number}", 12, net_amount=Decimal(number), comment="x" * 200) for number in range(300)]
    first, _ = _written(conn, rows)
    before = versions(conn)
    again, counts = _written(conn, rows)
    assert counts == Counts(unchanged=300)
    assert versions(conn) == before
    assert first > 200_000
    assert again < first / 5, "the catalogue's rows of a temporary table, and the ledger's"


def _written(conn: Connection, rows: list[dict[str, Any]]) -> tuple[int, Counts]:
    """How many bytes of write-ahead log one load makes, and what it counted."""
    start = conn.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
    counts = load(conn, *rows, days=window(12), now=LATER)
    found = conn.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)", start).fetchone()
    assert found is not None
    return int(found[0]), counts


PHONE = Problem(column="customer_phone", rule="a phone number of 10 digits", value="12345")


def test_warnings_stand_on_their_row_and_a_changed_one_is_a_change(conn: Connection) -> None:
    load(conn, order("T1", 12, customer_phone="12345") | {"warnings": (PHONE,)}, order("T2", 12), days=window(12))
    told = {"column": "customer_phone", "rule": "a phone number of 10 digits", "value": "12345"}
    assert fact(conn, "T1")["warnings"] == [told]
    assert fact(conn, "T2")["warnings"] is None
    same = load(
        conn, order("T1", 12, customer_phone="12345") | {"warnings": (PHONE,)}, order("T2", 12), days=window(12)
    )
    assert same == Counts(unchanged=2)
    mended = load(conn, order("T1", 12, customer_phone="9876543210"), order("T2", 12), days=window(12))
    assert mended == Counts(updated=1, unchanged=1)
    assert fact(conn, "T1")["warnings"] is None
    [(_, old, new)] = history(conn)
    assert (old, new) == (
        {"customer_phone": "12345", "warnings": [told]},
        {"customer_phone": "9876543210", "warnings": None},
    )


def test_a_new_column_changes_no_row_before_it_holds_something(conn: Connection) -> None:
    load(conn, order("T1", 12), order("T2", 12), days=window(12))
    before = versions(conn)
    tip = Column(name="tip", header="Tip", kind=Kind.MONEY, optional=True, description="Rupees")
    wider = replace(ORDER_REPORT, columns=(*ORDER_REPORT.columns, tip))
    add_columns(conn, [wider])
    rows = [order("T1", 12, tip=None), order("T2", 12, tip=None)]
    assert load(conn, *rows, days=window(12), report=wider) == Counts(unchanged=2)
    assert versions(conn) == before
    assert load(conn, order("T1", 12, tip=Decimal("5")), rows[1], days=window(12), report=wider).updated == 1
    assert fact(conn, "T1")["tip"] == Decimal("5.00")
    assert history(conn) == [("T1", {"tip": None}, {"tip": 5.0})]


def test_what_was_asked_for_later_is_newer_whatever_its_ledger_id(conn: Connection) -> None:
    newer = fetched(conn, window(12), requested_at=LATER)
    older = fetched(conn, window(12), requested_at=NOW)
    assert older > newer
    load(conn, order("T1", 12, order_status="Ready"), days=window(12), ledger_id=older)
    late = load(conn, order("T1", 12, order_status="Delivered"), days=window(12), ledger_id=newer)
    assert late.updated == 1
    assert fact(conn, "T1")["order_status"] == "Delivered"
    early = load(conn, order("T1", 12, order_status="Unprocessed"), days=window(12), ledger_id=older)
    assert early == Counts(unchanged=1)
    assert fact(conn, "T1")["order_status"] == "Delivered"
    assert load(conn, days=window(12), ledger_id=older).missing == 0, "an older export marks nothing missing"


def test_an_older_export_does_not_bring_back_what_a_newer_one_lacks(conn: Connection) -> None:
    load(conn, order("T1", 12), days=window(12))
    assert load(conn, days=window(12), requested_at=LATER).missing == 1
    between = NOW + timedelta(hours=1)
    assert load(conn, order("T1", 12), days=window(12), requested_at=between) == Counts(unchanged=1)
    assert fact(conn, "T1")["missing_since"] is not None
    again = load(conn, order("T1", 12), days=window(12), requested_at=LATER + timedelta(hours=1))
    assert again == Counts(updated=1)
    assert fact(conn, "T1")["missing_since"] is None


def test_rows_an_export_lacks_are_counted_by_day_without_the_missing_ones(conn: Connection) -> None:
    load(conn, order("T1", 11), order("T2", 12), order("T3", 12), order("T4", 12), days=window(11, 12))
    load(conn, order("T2", 12), order("T3", 12), days=window(12))
    found = facts.present_and_lacking(conn, ORDER_REPORT, store="a668", days=list(window(10, 13).days()), keys=["T2"])
    assert found == {nov(11): (1, 1), nov(12): (2, 1)}


def test_a_changed_row_is_updated_and_its_old_values_are_kept(conn: Connection) -> None:
    load(conn, order("T1", 12, order_status="Ready", paid=None, pieces=3), days=window(12))
    later = order("T1", 12, order_status="Delivered", paid=Decimal("480.00"), pieces=3)
    ledger_id = fetched(conn, window(12))
    counts = load(conn, later, days=window(12), ledger_id=ledger_id, now=LATER)
    assert counts == Counts(inserted=0, updated=1, unchanged=0, missing=0)
    kept = fact(conn, "T1")
    assert (kept["order_status"], kept["paid"], kept["ledger_id"]) == ("Delivered", Decimal("480.00"), ledger_id)
    assert (kept["first_seen_at"], kept["changed_at"]) == (NOW, LATER)
    assert history(conn) == [
        ("T1", {"order_status": "Ready", "paid": None}, {"order_status": "Delivered", "paid": 480.0})
    ]


def test_a_row_that_vanished_is_marked_and_cleared_when_it_comes_back(conn: Connection) -> None:
    row = order("T1", 12)
    load(conn, row, order("T2", 12), days=window(12))
    assert load(conn, order("T2", 12), days=window(12), now=LATER) == Counts(
        inserted=0, updated=0, unchanged=1, missing=1
    )
    assert fact(conn, "T1")["missing_since"] == LATER
    assert load(conn, order("T2", 12), days=window(12)).missing == 0, "it is missing already"
    assert load(conn, row, order("T2", 12), days=window(12)) == Counts(inserted=0, updated=1, unchanged=1, missing=0)
    assert fact(conn, "T1")["missing_since"] is None
    gone, back = history(conn)
    assert (gone[0], gone[1], list(gone[2])) == ("T1", {"missing_since": None}, ["missing_since"])
    assert (back[1], back[2]) == (gone[2], gone[1])


def test_only_rows_of_the_exported_days_and_store_can_be_missing(conn: Connection) -> None:
    load(conn, order("T1", 11), days=window(11))
    load(conn, order("T1", 12), days=window(12), store=replace(TD, code="a817"))
    assert load(conn, days=window(12)).missing == 0


def test_a_row_that_was_rejected_this_time_is_not_missing(conn: Connection) -> None:
    load(conn, order("T1", 12), days=window(12))
    assert load(conn, days=window(12), also_present=["T1"]).missing == 0
    assert load(conn, days=window(12), also_present=["T9"]).missing == 1


def test_a_row_that_moved_to_another_day_is_an_update(conn: Connection) -> None:
    load(conn, order("T1", 12), days=window(12))
    assert load(conn, order("T1", 13), days=window(12, 13)) == Counts(inserted=0, updated=1, unchanged=0, missing=0)
    assert fact(conn, "T1")["business_day"] == nov(13)
    [(_, old, new)] = history(conn)
    assert (old["business_day"], new["business_day"]) == ("2025-11-12", "2025-11-13")


def test_an_older_export_never_undoes_what_a_newer_one_said(conn: Connection) -> None:
    older, newer = fetched(conn, window(12)), fetched(conn, window(13))
    load(conn, order("T1", 13), days=window(13), ledger_id=newer)
    assert load(conn, order("T1", 12), days=window(12), ledger_id=older) == Counts(
        inserted=0, updated=0, unchanged=1, missing=0
    )
    assert fact(conn, "T1")["business_day"] == nov(13)


def test_the_same_export_read_again_by_better_rules_does_update(conn: Connection) -> None:
    ledger_id = fetched(conn, window(12))
    load(conn, order("T1", 12), days=window(12), ledger_id=ledger_id)
    assert load(conn, order("T1", 12, pieces=4), days=window(12), ledger_id=ledger_id).updated == 1


def test_a_doubled_key_stops_the_load_before_anything_is_written(conn: Connection) -> None:
    with pytest.raises(
        psycopg.errors.UniqueViolation
    ):  # the proof names the key before; here the database has the last word
        load(conn, order("T1", 12), order("T1", 12, pieces=2), days=window(12))
    assert conn.execute("SELECT count(*) FROM fact_td_orders").fetchone() == (0,)


def test_every_kind_of_missing_value_is_null(conn: Connection) -> None:
    rows = typed(order("T1", 12), order("T2", 12)).assign(paid=[float("nan"), Decimal(1)], due_on=[pd.NaT, nov(15)])
    rows["customer_name"] = pd.array([pd.NA, "Asha"], dtype="string")
    ledger_id = fetched(conn, window(12))
    facts.upsert(conn, ORDER_REPORT, store="a668", days=[nov(12)], ledger_id=ledger_id, rows=rows, now=NOW)
    kept = fact(conn, "T1")
    assert (kept["paid"], kept["due_on"], kept["customer_name"]) == (None, None, None)


def test_an_invoice_is_unchanged_though_its_serial_number_is_another(conn: Connection) -> None:
    load(conn, invoice("1", 12, cgst=Decimal("9.00")), days=window(12), store=UC)
    assert load(conn, invoice("1", 12, cgst=Decimal("9.00")), days=window(12), store=UC).unchanged == 1
    assert conn.execute("SELECT invoice_number, cgst FROM fact_uc_gst").fetchall() == [("1", Decimal("9.00"))]


def test_several_exports_fit_in_one_transaction(conn: Connection) -> None:
    with conn.transaction():
        load(conn, order("T1", 12), days=window(12))
        assert load(conn, order("T2", 13), days=window(13)).inserted == 1


def test_two_loads_of_one_store_at_once_both_end_well(conn: Connection, warehouse: str) -> None:
    exports = [fetched(conn, window(12)) for _ in range(4)]
    rows = [order(f"T{number}", 12) for number in range(50)]

    def run(ledger_id: int) -> Counts:
        with connect(warehouse) as own:
            return load(own, *rows, days=window(12), ledger_id=ledger_id)

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(run, exports))
    assert sorted(count.inserted for count in counts) == [0, 0, 0, 50]
    assert sorted(count.unchanged for count in counts) == [0, 50, 50, 50]


def test_the_hash_does_not_depend_on_the_servers_time_zone(conn: Connection, warehouse: str) -> None:
    load(conn, order("T1", 12), days=window(12))
    conn.execute(f"ALTER DATABASE {conn.info.dbname} SET timezone = 'UTC'")
    with connect(warehouse) as other:
        assert load(other, order("T1", 12), days=window(12)).unchanged == 1
