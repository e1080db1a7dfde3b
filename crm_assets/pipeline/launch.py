"""Runs started by the command line: the same assets on the same Dagster instance, one run and one process per store and report.

The runs show in the UI like any other; no daemon is needed. Each has a process of its own because Dagster sets up Python's
logging anew for every run, and two runs in two threads of one process wait for each other for ever. What landed is read
back from the ledger and the audit, not from Dagster. So the process that starts them imports no Dagster: half a second of its
life.
"""

import asyncio
import logging
import logging.handlers
import multiprocessing
import os
import signal
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace

from crm_assets.errors import AccountBusy
from crm_assets.model import Report, Store, Window, system_clock
from crm_assets.settings import Settings, load_settings
from crm_assets.warehouse import ledger
from crm_assets.warehouse.connection import connect
from crm_assets.warehouse.embedded import database_url
from crm_assets.warehouse.outcomes import RunOutcome, outcome_of_run
from crm_assets.warehouse.progress import Want
from crm_assets.warehouse.sessions import account_lock

log = logging.getLogger("crm_assets")

INTERRUPTED = 130  # as a shell has it
GRACE_SECONDS = 15  # for the browser to close and Dagster to book the run
# What every run needs, imported once by the fork server and then there in each of its processes.
PRELOADED = ["playwright.async_api", "crm_assets.pipeline.preloaded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one run is to do: a report of all days of the window for one store. None leaves a choice to the settings.

    ``accept_shrink``: a person says that rows which the new export lacks are rightly gone. ``want`` is what the run is for, where
    no person started it.
    """

    store: Store
    report: Report
    window: Window
    keep_file: bool | None = None
    headless: bool | None = None
    trace: bool = False
    accept_shrink: bool = False
    want: Want | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """A finished run and what came of it."""

    task: Task
    outcome: RunOutcome


def launch(settings: Settings, tasks: Sequence[Task]) -> Iterator[Launched]:
    """Materialize raw, staging and facts for every task, ``CRM_PARALLEL_STORES`` at once and those of one store in turn; yields
    a store's as it ends.

    One store's failure is its own; what is nobody's, such as a lost database, is raised. Log records of the runs arrive at this
    process's handlers.
    """
    environment = dict(os.environ) | {"CRM_DATABASE_URL": database_url(settings)}
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(PRELOADED)
    records: multiprocessing.Queue[logging.LogRecord] = processes.Queue()
    listener = logging.handlers.QueueListener(records, *log.handlers)
    listener.start()
    stores = ThreadPoolExecutor(max_workers=settings.env.parallel_stores)
    try:
        begin = (environment, records, log.getEffectiveLevel())

        def own_process() -> ProcessPoolExecutor:
            # A pool each: when one of its processes is killed, a pool ends them all.
            return ProcessPoolExecutor(max_workers=1, mp_context=processes, initializer=_begin, initargs=begin)

        def alone(task: Task) -> Launched:
            with own_process() as pool:
                run_id = str(uuid.uuid4())
                return _launched(settings, pool.submit(_run, task, run_id), task, run_id)

        def in_turn(of_one_store: Sequence[Task]) -> list[Launched]:
            return [alone(task) for task in of_one_store]

        if len(tasks) > 1:
            with own_process() as pool:
                pool.submit(_make_ready).result()
        for done in as_completed([stores.submit(in_turn, each) for each in _by_store(tasks)]):
            yield from done.result()
    finally:
        stores.shutdown(cancel_futures=True)
        listener.stop()


def _by_store(tasks: Iterable[Task]) -> Iterable[list[Task]]:
    """An account works for one run at a time."""
    stores: dict[Store, list[Task]] = {}
    for task in tasks:
        stores.setdefault(task.store, []).append(task)
    return stores.values()


def _begin(environment: Mapping[str, str], records: "multiprocessing.Queue[logging.LogRecord]", level: int) -> None:
    """The fork server's environment is that of its first start: take today's, and send the log home."""
    os.environ.clear()
    os.environ.update(environment)
    log.handlers[:] = [logging.handlers.QueueHandler(records)]
    log.setLevel(level)
    log.propagate = False
    signal.signal(signal.SIGINT, _leave)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _leave(_number: int, _frame: object) -> None:
    """Between two runs, an interrupt ends the process without a word; during a run Dagster handles it and books the run."""
    raise SystemExit(INTERRUPTED)


def _end_with_the_parent() -> None:
    """A worker whose parent was killed would wait for its next task for ever: interrupt the run, then go."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 - only a pool's worker comes here
    parent.join()
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait(GRACE_SECONDS)
    os._exit(INTERRUPTED)


def _make_ready() -> None:
    """Dagster's home and its tables, where they are not: several runs would race to make them."""
    from crm_assets.pipeline.instance import open_instance

    with open_instance(load_settings()):
        return


def _run(task: Task, run_id: str) -> None:
    """One run, in this process, on the shared instance."""
    import dagster as dg

    from crm_assets.pipeline.compose import compose
    from crm_assets.pipeline.instance import open_instance

    settings, report = load_settings(), task.report
    with open_instance(settings) as instance:
        compose(settings).resolve_implicit_global_asset_job_def().execute_in_process(
            run_id=run_id,
            run_config={
                "ops": {
                    report.raw_asset: {
                        "config": _chosen(keep_file=task.keep_file, headless=task.headless, trace=task.trace)
                    },
                    report.staging_table: {"config": {"accept_shrink": task.accept_shrink}},
                },
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},  # our own lines say it already
            },
            instance=instance,
            asset_selection=[dg.AssetKey(name) for name in report.assets],
            tags=_tags(task),
            raise_on_error=False,
        )


