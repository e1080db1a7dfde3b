"""The books: what belongs together in one transaction when an export becomes staging, then facts.

Staging and the ledger's state in one; facts, history, rejects, audit and the ledger's end in another. Which exports, and what
Dagster shows of them, belongs to ``io_manager.py``.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from crm_assets import landing
from crm_assets.errors import CrmError, NothingLanded
from crm_assets.logs import say
from crm_assets.model import Reject, Report, Window, system_clock
from crm_assets.pipeline.results import Failed, ProvenFile, TypedExport
from crm_assets.warehouse import audit, facts, ledger, rejects, staging
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.facts import Counts

type Export = ledger.LandedFile | staging.StagedExport


def landed_files(conn: Connection, report: Report, store: str, days: Sequence[date]) -> list[ledger.LandedFile]:
    """The newest landed file of every day. Raises NothingLanded, naming the asset to materialize, when one is not there."""
    files = ledger.landed(conn, report, store, days)
    found = {day for file in files for day in file.days}
    absent = [day for day in days if day not in found] + [
        day for file in files if not file.file.exists() for day in file.days
    ]
    if absent:
        deleted = set(ledger.deleted_days(conn, report, store, absent))
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


def stage_file(conn: Connection, report: Report, one: ProvenFile) -> int:
    """Replace the slices of one file's days, in one transaction with its ledger state; returns the staged rows."""
    rows = one.rows[one.rows["business_day"].isin(one.file.days)]
    with conn.transaction():
        staging.replace_slices(
            conn,
            report,
            store=one.file.store,
            ledger_id=one.file.ledger_id,
            days=one.file.days,
            rows=rows,
            now=system_clock(),
        )
        ledger.record_staged(conn, one.file.ledger_id, content_md5=one.content_md5, row_count=one.row_count)
    return len(rows)


def load_export(conn: Connection, report: Report, one: TypedExport, run_id: str) -> Counts:
    """Facts, history, rejects, audit and the ledger's end state of one export, in one transaction."""
    export, typed = one.export, one.typed
    slices: dict[str, Any] = {"store": export.store, "days": export.days, "ledger_id": export.ledger_id}
    with conn.transaction():
        now = system_clock()
        counts = facts.upsert(
            conn, report, **slices, rows=typed.rows, now=now, also_present=_keys_of_rejects(typed.rejects, report)
        )
        rejects.replace(conn, report, **slices, rejects=typed.rejects, now=now)
        ledger.record_ingested(conn, export.ledger_id, now)
        audit.record(
            conn,
            _audit(
                report,
                export,
                export.days,
                counts,
                run_id=run_id,
                times=(one.started_at, system_clock()),
                status="ok" if len(export.rows) else "empty",
                rejected=len(typed.rejects),
            ),
        )
    summary = f"{counts.inserted} new, {counts.updated} changed, {len(typed.rejects)} rejected"
    say(f"{report.crm}/{export.store}", "loaded", summary)
    return counts


def refuse(
    conn: Connection, report: Report, export: Export, days: Sequence[date], error: CrmError, run_id: str
) -> Failed:
    """Write down that an export was not taken; its file stays for whoever looks at it. No row of it counts as parsed."""
    now, store = system_clock(), f"{report.crm}/{export.store}"
    with conn.transaction():
        ledger.record_failure(conn, export.ledger_id, status="failed", error=error, now=now)
        audit.record(conn, _audit(report, export, days, Counts(), run_id=run_id, times=(now, now), status="failed"))
    say(store, "failed", error)
    return Failed(store=store, window=Window(first=min(days), last=max(days)), error=error)


def _audit(
    report: Report,
    export: Export,
    days: Sequence[date],
    counts: Counts,
    *,
    run_id: str,
    times: tuple[datetime, datetime],
    status: Literal["ok", "empty", "failed"],
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
    return {str(reject.raw[report.key]) for reject in found if reject.raw.get(report.key)}


def let_go(conn: Connection, export: staging.StagedExport) -> None:
    """Delete a loaded raw file and say so in the ledger, unless it is kept or gone already."""
    if not export.keep_file and export.file.exists() and landing.md5(export.file) == export.md5:
        landing.discard(export.file)
        ledger.mark_deleted(conn, export.ledger_id, system_clock())
