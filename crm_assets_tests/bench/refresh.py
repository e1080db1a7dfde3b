"""The bench ``refresh``: a store-day by a whole Dagster run, against a bare script that does the same and keeps no books."""

from collections.abc import Iterator, Sequence
from statistics import median

from crm_assets.sandbox.pace import PaceName
from crm_assets_tests.bench.figures import Figure
from crm_assets_tests.bench.live import bare, live
from crm_assets_tests.bench.peers import browser, peers_python
from crm_assets_tests.bench.server import bench_server
from crm_assets_tests.fixtures.dagster import busy_days

STORES = ("td/a668", "uc/sector56")
REPEATS: dict[PaceName, int] = {"instant": 5, "real": 3}
EXECUTION_RATIO, WHOLE_SECONDS = 1.3, 6.0


def figures(*, paces: Sequence[PaceName] = ("instant", "real"), repeats: int | None = None) -> Iterator[Figure]:
    """At each pace and for each store: the run's execution, and the time from the request to the facts, beside the script's."""
    server, python, chromium = bench_server(), peers_python(), browser()
    for pace in paces:
        with live(server, pace) as at:
            window = busy_days(at.pipeline.sandbox, *STORES)
            for name in STORES:
                bare(at, python, chromium, name, window)  # both once before: files of the browser, imports
                at.run(name, window)
                pairs = [
                    (bare(at, python, chromium, name, window), at.run(name, window))
                    for _ in range(repeats or REPEATS[pace])
                ]
                scripts = [script for script, _ in pairs]
                yield from _figures(
                    f"{name} at {pace} pace",
                    scripts,
                    [run.execution for _, run in pairs],
                    [run.whole for _, run in pairs],
                    pace,
                )


def _figures(
    what: str, scripts: list[float], executions: list[float], wholes: list[float], pace: PaceName
) -> Iterator[Figure]:
    wanted = pace == "real"
    script = median(scripts)
    yield Figure(
        name=f"{what}: execution",
        unit="s",
        ours=median(executions),
        reference=script,
        target=EXECUTION_RATIO * script if wanted else None,
        at_most=True,
    )
    yield Figure(
        name=f"{what}: request to facts",
        unit="s",
        ours=median(wholes),
        reference=script,
        target=script + WHOLE_SECONDS if wanted else None,
        at_most=True,
    )
    for which, times in (("execution", executions), ("request to facts", wholes), ("bare script", scripts)):
        yield Figure(name=f"{what}: {which}, fastest", unit="s", ours=min(times))
        yield Figure(name=f"{what}: {which}, slowest", unit="s", ours=max(times))
