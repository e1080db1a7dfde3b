"""The assets: for each report the raw xlsx, its staging table and its fact table, per store and date.

Bodies hold no rules: they name what to do, for which partitions, and hand over. No ``from __future__ import annotations`` here:
Dagster resolves the annotations at run time.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import dagster as dg

from crm_assets.errors import CrmError, in_full
from crm_assets.pipeline.backfills import wanted_beside
from crm_assets.pipeline.catalogue import of_facts, of_staging, of_workbook
from crm_assets.pipeline.examine import prove_all, typed_export
from crm_assets.pipeline.partitions import BACKFILL_DAYS, partitions_of, refuse_mixed_range
from crm_assets.pipeline.reports import Source
from crm_assets.pipeline.resources import PlaywrightResource
from crm_assets.pipeline.results import Landed, Proven, Typed, sentence_of
from crm_assets.settings import load_settings
from crm_assets.threads import in_a_thread
from crm_assets.warehouse.landed import LandedFile
from crm_assets.warehouse.staging import StagedExport

IO_MANAGER = "io_manager"
OWNERS = ["team:data"]


class ExportConfig(dg.Config):
    """What a person may choose for one run; left out, the settings decide."""

    keep_file: bool | None = None
    headless: bool | None = None
    trace: bool = False


class ProofConfig(dg.Config):
    """What a person may say of the files of one run: that the rows they lack are rightly gone."""

    accept_shrink: bool = False


def report_assets(source: Source) -> list[dg.AssetsDefinition]:
    """Raw xlsx, staging and facts of one report."""
    return [_raw(source), _staging(source), _facts(source)]


def _raw(source: Source) -> dg.AssetsDefinition:
    report = source.report

    @dg.asset(
        name=report.raw_asset,
        kinds={"playwright", "excel"},
        description=f"{report.description}: the {source.crm.title} workbook as the portal hands it over, one export per store "
        "and contiguous range of days.",
        output_required=False,
        metadata=of_workbook(source),
        **_shared(source),
    )
    def raw(
        context: dg.AssetExecutionContext, config: ExportConfig, playwright: PlaywrightResource
    ) -> Iterator[dg.Output[Landed]]:
        refuse_mixed_range(context.run.tags)
        in_a_thread(lambda: import_module("pandas"))  # half a second, which staging need not wait for after the portal
        try:
            landed = playwright.download(
                report,
                context.partition_keys,
                run_id=context.run.run_id,
                tags=context.run.tags,
                beside=wanted_beside(context.instance, context.run, context.asset_key),
                keep_file=config.keep_file,
                headless=config.headless,
                trace=config.trace,
            )
        except CrmError as error:
            raise dg.Failure(in_full(error), allow_retries=False) from error
        for one in landed.skipped:
            context.log.warning(sentence_of(one))
        if landed.downloads or landed.lying or landed.failed:
            yield dg.Output(landed)  # without one, no partition is marked, and staging and facts are skipped

    return raw


def _staging(source: Source) -> dg.AssetsDefinition:
    report = source.report

    @dg.asset(
        name=report.staging_table,
        kinds={"postgres"},
        ins={"files": dg.AssetIn(report.raw_asset)},
        description=f"{report.description}: every row as {source.crm.title} wrote it, as text, once the file was proven to be "
        "the right, whole report. Outlives the file.",
        metadata=of_staging(source),
        **_shared(source),
    )
    def staging(context: dg.AssetExecutionContext, config: ProofConfig, files: list[LandedFile]) -> Proven:
        refuse_mixed_range(context.run.tags)
        return prove_all(load_settings(), report, files, accept_shrink=config.accept_shrink)

    return staging


def _facts(source: Source) -> dg.AssetsDefinition:
    report = source.report

    @dg.asset(
        name=report.fact_table,
        kinds={"postgres"},
        ins={"exports": dg.AssetIn(report.staging_table)},
        description=f"{report.description}: typed, one row per store and {report.key}. Its changes: {report.history_table}.",
        metadata=of_facts(source),
        **_shared(source),
    )
    def facts(context: dg.AssetExecutionContext, exports: list[StagedExport]) -> Typed:
        refuse_mixed_range(context.run.tags)
        return Typed(report=report, exports=tuple(typed_export(report, export) for export in exports))

    return facts


def _shared(source: Source) -> dict[str, Any]:
    """What the three assets of a report have in common; the same policy lets them share one run."""
    return {
        "partitions_def": partitions_of(source.crm),
        "backfill_policy": dg.BackfillPolicy.multi_run(max_partitions_per_run=BACKFILL_DAYS),
        "group_name": source.crm.title.lower(),
        "owners": OWNERS,
        "io_manager_key": IO_MANAGER,
        "tags": {"crm": source.crm_code, "report": source.report.name},
    }
