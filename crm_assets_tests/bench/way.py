"""The bench ``way``: where the seconds and megabytes of a store-day go, from the request to the facts.

By Dagster's own event log, at instant pace: the portals' own waits are left out. The reference is the whole run.
"""

from collections.abc import Callable, Iterator, Sequence
from threading import Event, Thread

import dagster as dg
import psutil
from dagster import EventLogEntry

from crm_assets_tests.bench.figures import Figure, measured
from crm_assets_tests.bench.live import Live, RunTimes, live
from crm_assets_tests.bench.server import bench_server
from crm_assets_tests.fixtures.dagster import busy_days, chain
from crm_assets_tests.fixtures.sandbox import REPORTS

STORES, REPEATS, SAMPLE_SECONDS = ("td/a668", "uc/sector56"), 5, 0.2

type Told = Callable[[EventLogEntry], bool]


def figures(repeats: int = REPEATS) -> Iterator[Figure]:
    """A section's seconds end with its event; the last ones are the largest that the run's processes were at once."""
    with live(bench_server(), "instant") as at:
        window = busy_days(at.pipeline.sandbox, *STORES)
        for name in STORES:
            at.run(name, window)
            with Weighing() as megabytes:
                runs = [at.run(name, window) for _ in range(repeats)]
            wholes = [run.whole for run in runs]
            sections = [_sections(at, run, name) for run in runs]
            for section in sections[0]:
                yield measured(f"{name}: {section}", [each[section] for each in sections], wholes)
            yield measured(f"{name}: request to facts", wholes)
            for what, most in megabytes.items():
                yield Figure(name=f"{name}: memory of {what}", unit="MB", ours=most)


def _sections(at: Live, run: RunTimes, name: str) -> dict[str, float]:
    """Seconds of each section of the run, in order."""
    raw, staging, facts = chain(REPORTS[name.split("/")[0]])
    ends: Sequence[tuple[str, Told]] = (
        ("the request reaches the queue", _is(dg.DagsterEventType.RUN_ENQUEUED)),
        ("the queue", _is(dg.DagsterEventType.RUN_STARTING)),
        ("the run's process starts", _is(dg.DagsterEventType.RUN_START)),
        ("the first step starts", _is(dg.DagsterEventType.STEP_START, raw)),
        ("account and ledger", _says("started")),
        ("browser, session and login", _says("signed in", "session reused")),
        ("export", _says("downloaded")),
        ("browser and session end, events", _is(dg.DagsterEventType.STEP_SUCCESS, raw)),
        ("proof and staging", _is(dg.DagsterEventType.STEP_SUCCESS, staging)),
        ("facts", _is(dg.DagsterEventType.STEP_SUCCESS, facts)),
        ("checks and the run's end", _is(dg.DagsterEventType.RUN_SUCCESS)),
    )
    entries, seconds, before = at.pipeline.instance.all_logs(run.run_id), dict[str, float](), run.asked_at
    for section, told in ends:
        at_last = max(entry.timestamp for entry in entries if told(entry))
        seconds[section] = at_last - before
        before = at_last
    return seconds


def _is(kind: dg.DagsterEventType, step: str | None = None) -> Told:
    return lambda entry: entry.dagster_event_type is kind and (step is None or (entry.step_key or "").startswith(step))


def _says(*events: str) -> Told:
    """A line of ours in the log: ``td/a668 signed in -``."""
    return lambda entry: not entry.is_dagster_event and any(event in entry.user_message for event in events)


class Weighing:
    """The most megabytes of the run's process, of the browser's driver and of the browser while the block runs."""

    def __enter__(self) -> dict[str, float]:
        self._most, self._over = dict[str, float](), Event()
        self._thread = Thread(target=self._weigh)
        self._thread.start()
        return self._most

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _weigh(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            now = {"the run": 0.0, "the browser's driver": 0.0, "the browser": 0.0}
            for process in psutil.Process().children(recursive=True):
                try:
                    command = " ".join(process.cmdline())
                    if kind := _kind(process.name(), command):
                        now[kind] += process.memory_full_info().pss / 2**20
                except psutil.Error:
                    continue
            for kind, megabytes in now.items():
                self._most[kind] = max(self._most.get(kind, 0), megabytes)


def _kind(name: str, command: str) -> str | None:
    if "multiprocessing.spawn" in command:  # how Dagster starts a run
        return "the run"
    if name.startswith("node"):
        return "the browser's driver"
    return "the browser" if name.startswith(("chrom", "google-chrome")) else None
