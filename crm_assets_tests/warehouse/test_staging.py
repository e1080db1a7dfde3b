"""Staged slices."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from crm_assets.errors import WrongWindow
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.warehouse import audit, ledger, staging
from crm_assets.warehouse.audit import Audit
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.staging import SameContent
from crm_assets_tests.warehouse.samples import LATER, NOW, TD, fetched, nov, staged, window, written

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


def test_a_day_with_a_newer_export_keeps_it_and_the_others_are_replaced(conn: Connection) -> None:
    newer = staged(conn, written("T2", 12), days=window(12), requested_at=LATER)
    older = fetched(conn, window(11, 13))
    assert staging.newer_days(conn, ORDER_REPORT, "a668", older, WEEK) == (nov(12),)
    staged(conn, written("T1", 11), written("T9", 12, 3), written("T3", 13, 4), days=window(11, 13), ledger_id=older)
    first, second = staging.read_slices(conn, ORDER_REPORT, "a668", WEEK)
    assert (first.ledger_id, first.days, first.rows["order_number"].tolist()) == (
        older,
        (nov(11), nov(13)),
        ["T1", "T3"],
    )
    assert (second.ledger_id, second.rows["order_number"].tolist()) == (newer, ["T2"])
    assert staging.days_of_export(conn, ORDER_REPORT, "a668", older) == (nov(11), nov(13))
    assert staging.days_of_export(conn, ORDER_REPORT, "a668", newer) == (nov(12),)


def test_the_oldest_export_is_read_first_whatever_its_ledger_id(conn: Connection) -> None:
    newer = staged(conn, written("T1", 11), days=window(11), requested_at=LATER)
    older = staged(conn, written("T2", 12), days=window(12))
    assert [one.ledger_id for one in staging.read_slices(conn, ORDER_REPORT, "a668", WEEK)] == [older, newer]
    assert staging.staged_days(conn, ORDER_REPORT, "a668", window(10, 16)) == (nov(11), nov(12))
    assert staging.staged_days(conn, ORDER_REPORT, "a668", window(12, 16)) == (nov(12),)


def test_a_confirming_export_makes_its_days_as_new_as_itself(conn: Connection) -> None:
    staged(conn, written("T1", 12), days=window(12))
    between, last = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    confirming = fetched(conn, window(12), requested_at=last, run_id="run-9")
    staging.confirm(conn, ORDER_REPORT, "a668", [nov(12)], confirming, LATER)
    late = fetched(conn, window(12), requested_at=between)
    assert staging.newer_days(conn, ORDER_REPORT, "a668", late, [nov(12)]) == (nov(12),)
    [export] = staging.read_slices(conn, ORDER_REPORT, "a668", WEEK)
    assert export.confirmed_by_run == "run-9"
    staged(conn, written("T2", 12), days=window(12), requested_at=LATER)
    [export] = staging.read_slices(conn, ORDER_REPORT, "a668", WEEK)
    assert (export.confirmed_by_run, export.rows["order_number"].tolist()) == (None, ["T2"])


def test_an_export_of_which_one_day_alone_was_confirmed_is_confirmed_by_no_run(conn: Connection) -> None:
    staged(conn, written("T1", 12), written("T2", 13, 3), days=window(12, 13))
    confirming = fetched(conn, window(12), requested_at=LATER)
    staging.confirm(conn, ORDER_REPORT, "a668", [nov(12)], confirming, LATER)
    [export] = staging.read_slices(conn, ORDER_REPORT, "a668", WEEK)
    assert (export.days, export.confirmed_by_run) == ((nov(12), nov(13)), None)


# The same content again.

CONTENT, OTHER_CONTENT = "a" * 32, "b" * 32
TWO_DAYS = [nov(12), nov(13)]


def _loaded(conn: Connection) -> int:
    """An export of two days that is staged and loaded: 2 rows, one of them rejected."""
    ledger_id = staged(conn, written("T1", 12), written("T2", 13, 3), days=window(12, 13))
    ledger.record_staged(conn, ledger_id, content_md5=CONTENT, row_count=2)
    ledger.record_ingested(conn, ledger_id, NOW)
    counts = {"parsed_rows": 2, "inserted_rows": 1, "updated_rows": 0, "unchanged_rows": 0, "rejected_rows": 1}
    load = Audit(
        run_id="run-1",
        crm="td",
        store=TD.code,
        report="order_report",
        from_date=nov(12),
        to_date=nov(13),
        **counts,
        missing_rows=0,
        md5="0" * 32,
        started_at=NOW,
        finished_at=NOW,
        status="ok",
        ledger_id=ledger_id,
    )
    audit.record(conn, load)
    return ledger_id


def _newly(conn: Connection, content: str = CONTENT) -> SameContent | None:
    """What a later export of the same two days is found to repeat."""
    later = fetched(conn, window(12, 13), requested_at=LATER)
    return staging.same_content(conn, ORDER_REPORT, TD.code, later, TWO_DAYS, content)


def test_a_later_export_with_the_same_content_finds_the_loaded_one_and_its_counts(conn: Connection) -> None:
    ledger_id = _loaded(conn)
    assert _newly(conn) == SameContent(ledger_id=ledger_id, rows=2, rejected=1)
    again = fetched(conn, window(12, 13), requested_at=LATER)
    staging.confirm(conn, ORDER_REPORT, TD.code, TWO_DAYS, again, LATER)
    assert _newly(conn) == SameContent(ledger_id=ledger_id, rows=2, rejected=1), "a third one, after the second"


def _other_window(conn: Connection) -> SameContent | None:
    longer = fetched(conn, window(12, 14), requested_at=LATER)
    return staging.same_content(conn, ORDER_REPORT, TD.code, longer, TWO_DAYS, CONTENT)


def _one_day_of_two(conn: Connection) -> SameContent | None:
    later = fetched(conn, window(12, 13), requested_at=LATER)
    return staging.same_content(conn, ORDER_REPORT, TD.code, later, [nov(12)], CONTENT)


def _an_older_one(conn: Connection) -> SameContent | None:
    older = fetched(conn, window(12, 13), requested_at=NOW - timedelta(hours=1))
    return staging.same_content(conn, ORDER_REPORT, TD.code, older, TWO_DAYS, CONTENT)


def _partly_superseded(conn: Connection) -> SameContent | None:
    staged(conn, written("T2", 13), days=window(13), requested_at=NOW + timedelta(minutes=1))
    return _newly(conn)


def _not_loaded_yet(conn: Connection) -> SameContent | None:
    conn.execute("UPDATE download_ledger SET status = 'downloaded'")
    return _newly(conn)


def _confirmed_by_a_newer_one(conn: Connection) -> SameContent | None:
    newest = fetched(conn, window(12, 13), requested_at=LATER + timedelta(hours=1))
    staging.confirm(conn, ORDER_REPORT, TD.code, TWO_DAYS, newest, LATER)
    return _newly(conn)


@pytest.mark.parametrize(
    "question",
    [
        lambda conn: _newly(conn, OTHER_CONTENT),
        _other_window,
        _one_day_of_two,
        _an_older_one,
        _partly_superseded,
        _not_loaded_yet,
        _confirmed_by_a_newer_one,
    ],
    ids=lambda question: question.__name__.strip("_"),
)
def test_what_is_not_the_same_throughout_is_loaded(
    conn: Connection, question: Callable[[Connection], SameContent | None]
) -> None:
    _loaded(conn)
    assert question(conn) is None
