"""The run launcher: Dagster's own, which can also say whether a run's process is still there. ``dagster.yaml`` names it."""

import json

import psutil
from dagster import DagsterEventType, DagsterRun, DefaultRunLauncher
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

CLOCK_SECONDS = 5


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's own launcher, able to tell its run monitoring whether a run's process is still there.

    Without it only the run's code server notices a killed run. Where that ended too (with the daemon, the machine, or for want
    of a database) the run would count as running until ``max_runtime_seconds``, and keep its store waiting.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        for process, started in self._workers(run):
            if not _lives_since(process, started):
                return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"the run's process {process} is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def _workers(self, run: DagsterRun) -> list[tuple[int, float]]:
        """The process that works on the run and when it started to; none for a run from elsewhere, which cannot be seen."""
        if "socket" not in json.loads(run.tags.get(GRPC_INFO_TAG, "{}")):
            return []  # a command's own run, or a code server on another machine
        starts = self._instance.all_logs(run.run_id, of_type=DagsterEventType.RUN_START)
        pids = [(entry.get_dagster_event().pid, entry.timestamp) for entry in starts]
        return [(pid, timestamp) for pid, timestamp in pids if pid]


def _lives_since(pid: int, moment: float) -> bool:
    """Whether the process existed at that moment and still does: a later one only inherited its number."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= moment + CLOCK_SECONDS
    except psutil.NoSuchProcess:
        return False
