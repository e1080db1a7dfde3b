"""Dagster's part in simulated time: sensors asked, requests queued once, four runs at a time and one of a store, runs that vanish
missed and retried. Every run stands in a real instance, with the simulated times.

The limits are those of ``dagster.yaml``; whether a run is retried, Dagster decides by it. What a run does is ``worker.py``'s.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import dagster as dg
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._core.storage.tags import TAGS_TO_MAYBE_OMIT_ON_RETRY, WILL_RETRY_TAG
from dagster._core.utils import make_new_run_id

from crm_assets.model import Purpose, Window
from crm_assets.pipeline.attempts import CRM_TAG, PRIORITY_TAG, WANT_TAG, purpose_of, wanted_since
from crm_assets.pipeline.partitions import RANGE_END, RANGE_START
from crm_assets.pipeline.reports import Source
from crm_assets.pipeline.sensors import report_sensors
from crm_assets.pipeline.wants import pause_after
from crm_assets.settings import Settings
from crm_assets.warehouse.progress import Want
from crm_assets_tests.simulation.agenda import Agenda
from crm_assets_tests.simulation.weather import Step
from crm_assets_tests.simulation.worker import WELL, Killed, StepFailed, Work, Worker

AT_ONCE = 4
TICK = timedelta(seconds=60)
MISSED_AFTER = timedelta(seconds=30)  # run_monitoring's poll_interval_seconds
RUN_KEY, JOB = "dagster/run_key", "__ASSET_JOB"
STARTED = dg.DagsterEventType.PIPELINE_START
SUCCEEDED, FAILED = dg.DagsterEventType.PIPELINE_SUCCESS, dg.DagsterEventType.PIPELINE_FAILURE


@dataclass(slots=True, kw_only=True)
class Run:
    """``ending``: as in ``worker.WELL``, an error's code, or killed; None while it waits or works, which it does by ``steps``."""

    work: Work
    queued_at: datetime
    parent: str | None = None
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    ending: str | None = None
    steps: Generator[timedelta, None, str] | None = None

    @property
    def purpose(self) -> Purpose:
        return purpose_of(self.work.tags)

    @property
    def failed(self) -> bool:
        return self.ending is not None and self.ending not in WELL

    @property
    def rank(self) -> tuple[int, datetime]:
        return -int(self.work.tags[PRIORITY_TAG]), self.queued_at