def _launched(settings: Settings, done: "Future[None]", task: Task, run_id: str) -> Launched:
    """What came of a run that has ended, be it that its process was killed."""
    with connect(database_url(settings)) as conn:
        try:
            done.result()
        except BrokenProcessPool:
            asyncio.run(_until_let_go(settings, task.store))
            ledger.close_abandoned(conn, system_clock())
            _close_run(settings, run_id)
        outcome = outcome_of_run(conn, run_id)
    if task.want and not outcome.complete and not outcome.error_code:
        outcome = replace(outcome, complete=_ended_well(settings, run_id))
    return Launched(task=task, outcome=outcome)


def _ended_well(settings: Settings, run_id: str) -> bool:
    """Whether a run without a word in the ledger was good: another one had fetched its window meanwhile."""
    from crm_assets.pipeline.instance import open_instance

    with open_instance(settings) as instance:
        run = instance.get_run_by_id(run_id)
        return run is not None and run.is_success


async def _until_let_go(settings: Settings, store: Store) -> None:
    """PostgreSQL frees a killed process's lock when it notices that its connection is gone: at once, but not sooner."""
    with suppress(AccountBusy):  # another run was quicker, and closes the books of the killed one itself
        async with account_lock(database_url(settings), store, timeout=GRACE_SECONDS, holder="the one who clears up"):
            return


def _close_run(settings: Settings, run_id: str) -> None:
    """Nobody else would: Dagster's daemon looks after the runs it launched itself."""
    from crm_assets.pipeline.instance import open_instance

    with open_instance(settings) as instance:
        run = instance.get_run_by_id(run_id)
        if run and not run.is_finished:
            instance.report_run_failed(run, "The process of this run was killed.")


def _tags(task: Task) -> dict[str, str]:
    """What the run carries: its days, who started it, and what for."""
    from crm_assets.pipeline.attempts import tags_of
    from crm_assets.pipeline.partitions import range_tags

    tags = (
        tags_of(task.want, system_clock())
        if task.want
        else range_tags(task.store.code, task.window.first, task.window.last)
    )
    return tags | {"launched_by": "crm_download"}


def _chosen(**options: bool | None) -> dict[str, bool]:
    return {name: value for name, value in options.items() if value is not None}
