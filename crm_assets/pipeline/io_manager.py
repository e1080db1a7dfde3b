"""The Postgres IO manager: staging, facts, rejects, audit and the ledger's states.

Writing: one transaction per export for staging and ledger, one for facts, history, rejects, audit and ledger. Reading: an asset
gets the newest landed files, or the staged rows, of its partitions. Rules about rows and files live in the rooms below.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Literal

import dagster as dg

from crm_assets import landing
from crm_assets.errors import BadReport, CrmError, NothingLanded
from crm_assets.logs import say
from crm_assets.model import Report, Window, system_clock
from crm_assets.pipeline.partitions import days_by_store, key_of
from crm_assets.pipeline.reports import report_of_asset
from crm_assets.pipeline.resources import Warehouse
from crm_assets.pipeline.results import Failed, Landed, Proven, ProvenFile, Typed, TypedExport, failure_of
from crm_assets.settings import load_settings
from crm_assets.warehouse import audit, facts, ledger, rejects, staging
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.facts import Counts
from crm_assets.warehouse.overview import count_rows


class PostgresIOManager(dg.ConfigurableIOManager):
    """Hands rows between the assets by way of PostgreSQL, and keeps the books."""

    warehouse: Warehouse

    def handle_output(self, context: dg.OutputContext, obj: Landed | Proven | Typed) -> Iterator[Any]:  # type: ignore[override]
        match obj:
            case Landed():
                context.add_output_metadata(_landed_metadata(obj))
                failed = list(obj.failed)
                done = [(one.store.code, day) for one in obj.downloads for day in one.window.days()]
            case Proven():
                done, failed = self._stage(context, obj)
            case Typed():
                done, failed = self._load(context, obj)
        if failed:
            for store, day in done:
                yield _materialized(context, store, day)
            raise failure_of(failed)

    def load_input(self, context: dg.InputContext) -> list[ledger.LandedFile] | list[staging.StagedExport]:
        """The landed files, or the staged exports, of the partitions at hand. Raises Failure naming the asset to materialize."""
        report = report_of_asset(load_settings(), context.asset_key.path[-1])
        wanted = days_by_store(context.asset_partition_keys)
        try:
            with self.warehouse.connect() as conn:
                if context.asset_key.path[-1] == report.raw_asset:
                    return [file for store, days in wanted.items() for file in _landed_files(conn, report, store, days)]
                return [export for store, days in wanted.items() for export in _staged(conn, report, store, days)]
        except CrmError as error:
            raise dg.Failure(str(error), allow_retries=False) from error

    def _stage(self, context: dg.OutputContext, proven: Proven) -> "_Books":
        """Replace the staged slices of every proven file; note every refused one in the ledger."""
        unknown = sorted({header for one in proven.files for header in one.extra_headers})
        done, failed, rows = list[tuple[str, date]](), list[Failed](), 0
        with self.warehouse.connect() as conn:
            for file, error in proven.refused:
                failed.append(_refuse(conn, proven.report, file, file.days, error, context.run_id))
            for one in proven.files:
                rows += _stage_file(conn, proven.report, one)
                done += [(one.file.store, day) for day in one.file.days]
            total = count_rows(conn, proven.report.staging_table)
        context.add_output_metadata(
            {"dagster/row_count": total, "rows": rows, "unknown columns": ", ".join(unknown) or "none"}
        )
        return done, failed

    def _load(self, context: dg.OutputContext, typed: Typed) -> "_Books":
        """Bring the facts in line with every export, then let its raw file go unless it is kept."""
        done, failed, total = (
            list[tuple[str, date]](),
            list[Failed](),
            Counts(inserted=0, updated=0, unchanged=0, missing=0),
        )
        rejected = 0
        with self.warehouse.connect() as conn:
            for one in typed.exports:
                try:
                    counts = _load_export(conn, typed.report, one, context.run_id)
                except BadReport as error:
                    failed.append(_refuse(conn, typed.report, one.export, one.export.days, error, context.run_id))
                    continue
                total, rejected = _sum(total, counts), rejected + len(one.typed.rejects)
                done += [(one.export.store, day) for day in one.export.days]
                _let_go(conn, one.export)
            rows = count_rows(conn, typed.report.fact_table)
        context.add_output_metadata(
            {
                "dagster/row_count": rows,
                "rows": sum(len(one.typed.rows) for one in typed.exports),
                "inserted": total.inserted,
                "updated": total.updated,
                "unchanged": total.unchanged,
                "missing": total.missing,
                "rejected": rejected,
                "unreadable optional values": sum(one.typed.warnings for one in typed.exports),
            }
        )
        return done, failed


type _Books = tuple[list[tuple[str, date]], list[Failed]]
type _Export = ledger.LandedFile | staging.StagedExport


def _landed_files(conn: Connection, report: Report, store: str, days: Sequence[date]) -> list[ledger.LandedFile]:
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


def _staged(conn: Connection, report: Report, store: str, days: Sequence[date]) -> list[staging.StagedExport]:
    exports = staging.read_slices(conn, report, store, days)
    absent = sorted(set(days) - {day for export in exports for day in export.days})
    if absent:
        raise NothingLanded(
            f"{report.crm}/{store}: expected staged rows for {absent[0]} to {absent[-1]} ({len(absent)} days), found none. "
            f"Materialize {report.staging_table} for these partitions first"
        )
    return exports


def _stage_file(conn: Connection, report: Report, one: ProvenFile) -> int:
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


def _load_export(conn: Connection, report: Report, one: TypedExport, run_id: str) -> Counts:
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


def _refuse(
    conn: Connection, report: Report, export: _Export, days: Sequence[date], error: CrmError, run_id: str
) -> Failed:
    """Write down that an export was not taken; its file stays for whoever looks at it. No row of it counts as parsed."""
    now, store = system_clock(), f"{report.crm}/{export.store}"
    nothing = Counts(inserted=0, updated=0, unchanged=0, missing=0)
    with conn.transaction():
        ledger.record_failure(conn, export.ledger_id, status="failed", code=error.code, message=str(error), now=now)
        audit.record(conn, _audit(report, export, days, nothing, run_id=run_id, times=(now, now), status="failed"))
    say(store, "failed", error)
    return Failed(store=store, window=Window(first=min(days), last=max(days)), error=error)


def _audit(
    report: Report,
    export: _Export,
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


def _keys_of_rejects(found: Sequence[Any], report: Report) -> set[str]:
    """The business keys that are in the export although their rows were rejected: they are not missing."""
    return {str(reject.raw[report.key]) for reject in found if reject.raw.get(report.key)}


def _let_go(conn: Connection, export: staging.StagedExport) -> None:
    """Delete a loaded raw file and say so in the ledger, unless it is kept or gone already."""
    if not export.keep_file and export.file.exists() and landing.md5(export.file) == export.md5:
        landing.discard(export.file)
        ledger.mark_deleted(conn, export.ledger_id, system_clock())


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(
        inserted=one.inserted + other.inserted,
        updated=one.updated + other.updated,
        unchanged=one.unchanged + other.unchanged,
        missing=one.missing + other.missing,
    )


def _materialized(context: dg.OutputContext, store: str, day: date) -> dg.DagsterEvent:
    """The event that marks one partition as done in a step that fails for others."""
    event = dg.AssetMaterialization(asset_key=context.asset_key, partition=key_of(store, day))
    return dg.DagsterEvent.asset_materialization(context.step_context, event)


def _landed_metadata(landed: Landed) -> dict[str, Any]:
    """The files of a run, and their facts."""
    return {
        "files": dg.MetadataValue.table(
            [
                dg.TableRecord(
                    {
                        "store": str(one.store),
                        "window": str(one.window),
                        "file": one.file.name,
                        "bytes": one.bytes,
                        "md5": one.md5,
                        "strategy": one.strategy,
                        "seconds": round(one.seconds, 2),
                    }
                )
                for one in landed.downloads
            ],
            schema=dg.TableSchema(
                [dg.TableColumn(name) for name in ("store", "window", "file")]
                + [
                    dg.TableColumn("bytes", "int"),
                    dg.TableColumn("md5"),
                    dg.TableColumn("strategy"),
                    dg.TableColumn("seconds", "float"),
                ]
            ),
        ),
        "size": dg.MetadataValue.int(sum(one.bytes for one in landed.downloads)),
    }