@dataclass(slots=True, kw_only=True)
class Daemon:
    """``runs``: every run there was, in order. ``is_off``: the machine is, and nothing happens."""

    instance: dg.DagsterInstance
    settings: Settings
    sources: Mapping[str, Source]
    agenda: Agenda
    worker: Worker
    runs: list[Run] = field(default_factory=list)
    is_off: bool = False
    ticks: int = 0
    _run_keys: set[str] = field(default_factory=set)
    _vanished: list[tuple[Run, Step]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.agenda.clock()

    def tick(self, crm: str, purpose: Purpose | None = None) -> None:
        """Ask the sensors of a CRM, or the one of a purpose, and queue what they request, each run key once."""
        if self.is_off:
            return
        for sensor in report_sensors([self.sources[crm]], self.agenda.clock):
            if purpose is None or sensor.name == f"{crm}_{purpose}":
                self._ask(sensor)
        self._launch()

    def _ask(self, sensor: dg.SensorDefinition) -> None:
        self.ticks += 1
        result = sensor(dg.build_sensor_context(instance=self.instance))
        assert isinstance(result, dg.SensorResult)
        for request in result.run_requests or ():
            key = request.run_key
            assert key
            if key not in self._run_keys:
                self._run_keys.add(key)
                self._queue(self._work({**request.tags, RUN_KEY: key}))

    def switch_off(self) -> None:
        """The machine stops: what was at work is gone."""
        self.is_off = True
        for run in self._at_work():
            if run.steps is not None:
                run.steps.close()
            self._vanish(run, run.work.begins_at)

    def switch_on(self) -> None:
        self.is_off = False
        self.agenda.after(MISSED_AFTER, self._miss)
        for crm in self.sources:
            self.tick(crm)

    def _work(self, tags: Mapping[str, str]) -> Work:
        source = self.sources[tags[CRM_TAG]]
        first, last = (tags[end].split("|")[0] for end in (RANGE_START, RANGE_END))
        return Work(
            run_id=make_new_run_id(),
            tags=tags,
            store=self.settings.store(source.crm_code, tags["store"]),
            report=source.report,
            window=Window(first=datetime.fromisoformat(first).date(), last=datetime.fromisoformat(last).date()),
        )

    def _queue(self, work: Work, parent: str | None = None) -> None:
        self.instance.add_run(
            dg.DagsterRun(
                job_name=JOB,
                run_id=work.run_id,
                tags=dict(work.tags),
                status=dg.DagsterRunStatus.NOT_STARTED,
                parent_run_id=parent,
                root_run_id=parent,
            )
        )
        self.runs.append(Run(work=work, queued_at=self.now, parent=parent))

    def _launch(self) -> None:
        """Start what may start: the most urgent first, one run of a store at a time."""
        for run in sorted((run for run in self.runs if run.begun_at is None), key=lambda run: run.rank):
            busy = {other.work.tags["store"] for other in self._at_work()}
            if not self.is_off and len(busy) < AT_ONCE and run.work.tags["store"] not in busy:
                run.begun_at, run.steps = self.now, self.worker.run(run.work)
                self._tell(run, STARTED)
                self._step(run)

    def _step(self, run: Run) -> None:
        """The run goes on until its next pause, or to its end."""
        if run.steps is None:
            return  # the machine was switched off meanwhile
        try:
            pause = next(run.steps)
        except StopIteration as end:
            self._end(run, end.value)
        except StepFailed as failure:
            self._end(run, str(failure))
        except Killed as death:
            self._vanish(run, death.reached)
            self.agenda.after(MISSED_AFTER, self._miss)
        else:
            self.agenda.after(pause, lambda: self._step(run))

    def _end(self, run: Run, ending: str) -> None:
        run.steps, run.ended_at, run.ending = None, self.now, ending
        if ending in WELL:
            self._tell(run, SUCCEEDED)
            if run.purpose is Purpose.CATCH_UP:
                self.agenda.after(TICK, lambda: self.tick(run.work.store.crm, Purpose.CATCH_UP))
        else:
            self._tell(run, FAILED, RunFailureReason.STEP_FAILURE)
            self._look_again(run)
        self._launch()

    def _vanish(self, run: Run, reached: Step) -> None:
        run.steps, run.ending = None, "killed"
        self._vanished.append((run, reached))

    def _miss(self) -> None:
        """The run monitoring finds that processes are gone; Dagster retries their runs from the step that was not done."""
        if self.is_off:
            return
        vanished, self._vanished = self._vanished, []
        for run, reached in vanished:
            run.ended_at = self.now
            self._tell(run, FAILED, RunFailureReason.UNKNOWN)
            told = self.instance.get_run_by_id(run.work.run_id)
            kept = told.tags if told else {}
            if kept.get(WILL_RETRY_TAG) == "true":
                tags = {name: tag for name, tag in kept.items() if name not in TAGS_TO_MAYBE_OMIT_ON_RETRY}
                self._queue(replace(run.work, run_id=make_new_run_id(), tags=tags, begins_at=reached), run.work.run_id)
            else:
                self._look_again(run)
        self._launch()

    def _look_again(self, run: Run) -> None:
        """The sensors tick twice a minute; here they do when there may be something to see, such as the end of a pause."""
        work, since = run.work, wanted_since(run.work.tags) or self.now
        key = work.tags[WANT_TAG]
        failures = sum(each.failed and each.work.tags[WANT_TAG] == key for each in self.runs)
        want = Want(store=work.store, report=work.report, window=work.window, purpose=run.purpose, since=since)
        self.agenda.after(pause_after(want, failures) + TICK / 2, lambda: self.tick(work.store.crm, run.purpose))

    def _at_work(self) -> Sequence[Run]:
        return [run for run in self.runs if run.steps is not None]

    def _tell(self, run: Run, kind: dg.DagsterEventType, reason: RunFailureReason | None = None) -> None:
        """An event of the run in Dagster's log, at the simulated moment; status and times of the run follow from it."""
        event = dg.DagsterEvent(
            event_type_value=kind.value,
            job_name=JOB,
            event_specific_data=JobFailureData(error=None, failure_reason=reason) if reason else None,
        )
        self.instance.report_dagster_event(event, run.work.run_id, timestamp=self.now.timestamp())
