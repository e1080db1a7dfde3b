"""Asset checks: what the warehouse says of each store-day, shown beside the asset, partition by partition.

The questions are ``warehouse/verdicts.py``'s. A run over a range of days tells each of them by itself: Dagster's own check result
knows no partition there (dagster-io/dagster#17005). No ``from __future__ import annotations`` here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg

from crm_assets.model import Report
from crm_assets.pipeline.instance import keep_connected
from crm_assets.pipeline.partitions import RANGE_START, days_by_store, key_of, partitions_of
from crm_assets.pipeline.reports import Source
from crm_assets.pipeline.resources import Warehouse
from crm_assets.warehouse import verdicts
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.verdicts import Question, Verdict

SHOWN = 20
ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question about a table, and how grave a no is."""

    question: Question
    severity: dg.AssetCheckSeverity

    @property
    def name(self) -> str:
        return self.question.__name__

    @property
    def description(self) -> str:
        return " ".join((self.question.__doc__ or "").split())


OF_STAGING = (
    Check(question=verdicts.keys_are_unique, severity=ERROR),
    Check(question=verdicts.columns_are_as_before, severity=WARN),
)
OF_FACTS = (
    Check(question=verdicts.rows_are_accounted_for, severity=ERROR),
    Check(question=verdicts.sums_are_the_portals, severity=ERROR),
    Check(question=verdicts.no_rejects_are_open, severity=WARN),
    Check(question=verdicts.nothing_vanished, severity=WARN),
)


def report_checks(source: Source) -> list[dg.AssetChecksDefinition]:
    """The checks of a report's staging and fact tables."""
    report = source.report
    return [
        _checks(source, report.staging_table, OF_STAGING),
        _checks(source, report.fact_table, OF_FACTS),
    ]


def _checks(source: Source, table: str, checks: tuple[Check, ...]) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name=f"{table}_checks",
        specs=[
            dg.AssetCheckSpec(
                check.name, asset=table, description=check.description, partitions_def=partitions_of(source.crm)
            )
            for check in checks
        ],
    )
    def ask(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> Iterator[dg.AssetCheckResult]:
        keep_connected(context.op_execution_context.instance)
        with warehouse.connect() as conn:
            for check in checks:
                told = list(evaluations(conn, source.report, table, check, context.partition_keys))
                if RANGE_START in context.run.tags:
                    for one in told:
                        context.op_execution_context.log_event(one)  # type: ignore[arg-type]  # it takes evaluations, too
                yield _all_of(table, check, told)

    return ask


def evaluations(
    conn: Connection, report: Report, table: str, check: Check, keys: list[str]
) -> Iterator[dg.AssetCheckEvaluation]:
    """One evaluation for each of these partitions."""
    for store, days in days_by_store(keys).items():
        for verdict in check.question(conn, report, store, days):
            yield _evaluation(table, check, store, verdict)


def _evaluation(table: str, check: Check, store: str, verdict: Verdict) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(table),
        check_name=check.name,
        passed=verdict.passed,
        severity=check.severity,
        metadata=dict(verdict.figures),
        partition=key_of(store, verdict.day),
    )


def _all_of(table: str, check: Check, told: list[dg.AssetCheckEvaluation]) -> dg.AssetCheckResult:
    """The run's own answer: of a single partition its figures, of a range how many did not pass, and the first one's figures."""
    failed = [one for one in told if not one.passed]
    figures = told[0].metadata if len(told) == 1 else _of_many(told, failed)
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(table),
        check_name=check.name,
        passed=not failed,
        severity=check.severity,
        metadata=figures,
    )


def _of_many(told: list[dg.AssetCheckEvaluation], failed: list[dg.AssetCheckEvaluation]) -> dict[str, Any]:
    listed = ", ".join(str(one.partition) for one in failed[:SHOWN])
    return {"partitions": len(told), "not passed": listed or "none", **(failed[0].metadata if failed else {})}
