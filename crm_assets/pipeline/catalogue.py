"""What Dagster's catalogue shows of an asset before anything has run: tables, columns, where each comes from, and the code.

What a run tells of its partitions belongs to ``shown.py``.
"""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg

from crm_assets.model import Column, Report
from crm_assets.pipeline.reports import Source
from crm_assets.warehouse.columns import POSTGRES_TYPES
from crm_assets.warehouse.migrate import SQL_DIR

PERSONAL = {"personal": "yes"}


def of_workbook(source: Source) -> dict[str, Any]:
    """The raw file: its columns as the portal heads them, and which of them name people."""
    report = source.report
    return {
        "dagster/column_schema": dg.TableSchema(
            [
                dg.TableColumn(column.header, column.kind.value, description=column.description, tags=_tags(column))
                for column in report.file_columns
            ]
        ),
        "sheet": report.sheet,
        **_code(source),
    }


def of_staging(source: Source) -> dict[str, Any]:
    """The staging table: each column is a column of the workbook, as text."""
    report = source.report
    lineage = {
        column.name: [dg.TableColumnDep(dg.AssetKey(report.raw_asset), header) for header in _headers(report, column)]
        for column in report.columns
    }
    return (
        _table(report.staging_table, report.columns, typed=False)
        | _lineage(lineage)
        | _code(source, report.staging_table)
    )


def of_facts(source: Source) -> dict[str, Any]:
    """The fact table: each column is a staged one, typed."""
    report = source.report
    lineage = {
        column.name: [dg.TableColumnDep(dg.AssetKey(report.staging_table), column.name)]
        for column in report.fact_columns
    }
    return (
        _table(report.fact_table, report.fact_columns, typed=True)
        | _lineage(lineage)
        | _code(source, report.fact_table)
    )


def _headers(report: Report, column: Column) -> list[str]:
    """The workbook's columns that a staged column is read from."""
    return [report.column(name).header for name in column.made_of] or [column.header]


def _table(name: str, columns: tuple[Column, ...], *, typed: bool) -> dict[str, Any]:
    return {
        "dagster/table_name": name,
        "dagster/column_schema": dg.TableSchema(
            [
                dg.TableColumn(
                    column.name,
                    POSTGRES_TYPES[column.kind] if typed else "text",
                    description=f"{column.header}: {column.description}",
                    constraints=dg.TableColumnConstraints(nullable=not (typed and column.required)),
                    tags=_tags(column),
                )
                for column in columns
            ]
        ),
    }


def _tags(column: Column) -> dict[str, str]:
    return PERSONAL if column.personal else {}


def _lineage(columns: dict[str, list[dg.TableColumnDep]]) -> dict[str, Any]:
    return {"dagster/column_lineage": dg.TableColumnLineage(columns)}


def _code(source: Source, table: str = "") -> dict[str, Any]:
    """Where the columns are written down, and the migration that made the table; as files of this machine, or none."""
    places = [("the report's columns", _reports_file(source.crm.portal)), ("the table", _migration_of(table))]
    references = [
        dg.LocalFileCodeReference(file_path=str(path), line_number=1, label=label) for label, path in places if path
    ]
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=references)} if references else {}


@cache
def _reports_file(portal: str) -> Path | None:
    spec = importlib.util.find_spec(f"{portal}.reports")
    return Path(spec.origin) if spec and spec.origin else None


@cache
def _migration_of(table: str) -> Path | None:
    made = f"CREATE TABLE {table} ("
    return next((file for file in sorted(SQL_DIR.glob("*.sql")) if table and made in file.read_text("utf-8")), None)
