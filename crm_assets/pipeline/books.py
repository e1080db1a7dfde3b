"""The books: what belongs together in one transaction when an export becomes staging, then facts.

Staging and the ledger's state in one; facts, history, rejects, audit and the ledger's end in another. Which exports, and what
Dagster shows of them, belongs to ``io_manager.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from crm_assets import landing
from crm_assets.errors import CrmError, NothingLanded, OlderExport, ShrunkReport, WrongStore
from crm_assets.logs import say
from crm_assets.model import Clock, Reject, Report, Window, system_clock
from crm_assets.pipeline.results import Failed, ProvenFile, TypedExport
from crm_assets.proof import refuse_bad_rows
from crm_assets.rows import read_rows, read_value
from crm_assets.settings import Settings
from crm_assets.warehouse import audit, facts, landed, ledger, rejects, staging
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.facts import Counts
from crm_assets.warehouse.staging import SameContent

if TYPE_CHECKING:
    import pandas as pd

type Export = landed.LandedFile | staging.StagedExport

A_FEW_LOST = 3  # so many rows may vanish from a day, whatever their share: a day may have four
A_FEW_TWINS = 3  # so many rows may share number and time with another store's by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """``rejected_share``: which share of a file's rows may break a rule; ``lost_share``: which share of a day's loaded rows it
    may lack, unless a person ``accepts`` it. Both from 0 to 1.
    """

    rejected_share: float
    lost_share: float
    accepts: bool = False

    @classmethod
    def of(cls, settings: Settings, *, accepts: bool = False) -> "Guard":
        """As the installation sets it."""
        env = settings.env
        return cls(rejected_share=env.max_reject_share, lost_share=env.max_lost_share, accepts=accepts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """``days`` that now stand as this file has them; ``rows`` that were written for it: none when it is ``unchanged``."""

    days: tuple[date, ...]
    rows: int
    unchanged: bool = False


def landed_files(conn: Connection, report: Report, store: str, days: Sequence[date]) -> list[landed.LandedFile]:
    """The newest landed file of every day. Raises NothingLanded, naming the asset to materialize, when one is not there."""
    files = landed.landed(conn, report, store, days)
    found = {day for file in files for day in file.days}
    absent = [day for day in days if day not in found] + [
        day for file in files if not file.file.exists() for day in file.days
    ]
    if absent:
        deleted = set(landed.deleted_days(conn, report, store, absent))
        why = "its file was deleted after it was loaded" if deleted.issuperset(absent) else "no file has landed"
        raise NothingLanded(
            f"{report.crm}/{store}: expected a landed file for {min(absent)} to {max(absent)} ({len(absent)} days), but {why}. "
            f"Materialize {report.raw_asset} for these partitions first"
        )
    return files


def staged_exports(conn: Connection, report: Report, store: str, days: Sequence[date]) -> list[staging.StagedExport]:
    """The staged rows of every day. Raises NothingLanded, naming the asset to materialize, when a day was never staged."""
    exports = staging.read_slices(conn, report, store, days)
    absent = sorted(set(days) - {day for export in exports for day in export.days})
    if absent:
        raise NothingLanded(
            f"{report.crm}/{store}: expected staged rows for {absent[0]} to {absent[-1]} ({len(absent)} days), found none. "
            f"Materialize {report.staging_table} for these partitions first"
        )
    return exports


def stage_file(
    conn: Connection, report: Report, one: ProvenFile, guard: Guard, run_id: str, *, clock: Clock = system_clock
) -> Staged:
    """Replace the slices of one file's days, in one transaction with its ledger state.

    A file with the content that stands there already is noted as such, and nothing is loaded: its rows were read and compared
    when they were loaded. Raises OlderExport when newer exports stand there for every day, DuplicateKeys or TooManyRejects for
    bad rows, WrongStore when they are another store's, ShrunkReport when too many loaded rows are not in the file.
    """
    file, table = one.file, one.table
    with conn.transaction():
        facts.one_load(conn, report, file.store)
        newer = staging.newer_days(conn, report, file.store, file.ledger_id, file.days)
        if len(newer) == len(file.days):
            raise OlderExport(
                f"{report.crm}/{file.store}: expected an export newer than what is loaded, found one from before it, for all of "
                f"{file.window}. Nothing was loaded"
            )
        same = staging.same_content(conn, report, file.store, file.ledger_id, file.days, table.content_md5)
        if same:  # another store's rows may have come since
            _refuse_another_stores(conn, report, file.store, _keys_and_times(report, one.rows))
        else:
            typed = read_rows(one.rows, report)
            refuse_bad_rows(typed, report, f"{report.crm}/{file.store}", limit=guard.rejected_share)
            own = zip(typed.rows[report.key], typed.rows[report.day], strict=True)
            _refuse_another_stores(conn, report, file.store, list(own))
            _refuse_shrunk(conn, report, one, sorted(set(file.days) - set(newer)), guard)
        ledger.record_staged(
            conn,
            file.ledger_id,
            content_md5=table.content_md5,
            row_count=len(table.rows),
            headers=table.headers,
            claims=table.claims,
            shrink_accepted=guard.accepts,
        )
        if same:
            return _note_unchanged(conn, report, file, same, run_id, clock())
        rows = one.rows[one.rows["business_day"].isin(file.days)]
        slices: dict[str, Any] = {"store": file.store, "ledger_id": file.ledger_id, "days": file.days}
        days = staging.replace_slices(conn, report, **slices, rows=rows, now=clock())
    return Staged(days=days, rows=int(rows["business_day"].isin(days).sum()))


def _keys_and_times(report: Report, texts: "pd.DataFrame") -> list[tuple[Any, Any]]:
    """What tells whose rows these are, typed; without those that cannot be read."""
    key, day = report.column(report.key), report.column(report.day)
    read = zip(texts[key.name], texts[day.name], strict=True)
    return [
        pair for pair in ((read_value(one, key), read_value(other, day)) for one, other in read) if None not in pair
    ]


def _refuse_another_stores(conn: Connection, report: Report, store: str, rows: Sequence[tuple[Any, Any]]) -> None:
    """Where no column names the store, its rows do: the same keys at the same times are another store's report."""
    keys, times = [key for key, _ in rows], [time for _, time in rows]
    twins = facts.twins_in_other_stores(conn, report, store=store, keys=keys, times=times)
    for other, count in twins.items():
        if count > A_FEW_TWINS and count > len(rows) / 2:
            raise WrongStore(
                f"{report.crm}/{store}: expected rows of its own, found {count} of {len(rows)} rows "
                f"that are loaded for {report.crm}/{other}. Nothing was loaded"
            )


