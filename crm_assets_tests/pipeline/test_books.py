"""The books: what an export may change, what is refused, and what is written down of it."""

from dataclasses import replace

import pytest

from crm_assets.errors import BadReport, DuplicateKeys, OlderExport, ShrunkReport, TooManyRejects, WrongStore
from crm_assets.pipeline import books
from crm_assets.pipeline.books import Guard
from crm_assets.pipeline.examine import typed_export
from crm_assets.warehouse import staging
from crm_assets_tests.pipeline.desk import Desk, at, nov, order, statuses, window

STRICT = Guard(rejected_share=0.5, lost_share=0.2)
TEN = [order(f"T{number}", 12) for number in range(10)]


# The shrink guard.


def test_a_day_that_lost_too_many_rows_is_refused_before_anything_is_written(desk: Desk) -> None:
    desk.take(TEN, window(12), 0)
    facts, staged = desk.whole_table(), desk.rows("SELECT * FROM stg_td_order_report ORDER BY row_number")
    small = desk.landed(TEN[:6], window(12), at(1))
    with pytest.raises(ShrunkReport, match="expected the 10 rows that are loaded for 2025-11-12, found 4 of them gone"):
        desk.stage(small, guard=STRICT)
    assert desk.whole_table() == facts
    assert desk.rows("SELECT * FROM stg_td_order_report ORDER BY row_number") == staged
    assert desk.ledger(small.ledger_id)["row_count"] is None


@pytest.mark.parametrize(
    ("left", "share", "refused"),
    [(7, 0.0, False), (6, 0.39, True), (6, 0.4, False), (0, 0.99, True), (0, 1.0, False)],
    ids=["three never", "four of ten are more than 39 %", "and not more than 40 %", "all", "all may go"],
)
def test_the_share_decides_beyond_three_rows(desk: Desk, left: int, share: float, refused: bool) -> None:
    desk.take(TEN, window(12), 0)
    guard = Guard(rejected_share=0.5, lost_share=share)
    if refused:
        with pytest.raises(ShrunkReport):
            desk.take(TEN[:left], window(12), 1, guard=guard)
    else:
        assert desk.take(TEN[:left], window(12), 1, guard=guard)[1].missing == 10 - left


def test_few_lost_rows_on_each_of_many_days_are_too_many_together(desk: Desk) -> None:
    rows = [order(f"T{day}{number}", day) for day in range(10, 15) for number in range(4)]
    desk.take(rows, window(10, 14), 0)
    fewer = [row for row in rows if row["Order No."].endswith(("2", "3"))]
    with pytest.raises(
        ShrunkReport, match="expected the 20 rows that are loaded for 2025-11-10 to 2025-11-14, found 10"
    ):
        desk.take(fewer, window(10, 14), 1, guard=STRICT)


def test_rows_that_are_missing_already_are_not_lost_again(desk: Desk) -> None:
    desk.take(TEN, window(12), 0)
    desk.take(TEN[:4], window(12), 1)
    assert desk.take([*TEN[:3], order("T99", 12)], window(12), 2, guard=STRICT)[1].missing == 1


def test_a_file_of_bad_rows_is_refused_before_anything_is_written(desk: Desk) -> None:
    desk.take(TEN, window(12), 0)
    facts, staged = desk.whole_table(), desk.rows("SELECT * FROM stg_td_order_report ORDER BY row_number")
    broken = desk.landed(
        [*(order(f"T{number}", 12, net_amount="a lot") for number in range(5)), *TEN[5:]], window(12), at(1)
    )
    strict = Guard(rejected_share=0.4, lost_share=1)
    with pytest.raises(
        TooManyRejects, match="td/a668: expected at most 40% of the rows to break a rule, found 5 of 10"
    ):
        desk.stage(broken, guard=strict)
    doubled = desk.landed([*TEN, TEN[0]], window(12), at(2))
    with pytest.raises(DuplicateKeys, match="td/a668: expected each order_number once"):
        desk.stage(doubled, guard=strict)
    assert desk.whole_table() == facts
    assert desk.rows("SELECT * FROM stg_td_order_report ORDER BY row_number") == staged


def test_a_rejected_row_is_there_and_neither_lost_nor_missing(desk: Desk) -> None:
    desk.take(TEN, window(12), 0)
    broken = [order(f"T{number}", 12, net_amount="a lot") for number in range(4)]
    _, counts = desk.take([*broken, *TEN[4:]], window(12), 1, guard=Guard(rejected_share=0.5, lost_share=0))
    assert (counts.unchanged, counts.missing) == (6, 0)
    assert desk.audit()[-1] == ("ok", 10, 0, 0, 6, 4, 0)
    assert len(desk.facts()) == 10


