"""The bench ``parallel``: four stores asked for at once, against the slowest of them alone; by the queue and the daemon."""

from collections.abc import Iterator
from statistics import median

from crm_assets.sandbox.pace import PaceName
from crm_assets_tests.bench.figures import Figure, measured
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
        everywhere = [(name, window) for name in ALL_STORES]
        at.run_all(everywhere)  # once before: files of the browser, imports
        alone = {name: [at.run(name, window).whole for _ in range(repeats)] for name in ALL_STORES}
        together = [max(run.whole for run in at.run_all(everywhere)) for _ in range(repeats)]
    slowest = max(alone.values(), key=median)
    target = RATIO if pace == "real" else None
    yield measured(f"four stores at once at {pace} pace", together, slowest, target=target, at_most=True, of_ratio=True)
    for name, seconds in alone.items():
        yield measured(f"{name} alone", seconds)