def _refuse_shrunk(conn: Connection, report: Report, one: ProvenFile, days: Sequence[date], guard: Guard) -> None:
    """Compare the loaded rows with the file's keys, for each day and for all of them together."""
    if guard.accepts:
        return
    store = one.file.store
    keys = {str(text).strip() for text in one.rows[report.key].dropna()}
    by_day = facts.present_and_lacking(conn, report, store=store, days=days, keys=keys)
    total = sum(present for present, _ in by_day.values()), sum(lacking for _, lacking in by_day.values())
    for when, (present, lacking) in [*by_day.items(), (one.file.window, total)]:
        if lacking > A_FEW_LOST and lacking > guard.lost_share * present:
            raise ShrunkReport(
                f"{report.crm}/{store}: expected the {present} rows that are loaded for {when}, found {lacking} of them gone. "
                "Nothing was loaded. Look at the kept file; if the portal is right, run it again with --accept-shrink "
                f"(accept_shrink in the run config of {report.staging_table})"
            )


def _note_unchanged(
    conn: Connection, report: Report, file: landed.LandedFile, same: SameContent, run_id: str, now: datetime
) -> Staged:
    """Nothing to load: the manifest, the ledger and the audit say so."""
    staging.confirm(conn, report, file.store, file.days, file.ledger_id, now)
    staging.mark_final(conn, report, file.store, file.days, file.ledger_id, now)
    ledger.record_unchanged(conn, file.ledger_id, now)
    counts = Counts(unchanged=same.rows - same.rejected)
    told: dict[str, Any] = {"run_id": run_id, "times": (now, now), "status": "unchanged", "rejected": same.rejected}
    audit.record(conn, _audit(report, file, file.days, counts, **told))
    say(f"{report.crm}/{file.store}", "loaded", f"nothing: the content is that of export {same.ledger_id}")
    return Staged(days=file.days, rows=0, unchanged=True)