def test_a_row_that_moved_to_another_day_of_the_file_is_not_lost(desk: Desk) -> None:
    desk.take(TEN, window(12, 13), 0)
    moved = [order(f"T{number}", 13) for number in range(10)]
    assert desk.take(moved, window(12, 13), 1, guard=STRICT)[1].updated == 10


def test_a_loss_that_a_person_accepted_is_loaded_and_the_ledger_says_so(desk: Desk) -> None:
    desk.take(TEN, window(12), 0)
    small = desk.landed(TEN[:1], window(12), at(1))
    staged = desk.stage(small, guard=Guard(rejected_share=0.5, lost_share=0.2, accepts=True))
    assert desk.load_staged(staged.days).missing == 9
    assert desk.ledger(small.ledger_id)["shrink_accepted"] is True


# Older and newer.


def test_an_export_older_than_all_that_is_there_is_refused(desk: Desk) -> None:
    desk.take([order("T1", 12, order_status="Ready")], window(12), 5)
    facts = desk.whole_table()
    with pytest.raises(OlderExport, match="found one from before it, for all of 2025-11-12"):
        desk.take([order("T1", 12, order_status="Unprocessed")], window(12), 4)
    assert desk.whole_table() == facts


def test_an_older_export_fills_only_the_days_that_nobody_knows(desk: Desk) -> None:
    desk.take([order("T2", 12, order_status="Ready")], window(12), 5)
    older = [order("T1", 11), order("T2", 12), order("T3", 12), order("T4", 13)]
    staged, counts = desk.take(older, window(11, 13), 1)
    assert (staged.days, staged.rows, counts.inserted, counts.missing) == ((nov(11), nov(13)), 2, 2, 0)
    assert desk.facts() == {"T1": None, "T2": "Ready", "T4": None}
    assert desk.audit()[-1] == ("ok", 2, 2, 0, 0, 0, 0)


def test_days_for_which_a_newer_export_was_staged_meanwhile_are_left_to_it(desk: Desk) -> None:
    first = desk.landed([order("T1", 11), order("T2", 12), order("T3", 12, net_amount="a lot")], window(11, 12), at(0))
    desk.stage(first)
    with desk.connected() as conn:
        [export] = staging.read_slices(conn, desk.report, "a668", first.days)
        desk.stage(desk.landed([order("T2", 12, order_status="Ready")], window(12), at(1)))
        counts = books.load_export(conn, desk.report, typed_export(desk.report, export), "a run")
        assert (counts.inserted, desk.facts()) == (1, {"T1": None})
        assert desk.audit() == [("ok", 1, 1, 0, 0, 0, 0)], "the rejected row was the other day's"
        desk.load_staged([nov(12)])
        desk.stage(desk.landed([order("T1", 11, order_status="Ready")], window(11), at(1)))
        with pytest.raises(OlderExport, match="staged meanwhile"):
            books.load_export(conn, desk.report, typed_export(desk.report, export), "a run")
    assert desk.facts() == {"T1": None, "T2": "Ready"}


# The same content again.


def test_the_same_content_is_noted_and_nothing_is_loaded(desk: Desk) -> None:
    rows = [order("T1", 12), order("T2", 13), order("T3", 13, net_amount="a lot")]
    first = desk.landed(rows, window(12, 13), at(0))
    desk.load_staged(desk.stage(first).days)
    facts = desk.whole_table()
    staged = desk.rows("SELECT ctid::text, xmin::text FROM stg_td_order_report ORDER BY row_number")
    again = desk.landed(rows, window(12, 13), at(1), keep_file=False)
    outcome = desk.stage(again, guard=STRICT, run_id="the second")
    assert (outcome.unchanged, outcome.rows, outcome.days) == (True, 0, (nov(12), nov(13)))
    assert desk.whole_table() == facts
    assert desk.rows("SELECT ctid::text, xmin::text FROM stg_td_order_report ORDER BY row_number") == staged
    assert desk.ledger(again.ledger_id)["status"] == "unchanged"
    assert desk.audit()[-1] == ("unchanged", 3, 0, 0, 2, 1, 0)
    assert desk.rows("SELECT ledger_id, confirmed_by FROM staging_slice") == [(first.ledger_id, again.ledger_id)] * 2
    with desk.connected() as conn:
        [export] = staging.read_slices(conn, desk.report, "a668", again.days)
        assert export.confirmed_by_run == "landed"
        books.let_go(conn, again)
        books.let_go(conn, first)
    assert (again.file.exists(), first.file.exists()) == (False, True), "only the one that is not kept"
    assert desk.ledger(again.ledger_id)["deleted_at"] is not None


