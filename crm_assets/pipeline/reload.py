"""Loading without a portal: workbooks that a person exported, and staged rows read anew.

The same proof, the same books, the same ledger as after a download, in this process and without a Dagster run; Dagster is told
which partitions are current. What a person may choose belongs to ``cli/``.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import dagster as dg

from crm_assets import proof
from crm_assets.errors import BadReport, CrmError
from crm_assets.model import Report, Store, Window
from crm_assets.pipeline import books
from crm_assets.pipeline.checks import OF_FACTS, OF_STAGING, evaluations
from crm_assets.pipeline.examine import typed_export
from crm_assets.pipeline.given import GivenFile, booked, load
from crm_assets.pipeline.instance import keep_connected, open_instance
from crm_assets.pipeline.partitions import key_of
from crm_assets.settings import Settings
from crm_assets.warehouse import rejects, staging
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.facts import Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """What loading takes: the settings, an open warehouse, and the Dagster instance that is told."""

    settings: Settings
    conn: Connection
    instance: dg.DagsterInstance


@contextmanager
def loading(settings: Settings, url: str) -> Iterator[Loading]:
    """Everything open until the block ends; the database must be up to date."""
    with connect(url) as conn, open_instance(settings) as instance:
        keep_connected(instance)
        yield Loading(settings=settings, conn=conn, instance=instance)


ASSET_JOB = "__ASSET_JOB"  # under which Dagster lists the runs of assets


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """What became of one store's staged days when they were read anew."""

    store: Store
    days: tuple[date, ...]
    counts: Counts
    rejected: int
    error: CrmError | None = None


def ingest(at: Loading, given: GivenFile, *, accept_shrink: bool) -> str:
    """Prove and load one workbook; the file stays where it is. Returns the run's id, by which the ledger tells its outcome."""
    run_id, settings, conn, report = str(uuid.uuid4()), at.settings, at.conn, given.report
    file = booked(conn, given, run_id)
    guard = books.Guard.of(settings, accepts=accept_shrink)
    try:
        staged = load(conn, settings, report, file, guard, run_id)
    except BadReport as error:
        books.refuse(conn, report, file, file.days, error, run_id, set_aside=False)
        return run_id
    told = _Told(report=report, store=file.store, days=staged.days, run_id=run_id, command="ingest")
    _tell_dagster(at, told, of=(report.raw_asset, report.staging_table, report.fact_table))
    return run_id


def rebuild(at: Loading, report: Report, store: Store, window: Window) -> Reloaded:
    """Read every staged row of these days anew and bring the facts in line: what is equal is left untouched."""
    days = staging.staged_days(at.conn, report, store.code, window)
    return _read_anew(at, report, store, days, told_as="rebuild")


def replay(at: Loading, report: Report, store: Store, rows: Sequence[rejects.KeptReject]) -> Reloaded:
    """Read the days of these rejected rows anew: a row that a mended rule or alias lets pass becomes a fact."""
    days = sorted({row.business_day for row in rows if row.business_day})
    return _read_anew(at, report, store, days, told_as="replay")


def _read_anew(at: Loading, report: Report, store: Store, days: Sequence[date], *, told_as: str) -> Reloaded:
    """Each export of the days in the order in which they were made; the first refused one ends it."""
    counts, rejected, error, run_id = Counts(), 0, None, str(uuid.uuid4())
    loaded = list[date]()
    try:
        for export in staging.read_slices(at.conn, report, store.code, days):
            typed = typed_export(report, export)
            proof.refuse_bad_rows(typed.typed, report, str(store), limit=at.settings.env.max_reject_share)
            counts += books.load_export(at.conn, report, typed, run_id)
            rejected += len(typed.typed.rejects)
            loaded += export.days
    except BadReport as refused:
        error = refused
    if loaded:
        told = _Told(report=report, store=store.code, days=sorted(loaded), run_id=run_id, command=told_as)
        _tell_dagster(at, told, of=(report.fact_table,))
    return Reloaded(store=store, days=tuple(days), counts=counts, rejected=rejected, error=error)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What is told to Dagster of a command that loaded a store's days."""

    report: Report
    store: str
    days: Sequence[date]
    run_id: str
    command: str


def _tell_dagster(at: Loading, told: _Told, *, of: Iterable[str]) -> None:
    """Mark the partitions of these assets as current, and answer their checks, as of a run that shows among the others."""
    keys = [str(key_of(told.store, day)) for day in told.days]
    checks = {told.report.staging_table: OF_STAGING, told.report.fact_table: OF_FACTS}
    tags = {"launched_by": f"crm_download {told.command}", "store": told.store}
    at.instance.add_run(dg.DagsterRun(job_name=ASSET_JOB, run_id=told.run_id, tags=tags))
    at.instance.report_dagster_event(_event(dg.DagsterEventType.RUN_START), run_id=told.run_id)
    for asset in of:
        for key in keys:
            at.instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=key))
        for check in checks.get(asset, ()):
            for one in evaluations(at.conn, told.report, asset, check, keys):
                # With a run: Dagster keeps a check of a partition without one once only, and fails the second time.
                checked = _event(dg.DagsterEventType.ASSET_CHECK_EVALUATION, one)
                at.instance.report_dagster_event(checked, run_id=told.run_id)
    at.instance.report_dagster_event(_event(dg.DagsterEventType.RUN_SUCCESS), run_id=told.run_id)


def _event(kind: dg.DagsterEventType, told: dg.AssetCheckEvaluation | None = None) -> dg.DagsterEvent:
    return dg.DagsterEvent(event_type_value=kind.value, job_name=ASSET_JOB, event_specific_data=told)