def load_export(
    conn: Connection, report: Report, one: TypedExport, run_id: str, *, clock: Clock = system_clock
) -> Counts:
    """Facts, history, rejects, audit and the ledger's end state of one export, in one transaction.

    Days for which a newer export was staged meanwhile are left to it. Raises OlderExport when that is all of them.
    """
    export = one.export
    with conn.transaction():
        facts.one_load(conn, report, export.store)
        current = staging.days_of_export(conn, report, export.store, export.ledger_id)
        days = tuple(day for day in export.days if day in current)
        if not days:
            raise OlderExport(
                f"{report.crm}/{export.store}: a newer export was staged meanwhile, and is loaded instead"
            )
        rows = one.typed.rows[one.typed.rows["business_day"].isin(days)]
        rejected = [reject for reject in one.typed.rejects if reject.day in days]
        slices: dict[str, Any] = {"store": export.store, "days": days, "ledger_id": export.ledger_id}
        now = clock()
        counts = facts.upsert(
            conn, report, **slices, rows=rows, now=now, also_present=_keys_of_rejects(rejected, report)
        )
        rejects.replace(conn, report, **slices, rejects=rejected, now=now)
        ledger.record_ingested(conn, export.ledger_id, now)
        staging.mark_final(conn, report, export.store, days, export.ledger_id, now)
        told: dict[str, Any] = {"run_id": run_id, "times": (one.started_at, clock()), "rejected": len(rejected)}
        audit.record(conn, _audit(report, export, days, counts, status="ok" if len(export.rows) else "empty", **told))
    summary = f"{counts.inserted} new, {counts.updated} changed, {len(rejected)} rejected"
    say(f"{report.crm}/{export.store}", "loaded", summary)
    return counts


def refuse(
    conn: Connection,
    report: Report,
    export: Export,
    days: Sequence[date],
    error: CrmError,
    run_id: str,
    *,
    set_aside: bool = True,
    clock: Clock = system_clock,
) -> Failed:
    """Write down that an export was not taken, and set its file aside for whoever looks at it. No row of it counts as parsed."""
    now, store = clock(), f"{report.crm}/{export.store}"
    kept = _set_aside(export, now) if set_aside else None
    if kept:
        error = type(error)(f"{error}. The file is kept as {kept}")
    with conn.transaction():
        ledger.record_failure(conn, export.ledger_id, status="failed", error=error, now=now)
        if kept:
            ledger.move_file(conn, export.ledger_id, kept)
        audit.record(conn, _audit(report, export, days, Counts(), run_id=run_id, times=(now, now), status="failed"))
    if kept:
        landing.discard(export.file)
    say(store, "failed", error)
    return Failed(store=store, window=Window(first=min(days), last=max(days)), error=error)


def _set_aside(export: Export, now: datetime) -> Path | None:
    """Copy the refused file out of the way of the next export; None when it is gone, or not the one that was downloaded."""
    if not export.file.exists() or landing.md5(export.file) != export.md5:
        return None
    return landing.set_aside(export.file, export.file.parent, export.file.name, now)


def _audit(
    report: Report,
    export: Export,
    days: Sequence[date],
    counts: Counts,
    *,
    run_id: str,
    times: tuple[datetime, datetime],
    status: Literal["ok", "empty", "unchanged", "failed"],
    rejected: int = 0,
) -> audit.Audit:
    return audit.Audit(
        run_id=run_id,
        crm=report.crm,
        store=export.store,
        report=report.name,
        from_date=min(days),
        to_date=max(days),
        parsed_rows=counts.inserted + counts.updated + counts.unchanged + rejected,
        inserted_rows=counts.inserted,
        updated_rows=counts.updated,
        unchanged_rows=counts.unchanged,
        rejected_rows=rejected,
        missing_rows=counts.missing,
        md5=export.md5,
        started_at=times[0],
        finished_at=times[1],
        status=status,
        ledger_id=export.ledger_id,
    )


def _keys_of_rejects(found: Sequence[Reject], report: Report) -> set[str]:
    """The business keys that are in the export although their rows were rejected: they are not missing."""
    return {str(reject.raw[report.key]).strip() for reject in found if reject.raw.get(report.key)}


def let_go(conn: Connection, export: Export, *, clock: Clock = system_clock) -> None:
    """Delete a loaded raw file and say so in the ledger, unless it is kept, or a later export of the same bytes waits under its
    name; say so too when a killed run had deleted it.
    """
    if export.keep_file or landed.is_awaited(conn, export.file, export.ledger_id):
        return
    if export.file.exists() and landing.md5(export.file) == export.md5:
        landing.discard(export.file)
    ledger.mark_deleted(conn, export.ledger_id, clock())
