"""Rejected rows."""

from datetime import date
from typing import Any

from crm_assets.model import Problem, Reject, Store
from crm_assets.warehouse import rejects
from crm_assets.warehouse.connection import Connection
from crm_assets_tests.warehouse.samples import LATER, NOW, REPORTS, TD, UC, fetched, nov, window

BAD_DATE = Problem(column="ordered_at", rule="12 Nov 2025 11:18:03 AM", value="yesterday")


def reject(number: str, day: date | None, row_number: int = 2, **raw: str) -> Reject:
    return Reject(day=day, row_number=row_number, raw={"order_number": number} | raw, problems=(BAD_DATE,))


def keep(conn: Connection, *given: Reject, first: int, last: int, store: Store = TD, **kwargs: Any) -> int:
    """Bring the rejects of these days in line with a new export of them."""
    days, ledger_id = window(first, last), fetched(conn, window(first, last), store=store)
    now = kwargs.get("now", NOW)
    report = REPORTS[store.crm]
    rejects.replace(conn, report, store=store.code, days=list(days.days()), ledger_id=ledger_id, rejects=given, now=now)
    return ledger_id


def kept(conn: Connection) -> list[tuple[Any, ...]]:
    return conn.execute(
        "SELECT raw ->> 'order_number', business_day, row_number, status, closed_at FROM rejected_rows ORDER BY reject_id"
    ).fetchall()


def test_a_reject_keeps_its_row_and_each_problem(conn: Connection) -> None:
    ledger_id = keep(conn, reject("T1", nov(12), 7, paid="12.x"), first=12, last=12)
    [row] = conn.execute(
        "SELECT ledger_id, store, row_number, raw, problems, status, created_at FROM rejected_rows"
    ).fetchall()
    problem = {"column": "ordered_at", "rule": "12 Nov 2025 11:18:03 AM", "value": "yesterday"}
    assert row == (ledger_id, "a668", 7, {"order_number": "T1", "paid": "12.x"}, [problem], "open", NOW)


def test_the_next_export_closes_what_it_no_longer_rejects_and_keeps_the_rest(conn: Connection) -> None:
    keep(conn, reject("T1", nov(12), 2), reject("T2", nov(12), 3), first=12, last=12)
    newer = keep(conn, reject("T2", nov(12), 9), reject("T3", nov(12), 10), first=12, last=12, now=LATER)
    assert kept(conn) == [
        ("T1", nov(12), 2, "replayed", LATER),
        ("T2", nov(12), 9, "open", None),
        ("T3", nov(12), 10, "open", None),
    ]
    [row] = conn.execute("SELECT created_at, ledger_id FROM rejected_rows WHERE row_number = 9").fetchall()
    assert row == (NOW, newer), "first rejected then, last seen now"


def test_their_numbers_go_up_in_the_order_of_the_file(conn: Connection) -> None:
    keep(conn, *(reject(f"T{row}", nov(12), row) for row in (4, 2, 3)), first=12, last=12)
    assert [row[0] for row in kept(conn)] == ["T2", "T3", "T4"]


def test_rejects_of_other_days_and_stores_stay_open(conn: Connection) -> None:
    keep(conn, reject("T1", nov(11)), first=11, last=11)
    keep(conn, reject("1", nov(12)), first=12, last=12, store=UC)
    keep(conn, first=12, last=12, now=LATER)
    assert [row[3] for row in kept(conn)] == ["open", "open"]


def test_a_row_without_a_readable_day_belongs_to_the_days_of_its_export(conn: Connection) -> None:
    keep(conn, reject("T1", None), first=10, last=14)
    keep(conn, first=15, last=16)
    assert [row[3] for row in kept(conn)] == ["open"]
    keep(conn, first=14, last=18)
    assert [row[3] for row in kept(conn)] == ["replayed"]


def test_a_waived_row_stays_waived_when_it_is_exported_again(conn: Connection) -> None:
    keep(conn, reject("T1", nov(12)), first=12, last=12)
    conn.execute("UPDATE rejected_rows SET status = 'waived', closed_at = now()")
    keep(conn, reject("T1", nov(12)), first=12, last=12)
    assert [row[3] for row in kept(conn)] == ["waived"]


def test_a_running_number_does_not_make_it_another_row(conn: Connection) -> None:
    keep(conn, reject("1", nov(12), serial_number="1"), first=12, last=12, store=UC)
    keep(conn, reject("1", nov(12), serial_number="5"), first=12, last=12, store=UC)
    assert conn.execute("SELECT raw ->> 'serial_number', status FROM rejected_rows").fetchall() == [("5", "open")]


def test_rejects_are_found_by_all_that_is_given_oldest_first(conn: Connection) -> None:
    keep(conn, reject("T1", nov(12)), reject("T2", nov(13), 3), first=12, last=13)
    keep(conn, reject("7", nov(12)), first=12, last=12, store=UC)
    keep(conn, first=13, last=13, now=LATER)
    every = ("open", "replayed", "waived")
    ids = {row.raw["order_number"]: row.reject_id for row in rejects.find(conn, statuses=every)}
    assert list(ids) == ["T1", "T2", "7"]

    def found(**given: Any) -> list[str | None]:
        return [row.raw["order_number"] for row in rejects.find(conn, **given)]

    assert found() == ["T1", "7"], "the open ones"
    assert found(crm="td", store="a668", statuses=every) == ["T1", "T2"]
    assert found(crm="uc") == ["7"]
    assert found(store="a668") == ["T1"]
    assert found(window=window(13), statuses=every) == ["T2"]
    assert found(ids=[ids["T2"], ids["7"]]) == ["7"]
    assert found(ids=[]) == []
    [row] = rejects.find(conn, crm="td")
    assert (row.business_day, row.row_number, row.status, row.created_at) == (nov(12), 2, "open", NOW)
    assert [problem["column"] for problem in row.problems] == ["ordered_at"]


def test_only_open_rows_are_waived_and_the_reason_is_kept(conn: Connection) -> None:
    keep(conn, reject("T1", nov(12)), reject("T2", nov(13), 3), first=12, last=13)
    keep(conn, first=13, last=13)
    replayed, opened = (rejects.find(conn, statuses=[status])[0].reject_id for status in ("replayed", "open"))
    assert rejects.waive(conn, [opened, replayed, 999], "a test booking", LATER) == [opened]
    assert rejects.waive(conn, [opened], "again", LATER) == []
    [row] = rejects.find(conn, statuses=["waived"])
    assert (row.reject_id, row.note, row.closed_at) == (opened, "a test booking", LATER)
    assert [row.note for row in rejects.find(conn, statuses=["replayed"])] == [None]
