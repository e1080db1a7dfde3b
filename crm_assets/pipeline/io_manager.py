"""The Postgres IO manager: staging, facts, rejects, audit and the ledger's states.

An asset gets the newest landed files, or the staged rows, of its partitions; what it hands over is committed export by export
(``books.py``), and told to Dagster partition by partition.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from crm_assets.errors import BadReport, CrmError, in_full
from crm_assets.pipeline import books, shown
from crm_assets.pipeline.partitions import days_by_store
from crm_assets.pipeline.reports import report_of_asset
from crm_assets.pipeline.resources import Warehouse
from crm_assets.pipeline.results import Failed, Landed, Proven, Typed, TypedExport, failure_of
from crm_assets.proof import refuse_bad_rows
from crm_assets.settings import load_settings
from crm_assets.warehouse import staging
from crm_assets.warehouse.facts import Counts
from crm_assets.warehouse.landed import LandedFile
from crm_assets.warehouse.overview import count_rows

type _Done = tuple[shown.Shown, list[Failed]]
"""What there is to tell of each partition that is done, and what failed beside them."""


class PostgresIOManager(dg.ConfigurableIOManager):
    """Hands rows between the assets by way of PostgreSQL, and keeps the books."""

    warehouse: Warehouse

    def handle_output(self, context: dg.OutputContext, obj: Landed | Proven | Typed) -> Iterator[Any]:  # type: ignore[override]
        match obj:
            case Landed():
                done, failed = self._land(context, obj)
            case Proven():
                done, failed = self._stage(context, obj)
            case Typed():
                done, failed = self._load(context, obj)
        own = sorted(done.keys() & set(context.asset_partition_keys))  # a file may hold days that the run is not for
        if failed:
            for key in own:
                yield _materialized(context, key, done[key])
            raise failure_of(failed)
        for key in own:
            context.step_context.add_asset_metadata(done[key], asset_key=context.asset_key, partition_key=key)

    def load_input(self, context: dg.InputContext) -> list[LandedFile] | list[staging.StagedExport]:
        """The landed files, or the staged exports, of the partitions at hand. Raises Failure naming the asset to materialize."""
        report = report_of_asset(load_settings(), context.asset_key.path[-1])
        wanted = days_by_store(context.asset_partition_keys)
        try:
            with self.warehouse.connect() as conn:
                if context.asset_key.path[-1] == report.raw_asset:
                    return [
                        file for store, days in wanted.items() for file in books.landed_files(conn, report, store, days)
                    ]
                return [
                    export
                    for store, days in wanted.items()
                    for export in books.staged_exports(conn, report, store, days)
                ]
        except CrmError as error:
            raise dg.Failure(in_full(error), allow_retries=False) from error

    def _land(self, context: dg.OutputContext, landed: Landed) -> _Done:
        """The files are there and in the ledger. Beside what landed, a skipped store's partitions must not be marked."""
        context.add_output_metadata(_landed_metadata(landed))
        return shown.of_landed(landed), [*landed.failed, *landed.skipped]

    def _stage(self, context: dg.OutputContext, proven: Proven) -> _Done:
        """Replace the staged slices of every proven file; note every refused one in the ledger."""
        report, unknown = proven.report, sorted({header for one in proven.files for header in one.table.extra_headers})
        guard = books.Guard.of(load_settings(), accepts=proven.accept_shrink)
        done, rows, refused, unchanged = dict[str, dict[str, Any]](), 0, list(proven.refused), 0
        with self.warehouse.connect() as conn:
            for one in proven.files:
                try:
                    staged = books.stage_file(conn, report, one, guard, context.run_id)
                except BadReport as error:
                    refused.append((one.file, error))
                    continue
                rows, unchanged = rows + staged.rows, unchanged + staged.unchanged
                done |= shown.of_staged(one)
                if staged.unchanged:
                    books.let_go(conn, one.file)
            failed = [books.refuse(conn, report, file, file.days, error, context.run_id) for file, error in refused]
            total = count_rows(conn, report.staging_table)
        context.add_output_metadata(
            {
                "dagster/row_count": total,
                "rows": rows,
                "unchanged files": unchanged,
                "unknown columns": ", ".join(unknown) or "none",
            }
        )
        return done, failed

    def _load(self, context: dg.OutputContext, typed: Typed) -> _Done:
        """Bring the facts in line with every export, then let its raw file go unless it is kept.

        An export whose content this run found to be loaded already is passed over.
        """
        loaded, failed = list[TypedExport](), list[Failed]()
        total, limit = Counts(), load_settings().env.max_reject_share
        with self.warehouse.connect() as conn:
            for one in typed.exports:
                store = f"{typed.report.crm}/{one.export.store}"
                try:
                    if one.export.confirmed_by_run != context.run_id:
                        refuse_bad_rows(one.typed, typed.report, store, limit=limit)
                        total += books.load_export(conn, typed.report, one, context.run_id)
                        books.let_go(conn, one.export)
                except BadReport as error:
                    failed.append(books.refuse(conn, typed.report, one.export, one.export.days, error, context.run_id))
                    continue
                loaded.append(one)
            done = shown.of_loaded(conn, typed.report, loaded)
            rows = count_rows(conn, typed.report.fact_table)
        context.add_output_metadata(
            {
                "dagster/row_count": rows,
                "run: rows": sum(len(one.typed.rows) for one in loaded),
                "run: inserted": total.inserted,
                "run: updated": total.updated,
                "run: unchanged": total.unchanged,
                "run: missing": total.missing,
                "run: rejected": sum(len(one.typed.rejects) for one in loaded),
                "run: warnings": sum(one.typed.warnings for one in loaded),
                **shown.sum_of(done),
            }
        )
        return done, failed


def _materialized(context: dg.OutputContext, key: str, metadata: Mapping[str, Any]) -> dg.DagsterEvent:
    """The event that marks one partition as done in a step that fails for others."""
    event = dg.AssetMaterialization(asset_key=context.asset_key, partition=key, metadata=metadata)
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
                        "blocked requests": one.blocked_requests,
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
                    dg.TableColumn("blocked requests", "int"),
                ]
            ),
        ),
        "size": dg.MetadataValue.int(sum(one.bytes for one in landed.downloads)),
    }