def test_a_file_stays_while_a_later_export_of_the_same_bytes_waits_under_its_name(desk: Desk) -> None:
    first, second = (desk.landed([order("T1", 12)], window(12), at(hour), keep_file=False) for hour in (0, 1))
    desk.rows(
        "UPDATE download_ledger SET stored_name = %s WHERE ledger_id = %s RETURNING 1",
        str(first.file),
        second.ledger_id,
    )
    second = replace(second, file=first.file)
    desk.load_staged(desk.stage(first).days)
    with desk.connected() as conn:
        books.let_go(conn, first)
        assert first.file.exists(), "the second run reads it still"
        assert desk.stage(second).unchanged
        books.let_go(conn, second)
    assert not first.file.exists()


def test_one_day_of_a_file_with_the_same_content_is_loaded_by_itself(desk: Desk) -> None:
    rows = [order("T1", 12), order("T2", 13), order("T3", 13)]
    desk.take(rows, window(12, 13), 0)
    part = desk.landed(rows, window(12, 13), at(1), only=[nov(12)])
    outcome = desk.stage(part)
    assert not outcome.unchanged
    desk.load_staged(outcome.days)
    assert desk.audit()[-1] == ("ok", 1, 0, 0, 1, 0, 0)


def test_the_same_content_is_refused_once_its_rows_are_known_to_be_another_stores(desk: Desk) -> None:
    desk.take(TEN, window(12), 0)
    with desk.connected() as conn:
        conn.execute("CREATE TEMPORARY TABLE theirs AS SELECT * FROM fact_td_orders")
        conn.execute("UPDATE theirs SET store = 'a817'")
        conn.execute("INSERT INTO fact_td_orders SELECT * FROM theirs")
    again = desk.landed(TEN, window(12), at(1))
    with pytest.raises(WrongStore, match="found 10 of 10 rows that are loaded for td/a817"):
        desk.stage(again)
    assert desk.ledger(again.ledger_id)["status"] == "downloaded"


def test_an_empty_day_confirmed_is_unchanged_without_a_row(desk: Desk) -> None:
    desk.take([], window(12), 0)
    staged, _ = desk.take([], window(12), 1)
    assert staged.unchanged
    assert desk.audit() == [("empty", 0, 0, 0, 0, 0, 0), ("unchanged", 0, 0, 0, 0, 0, 0)]


def test_content_that_came_back_after_another_is_loaded(desk: Desk) -> None:
    ready, delivered = ([order("T1", 12, order_status=status)] for status in ("Ready", "Delivered"))
    for hours, rows in enumerate((ready, delivered, ready)):
        staged, _ = desk.take(rows, window(12), hours)
        assert not staged.unchanged
        assert desk.facts() == statuses(rows)
    assert [row[3] for row in desk.audit()] == [0, 1, 1]


# What is refused.


def test_a_refused_file_is_set_aside_and_the_ledger_names_its_place(desk: Desk) -> None:
    file = desk.landed(TEN, window(12), at(0), keep_file=False)
    content = file.file.read_bytes()
    with desk.connected() as conn:
        failed = books.refuse(conn, desk.report, file, file.days, ShrunkReport("td/a668: too few"), "a run")
    assert (failed.store, failed.window, failed.error.code) == ("td/a668", window(12), "ShrunkReport")
    [kept] = (desk.folder / "refused").iterdir()
    row = desk.ledger(file.ledger_id)
    assert (row["status"], row["error_code"], row["stored_name"]) == ("failed", "ShrunkReport", str(kept))
    assert kept.read_bytes() == content
    assert not file.file.exists()
    assert desk.audit() == [("failed", 0, 0, 0, 0, 0, 0)]


def test_a_file_that_is_not_the_downloaded_one_is_left_where_it_is(desk: Desk) -> None:
    file = desk.landed(TEN, window(12), at(0))
    file.file.write_bytes(b"another")
    with desk.connected() as conn:
        books.refuse(conn, desk.report, file, file.days, BadReport("its MD5 differs"), "a run")
    assert file.file.read_bytes() == b"another"
    assert desk.ledger(file.ledger_id)["stored_name"] == str(file.file)
    assert not (desk.folder / "refused").exists()


def test_every_load_accounts_for_every_row_whatever_happens_to_it(desk: Desk) -> None:
    first = [*TEN, order("T90", 12, net_amount="a lot")]
    second = [order("T0", 12, order_status="Ready"), *TEN[1:8], order("T90", 12, net_amount=5), order("T91", 12)]
    desk.take(first, window(12), 0)
    desk.take(second, window(12), 1)
    assert desk.audit() == [("ok", 11, 10, 0, 0, 1, 0), ("ok", 10, 2, 1, 7, 0, 2)]
    assert desk.rows("SELECT status FROM rejected_rows") == [("replayed",)]
