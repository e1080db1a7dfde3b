"""Our own loader as ``load`` and ``unchanged`` run it: a process that loads one workbook, all the way and with all the books.

Its task comes as JSON on standard input; the seconds of each load, the rows written and the peak of memory go to standard output.
"""

import json
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

from crm_assets import workbook
from crm_assets.model import Window, system_clock
from crm_assets.pipeline import books
from crm_assets.pipeline.given import GivenFile, booked, load
from crm_assets.pipeline.reports import report_of_asset
from crm_assets.settings import Settings, load_settings
from crm_assets.warehouse.connection import Connection, connect

TABLES = "download_ledger, stg_td_order_report, fact_td_orders, fact_td_orders_history"


def main() -> None:
    task = json.load(sys.stdin)
    if task["limits"] == "lifted":
        lift_limits()
    settings = load_settings()
    window = Window(first=date.fromisoformat(task["first"]), last=date.fromisoformat(task["last"]))
    seconds, again, cold = list[float](), list[float](), None
    with connect(task["database"]) as conn:
        for _ in range(task["repeats"] + 1):
            conn.execute(f"TRUNCATE {TABLES} CASCADE")
            seconds.append(_load(conn, settings, task, window))
            if cold is None:
                cold = time.time() - task["started"]
            written = _written(conn)
            if task["again"]:
                again.append(_load(conn, settings, task, window))
                assert _written(conn) == written, "an unchanged row was written"
        ((rows,),) = conn.execute("SELECT count(*) FROM fact_td_orders").fetchall()
    assert rows == task["rows"], f"expected {task['rows']} rows, found {rows}"
    sys.stdout.write(json.dumps({"cold": cold, "warm": seconds[1:], "again": again[1:], "peak_mb": peak_mb()}) + "\n")


def peak_mb() -> float:
    """The most memory that this process had; ``getrusage`` would tell its parent's where that had more."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def lift_limits() -> None:
    """More than any report of a store has: the reader refuses such files, so that no file can fill the memory."""
    workbook.sheet.ROWS = workbook.sheet.CELLS = workbook.markup.TAGS = workbook.book.STRINGS = 10**8
    workbook.package.FILE_BYTES = workbook.package.UNPACKED_BYTES = 2**32


def _load(conn: Connection, settings: Settings, task: dict[str, Any], window: Window) -> float:
    """Seconds from the file that has landed to the facts that are committed."""
    began, run_id = time.perf_counter(), f"bench {time.monotonic_ns()}"
    report, store = report_of_asset(settings, "fact_td_orders"), settings.store("td", task["store"])
    given = GivenFile(file=Path(task["file"]), store=store, report=report, window=window, exported_at=system_clock())
    guard = books.Guard.of(settings)
    load(conn, settings, report, booked(conn, given, run_id), guard, run_id)
    return time.perf_counter() - began


def _written(conn: Connection) -> tuple[int, ...]:
    """How many rows of the facts and their history were ever written, as the server counts."""
    conn.execute("SELECT pg_stat_force_next_flush()")
    ((facts, history),) = conn.execute(
        "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FILTER (WHERE relname = 'fact_td_orders'), "
        "sum(n_tup_ins) FILTER (WHERE relname = 'fact_td_orders_history') FROM pg_stat_user_tables"
    ).fetchall()
    return int(facts), int(history)


if __name__ == "__main__":
    main()
