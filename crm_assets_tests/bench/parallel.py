"""The bench ``parallel``: four stores asked for at once, against the slowest of them alone; by the queue and the daemon."""

from collections.abc import Iterator
from statistics import median

from crm_assets.sandbox.pace import PaceName
from crm_assets_tests.bench.figures import Figure
from crm_assets_tests.bench.live import live
from crm_assets_tests.bench.server import bench_server
from crm_assets_tests.fixtures.dagster import busy_days
from crm_assets_tests.fixtures.sandbox import ALL_STORES

REPEATS = 3
RATIO = 1.3


def figures(pace: PaceName = "real", repeats: int = REPEATS) -> Iterator[Figure]:
    """From the request of the first to the facts of the last; each store waits for its portal as long as alone."""
    with live(bench_server(), pace) as at:
        window = busy_days(at.pipeline.sandbox, *ALL_STORES)
        at.run_all(ALL_STORES, window)  # once before: files of the browser, imports
        alone = {name: median(at.run(name, window).whole for _ in range(repeats)) for name in ALL_STORES}
        together = [max(run.whole for run in at.run_all(ALL_STORES, window)) for _ in range(repeats)]
    slowest = max(alone.values())
    yield Figure(
        name=f"four stores at once at {pace} pace",
        unit="s",
        ours=median(together),
        reference=slowest,
        target=RATIO * slowest if pace == "real" else None,
        at_most=True,
    )
    yield Figure(name="the same, fastest", unit="s", ours=min(together))
    yield Figure(name="the same, slowest", unit="s", ours=max(together))
    for name, seconds in alone.items():
        yield Figure(name=f"{name} alone", unit="s", ours=seconds)
