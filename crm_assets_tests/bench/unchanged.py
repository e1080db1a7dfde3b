"""The bench ``unchanged``: the settling days of a store read again without a change, against their first load.

That no row of the facts or their history is written is counted by the server, and asserted.
"""

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from crm_assets.model import Window
from crm_assets.sandbox.workbooks import workbook
from crm_assets.warehouse.migrate import migrate
from crm_assets_tests.bench.figures import Figure, measured
from crm_assets_tests.bench.load import LAST, ORDER_REPORT, orders, own
from crm_assets_tests.bench.server import bench_server
from crm_assets_tests.fixtures.postgres import new_database

DAYS, ROWS, REPEATS = 35, 300, 9
OF_FIRST = 0.3


def figures(rows: int = ROWS, repeats: int = REPEATS) -> Iterator[Figure]:
    """Both in turn, in one warm process."""
    window = Window(first=LAST - timedelta(days=DAYS - 1), last=LAST)
    with tempfile.TemporaryDirectory() as folder, new_database(bench_server(), template="template1") as database:
        migrate(database)
        file = Path(folder) / "export.xlsx"
        file.write_bytes(workbook(ORDER_REPORT, orders(rows, window)))
        task = {"file": str(file), "database": database, "rows": rows, "repeats": repeats}
        told = own(task, window, again=True)
    yield measured(
        f"{rows} rows of {DAYS} days again, beside the first time",
        told["again"],
        told["warm"],
        target=OF_FIRST,
        at_most=True,
        of_ratio=True,
    )
