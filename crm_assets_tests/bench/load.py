"""The bench ``load``: from a TumbleDry workbook to its rows in a table, against what others would write.

Each loader is a process of its own and loads into an empty table: once cold, counted from the process's start, then warm. The
largest workbook is more than the product accepts (500,000 cells): its limits are lifted for this.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from crm_assets.model import IST, Window
from crm_assets.sandbox.books import Books
from crm_assets.sandbox.layouts import ORDER_REPORT
from crm_assets.sandbox.workbooks import workbook
from crm_assets.settings import PROJECT_ROOT
from crm_assets.warehouse.migrate import migrate
from crm_assets_tests.bench.figures import Figure, measured
from crm_assets_tests.bench.peers import peers_python
from crm_assets_tests.bench.server import bench_server
from crm_assets_tests.fixtures.postgres import new_database

STORE, KEY = "a817", "Order No."
LAST = date(2026, 1, 29)
QUARTER = Window(first=date(2025, 11, 1), last=LAST)
PEERS = {"pandas": "peer_orders", "dlt": "peer_dlt.orders", "floor": "peer_orders"}
NAMES = {"pandas": "pandas, openpyxl and to_sql", "dlt": "dlt's merge", "floor": "calamine and COPY alone"}
FASTER, OF_FLOOR, OF_MEMORY = 1 / 5, 1.5, 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """``targets`` were set for the largest one alone."""

    name: str
    rows: int
    window: Window
    repeats: int
    targets: bool = False


SIZES = (
    Size(name="1 day", rows=10, window=Window(first=LAST, last=LAST), repeats=5),
    Size(name="90 days", rows=800, window=QUARTER, repeats=5),
    Size(name="100,000 rows", rows=100_000, window=QUARTER, repeats=1, targets=True),
)


def figures(sizes: Sequence[Size] = SIZES, peers: Sequence[str] = tuple(PEERS)) -> Iterator[Figure]:
    """For each size the seconds against each peer, and the memory against the floor's."""
    server = bench_server()
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder, new_database(server, template="template1") as database:
            migrate(database)
            file = Path(folder) / "export.xlsx"
            file.write_bytes(workbook(ORDER_REPORT, orders(size.rows, size.window)))
            task = {"file": str(file), "database": database, "rows": size.rows, "repeats": size.repeats}
            ours = own(task, size.window)
            for way in peers:
                yield from _against(size, way, ours, _peer(task, way, folder))


def orders(count: int, window: Window) -> list[dict[str, Any]]:
    """So many rows of these days, each under an order number of its own: those of the sandbox over and over."""
    books = Books(
        "bench", lambda: datetime(LAST.year, LAST.month, LAST.day, 21, tzinfo=IST), lambda _store, _day: False
    )
    found = books.td_orders(STORE, window)
    return [_another(found[at % len(found)], at) for at in range(count)]


def _another(row: dict[str, Any], at: int) -> dict[str, Any]:
    """The same order under another number, and at another minute and second of its hour: few times are alike in life."""
    booked = str(row["Order Date / Time"])
    return {**row, KEY: f"T{1 + at}", "Order Date / Time": f"{booked[:15]}{at // 60 % 60:02}:{at % 60:02}{booked[20:]}"}


def own(task: dict[str, Any], window: Window, *, again: bool = False) -> dict[str, Any]:
    """What our own loader took; ``again``: each time loads the same once more."""
    days = {"store": STORE, "first": str(window.first), "last": str(window.last)}
    limits = "lifted" if task["rows"] > 10_000 else "kept"
    return _run(
        [sys.executable, "-m", "crm_assets_tests.bench.own_load"], {**task, **days, "limits": limits, "again": again}
    )


def _peer(task: dict[str, Any], way: str, folder: str) -> dict[str, Any]:
    script = str(Path(__file__).with_name("loaders.py"))
    return _run([str(peers_python()), script], {**task, "way": way, "table": PEERS[way], "key": KEY, "folder": folder})


def _run(command: list[str], task: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        command,
        input=json.dumps({**task, "started": time.time()}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=PROJECT_ROOT,
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _against(size: Size, way: str, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[Figure]:
    target = (OF_FLOOR if way == "floor" else FASTER) if size.targets else None
    name = f"{size.name}, beside {NAMES[way]}"
    yield measured(name, ours["warm"], theirs["warm"], target=target, at_most=True, of_ratio=True)
    yield Figure(name=f"{name}: cold", unit="s", ours=ours["cold"], reference=theirs["cold"])
    yield Figure(
        name=f"{name}: peak of memory",
        unit="MB",
        ours=ours["peak_mb"],
        reference=theirs["peak_mb"],
        target=OF_MEMORY if size.targets and way == "floor" else None,
        at_most=True,
        of_ratio=True,
    )
