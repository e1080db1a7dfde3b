"""Staged slices."""

import pytest

from crm_assets.errors import WrongWindow
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.warehouse import staging
from crm_assets.warehouse.connection import Connection
from crm_assets_tests.warehouse.samples import fetched, nov, staged, window, written

WEEK = list(window(10, 16).days())


def test_staged_rows_come_back_as_the_portal_wrote_them(conn: Connection) -> None:
    ledger_id = staged(conn, written("T1035", 12, 2, {"New": "x"}), written("T1036", 12, 3), days=window(12))
    [export] = staging.read_slices(conn, ORDER_REPORT, "a668", WEEK)
    assert (export.ledger_id, export.store, export.days) == (ledger_id, "a668", (nov(12),))
    assert export.rows["order_number"].tolist() == ["T1035", "T1036"]
    assert export.rows["ordered_at"].tolist() == ["12 Nov 2025 12:00:00 PM"] * 2
    assert export.rows["preference"].tolist() == ["NA", "NA"], "a text, not a missing value"
    assert export.rows["order_note"].tolist() == [None, None]
    assert export.rows["_extra"].tolist() == [{"New": "x"}, None]
    assert export.rows["row_number"].tolist() == [2, 3]
    assert (export.md5, str(export.file), export.keep_file) == ("0123456789abcdef" * 2, "/downloads/a.xlsx", False)


def test_a_slice_is_replaced_as_a_whole_and_its_neighbours_stay(conn: Connection) -> None:
    first = staged(conn, written("T1", 11, 2), written("T2", 12, 3), written("T3", 12, 4), days=window(11, 12))
    second = staged(conn, written("T3", 12, 2), days=window(12))
    old, new = staging.read_slices(conn, ORDER_REPORT, "a668", WEEK)
    assert (old.ledger_id, old.days, old.rows["order_number"].tolist()) == (first, (nov(11),), ["T1"])
    assert (new.ledger_id, new.days, new.rows["order_number"].tolist()) == (second, (nov(12),), ["T3"])


def test_an_empty_day_is_known_and_an_unfetched_one_is_not(conn: Connection) -> None:
    staged(conn, written("T1", 12), days=window(12, 13))
    [export] = staging.read_slices(conn, ORDER_REPORT, "a668", WEEK)
    assert export.days == (nov(12), nov(13))
    counts = conn.execute("SELECT business_day, row_count FROM staging_slice ORDER BY 1").fetchall()
    assert counts == [(nov(12), 1), (nov(13), 0)]


def test_a_day_that_became_empty_loses_its_rows(conn: Connection) -> None:
    staged(conn, written("T1", 12), days=window(12))
    staged(conn, days=window(12))
    [export] = staging.read_slices(conn, ORDER_REPORT, "a668", WEEK)
    assert export.rows.empty
    assert "order_number" in export.rows


def test_a_row_of_another_day_stops_the_slice_before_anything_is_written(conn: Connection) -> None:
    staged(conn, written("T1", 12), days=window(12))
    with pytest.raises(WrongWindow, match="rows of 2025-11-14 do not belong"):
        staged(conn, written("T2", 14), days=window(12))
    [export] = staging.read_slices(conn, ORDER_REPORT, "a668", WEEK)
    assert export.rows["order_number"].tolist() == ["T1"]


def test_a_failure_after_staging_takes_the_slice_back(conn: Connection) -> None:
    ledger_id = fetched(conn, window(12))
    with pytest.raises(ZeroDivisionError), conn.transaction():
        staged(conn, written("T1", 12), days=window(12), ledger_id=ledger_id)
        raise ZeroDivisionError
    assert staging.read_slices(conn, ORDER_REPORT, "a668", WEEK) == []
