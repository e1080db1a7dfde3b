"""The bench ``refresh``: a store-day by a whole Dagster run, against a bare script that does the same and keeps no books."""

from collections.abc import Iterator, Sequence

from crm_assets.sandbox.pace import PaceName
from crm_assets_tests.bench.figures import Figure, measured
from crm_assets_tests.bench.live import RunTimes, bare, live
from crm_assets_tests.bench.peers import browser, peers_python
from crm_assets_tests.bench.server import bench_server
from crm_assets_tests.fixtures.dagster import busy_days

STORES = ("td/a668", "uc/sector56")
REPEATS: dict[PaceName, int] = {"instant": 5, "real": 2}  # a real td run takes two minutes
EXECUTION_RATIO, BEYOND_SECONDS = 1.3, 6.0


def figures(*, paces: Sequence[PaceName] = ("instant", "real"), repeats: int | None = None) -> Iterator[Figure]:
    """At each pace and for each store: the run's execution, and the time from the request to the facts, beside the script's."""
    server, python, chromium = bench_server(), peers_python(), browser()
    for pace in paces:
        with live(server, pace) as at:
            window = busy_days(at.pipeline.sandbox, *STORES)
            for name in STORES:
                at.run(name, window)  # once before: imports, the account's session
                pairs = [
                    (bare(at, python, chromium, name, window), at.run(name, window))
                    for _ in range(repeats or REPEATS[pace])
                ]
                scripts, runs = [script for script, _ in pairs], [run for _, run in pairs]
                yield from _figures(f"{name} at {pace} pace", scripts, runs, wanted=pace == "real")


def _figures(what: str, scripts: list[float], runs: list[RunTimes], *, wanted: bool) -> Iterator[Figure]:
    yield measured(
        f"{what}: execution",
        [run.execution for run in runs],
        scripts,
        target=EXECUTION_RATIO if wanted else None,
        at_most=True,
        of_ratio=True,
    )
    wholes = [run.whole for run in runs]
    yield measured(f"{what}: request to facts", wholes, scripts)
    yield measured(
        f"{what}: request to facts, beyond the script",
        [whole - script for whole, script in zip(wholes, scripts, strict=True)],
        target=BEYOND_SECONDS if wanted else None,
        at_most=True,
    )
