"""The life of a ledger row."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from crm_assets.errors import BadReport, ExportTimedOut, PersonAwaited, WrongWindow
from crm_assets.model import Claims
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets.warehouse import landed, ledger
from crm_assets.warehouse.connection import Connection
from crm_assets_tests.warehouse.samples import LATER, NOW, TD, UC, a_download, fetched, held, nov, opened, window

WEEK = list(window(10, 16).days())


def row(conn: Connection, ledger_id: int) -> dict[str, object]:
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute("SELECT * FROM download_ledger WHERE ledger_id = %s", [ledger_id]).fetchone()
    assert found is not None
    return found


def test_an_attempt_is_known_before_the_browser_starts(conn: Connection) -> None:
    kept = row(conn, opened(conn, window(12, 13), keep_file=True))
    assert (kept["crm"], kept["store"], kept["report"]) == ("td", "a668", "order_report")
    assert (kept["from_date"], kept["to_date"]) == (nov(12), nov(13))
    assert (kept["status"], kept["started_at"], kept["finished_at"]) == ("running", NOW, None)
    assert kept["keep_file"] is True


def test_attempts_are_numbered_within_their_run_and_window(conn: Connection) -> None:
    tries = [
        opened(conn, window(12)),
        opened(conn, window(12)),
        opened(conn, window(13)),
        opened(conn, window(12), run_id="run-2"),
    ]
    assert [row(conn, number)["attempt"] for number in tries] == [1, 2, 1, 1]


def test_a_download_keeps_the_file_and_what_the_portal_claims(conn: Connection) -> None:
    ledger_id = opened(conn, window(12))
    claims = Claims(rows=8, sums={"paid": Decimal("1234567890.10")})
    ledger.record_download(conn, ledger_id, a_download(window(12), claims=claims), LATER)
    kept = row(conn, ledger_id)
    assert (kept["status"], kept["finished_at"], kept["stored_name"]) == ("downloaded", LATER, "/downloads/a.xlsx")
    assert (kept["bytes"], kept["md5"], kept["signed_in_again"]) == (4096, "0123456789abcdef" * 2, True)
    [file] = landed.landed(conn, ORDER_REPORT, "a668", [nov(12)])
    assert file.claims == claims


def test_a_staged_file_with_rows_ends_ingested_and_one_without_ends_empty(conn: Connection) -> None:
    full, empty = fetched(conn, window(12)), fetched(conn, window(13))
    ledger.record_staged(conn, full, content_md5="a" * 32, row_count=8)
    ledger.record_staged(conn, empty, content_md5="b" * 32, row_count=0)
    for ledger_id in (full, empty):
        ledger.record_ingested(conn, ledger_id, LATER)
    assert [row(conn, number)["status"] for number in (full, empty)] == ["ingested", "empty"]
    assert row(conn, full)["content_md5"] == "a" * 32
    assert row(conn, full)["ingested_at"] == LATER


def test_a_refused_export_that_becomes_facts_after_all_is_no_failure_any_more(conn: Connection) -> None:
    ledger_id = fetched(conn, window(12))
    ledger.record_staged(conn, ledger_id, content_md5="a" * 32, row_count=8)
    ledger.record_failure(conn, ledger_id, status="failed", error=BadReport("a doubled key"), now=LATER)
    ledger.record_ingested(conn, ledger_id, LATER)
    kept = row(conn, ledger_id)
    assert (kept["status"], kept["error_code"], kept["error_message"]) == ("ingested", None, None)


def test_what_the_file_itself_claims_joins_what_the_portal_said_beside_it(conn: Connection) -> None:
    ledger_id = fetched(conn, window(12), claims=Claims(rows=8, sums={"paid": Decimal("1.10")}))
    of_file = Claims(sums={"tax": Decimal("0.5")})
    ledger.record_staged(conn, ledger_id, content_md5="a" * 32, row_count=8, headers=("A", "B"), claims=of_file)
    kept = row(conn, ledger_id)
    assert (kept["claimed_rows"], kept["claimed_sums"]) == (8, {"paid": "1.10", "tax": "0.5"})
    assert (kept["headers"], kept["shrink_accepted"]) == (["A", "B"], False)
    of_file = Claims(rows=9, sums={"paid": Decimal("2")})
    ledger.record_staged(conn, ledger_id, content_md5="a" * 32, row_count=8, claims=of_file, shrink_accepted=True)
    kept = row(conn, ledger_id)
    assert (kept["claimed_rows"], kept["claimed_sums"]) == (9, {"paid": "2", "tax": "0.5"})
    assert kept["shrink_accepted"] is True


def test_an_unchanged_file_says_when_it_was_seen_to_be_so(conn: Connection) -> None:
    ledger_id = fetched(conn, window(12))
    ledger.record_unchanged(conn, ledger_id, LATER)
    kept = row(conn, ledger_id)
    assert (kept["status"], kept["ingested_at"], kept["error_code"]) == ("unchanged", LATER, None)
    with pytest.raises(psycopg.errors.CheckViolation, match="loaded_when_ingested"):
        conn.execute("UPDATE download_ledger SET ingested_at = NULL")


def timed_out(conn: Connection, at: datetime, *, day: int = 12) -> None:
    """An attempt that asked the portal at this time and did not wait to the end."""
    error = ExportTimedOut("no file in time")
    error.requested_at = at
    ledger.record_failure(conn, opened(conn, window(day)), status="failed", error=error, now=LATER)


def test_a_request_that_was_not_waited_for_is_taken_up_until_a_file_comes_or_it_is_old_news(conn: Connection) -> None:
    def pending(since: datetime = NOW) -> datetime | None:
        return ledger.pending_request(conn, TD, ORDER_REPORT, window(12), since)

    assert pending() is None
    asked = NOW + timedelta(minutes=3)
    timed_out(conn, asked)
    timed_out(conn, LATER, day=13)
    assert pending() == asked
    assert pending(asked + timedelta(seconds=1)) is None
    error = PersonAwaited("run the bootstrap")
    ledger.record_failure(conn, opened(conn, window(12)), status="skipped", error=error, now=LATER)
    assert pending() == asked, "an attempt that asked for nothing does not answer it"
    fetched(conn, window(12))
    assert pending() is None


def test_the_newest_file_is_the_one_that_was_asked_for_last(conn: Connection) -> None:
    newer = fetched(conn, window(12), file="/downloads/newer.xlsx", requested_at=LATER)
    fetched(conn, window(12, 13), file="/downloads/older.xlsx")
    files = {file.ledger_id: file.days for file in landed.landed(conn, ORDER_REPORT, "a668", WEEK)}
    assert files[newer] == (nov(12),)
    assert sorted(day for days in files.values() for day in days) == [nov(12), nov(13)]


def test_a_refused_file_is_named_where_it_was_put(conn: Connection) -> None:
    ledger_id = fetched(conn, window(12))
    ledger.move_file(conn, ledger_id, Path("/downloads/refused/a.xlsx"))
    assert row(conn, ledger_id)["stored_name"] == "/downloads/refused/a.xlsx"


def test_a_failure_keeps_its_code_and_message_and_what_had_landed(conn: Connection) -> None:
    ledger_id = fetched(conn, window(12))
    error = WrongWindow("expected 12, found 11")
    error.evidence = Path("/evidence/td_a668_WrongWindow")
    ledger.record_failure(conn, ledger_id, status="failed", error=error, now=LATER)
    kept = row(conn, ledger_id)
    assert (kept["status"], kept["error_code"], kept["error_message"]) == (
        "failed",
        "WrongWindow",
        "expected 12, found 11",
    )
    assert (kept["stored_name"], kept["finished_at"]) == ("/downloads/a.xlsx", NOW)
    assert kept["evidence"] == "/evidence/td_a668_WrongWindow"


def test_each_day_has_its_newest_file_and_a_file_is_listed_once(conn: Connection) -> None:
    old = fetched(conn, window(10, 14), file="/downloads/old.xlsx")
    new = fetched(conn, window(13, 15), file="/downloads/new.xlsx", keep_file=True)
    first, second = landed.landed(conn, ORDER_REPORT, "a668", WEEK)
    assert (first.ledger_id, first.days, first.window) == (old, (nov(10), nov(11), nov(12)), window(10, 14))
    assert (second.ledger_id, second.days, second.file) == (
        new,
        (nov(13), nov(14), nov(15)),
        Path("/downloads/new.xlsx"),
    )
    assert (first.keep_file, second.keep_file) == (False, True)


def test_only_landed_files_of_this_store_and_report_count(conn: Connection) -> None:
    opened(conn, window(12))
    fetched(conn, window(12), store=UC)
    fetched(conn, window(12), store=replace(TD, code="a817"))
    skipped = opened(conn, window(12))
    ledger.record_failure(conn, skipped, status="skipped", error=PersonAwaited("run the bootstrap"), now=NOW)
    assert landed.landed(conn, ORDER_REPORT, "a668", WEEK) == []
    fetched(conn, window(12))
    assert landed.landed(conn, replace(ORDER_REPORT, name="another_report"), "a668", WEEK) == []
    assert [file.store for file in landed.landed(conn, GST_REPORT, "sector56", WEEK)] == ["sector56"]


def test_an_older_kept_file_never_takes_the_place_of_a_newer_deleted_one(conn: Connection) -> None:
    fetched(conn, window(12, 13), keep_file=True)
    newer = fetched(conn, window(13, 14))
    ledger.mark_deleted(conn, newer, LATER)
    [file] = landed.landed(conn, ORDER_REPORT, "a668", WEEK)
    assert file.days == (nov(12),)
    assert landed.deleted_days(conn, ORDER_REPORT, "a668", WEEK) == [nov(13), nov(14)]


def test_a_running_attempt_whose_account_is_free_is_closed_as_abandoned(conn: Connection) -> None:
    lost, done = opened(conn, window(12)), fetched(conn, window(12))
    assert ledger.close_abandoned(conn, LATER) == [lost]
    kept = row(conn, lost)
    assert (kept["status"], kept["error_code"], kept["finished_at"]) == ("failed", "Abandoned", LATER)
    assert row(conn, done)["status"] == "downloaded"
    assert ledger.close_abandoned(conn, LATER) == []


def test_a_running_attempt_whose_account_is_held_is_left_alone(conn: Connection, warehouse: str) -> None:
    with held(warehouse, TD):
        busy, lost = opened(conn, window(12)), opened(conn, window(12), store=UC)
        assert ledger.close_abandoned(conn, LATER) == [lost]
        assert row(conn, busy)["status"] == "running"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("status = 'done'", "status_check"),
        ("status = 'running'", "ended_when_not_running"),
        ("from_date = to_date + 1", "window_not_reversed"),
        ("md5 = NULL", "file_when_landed"),
        ("status = 'failed'", "error_when_failed"),
        ("status = 'ingested'", "loaded_when_ingested"),
        ("status = 'unchanged'", "loaded_when_ingested"),
        ("requested_at = NULL", "file_when_landed"),
    ],
)
def test_the_database_refuses_a_row_that_contradicts_itself(conn: Connection, change: str, rule: str) -> None:
    fetched(conn, window(12))
    with pytest.raises(psycopg.errors.CheckViolation, match=rule):
        conn.execute(f"UPDATE download_ledger SET {change}")  # noqa: S608
