"""What Dagster's catalogue shows of an asset before anything has run: tables, columns, where each comes from, and the code.

What a run tells of its partitions belongs to ``shown.py``. Dagster keeps the lineage of columns, and its API tells it, but the
open source UI shows none (1.13.27): so each column's description says where it comes from, too.
"""

import importlib.util
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg

from crm_assets.model import Column, Report
from crm_assets.pipeline.reports import Source
from crm_assets.warehouse.columns import POSTGRES_TYPES
from crm_assets.warehouse.migrate import SQL_DIR

PERSONAL = {"personal": "yes"}
REQUIRED = dg.TableColumnConstraints(nullable=False)

STORE = dg.TableColumn("store", "text", description="Store code as in stores.yaml", constraints=REQUIRED)
DAY = dg.TableColumn("business_day", "date", description="Day of the row in Asia/Kolkata", constraints=REQUIRED)
STAGED = (
    dg.TableColumn(
        "row_number", "integer", description="Row of the workbook, from 1 for its header", constraints=REQUIRED
    ),
    dg.TableColumn("ledger_id", "bigint", description="The export, in download_ledger", constraints=REQUIRED),
    dg.TableColumn("_extra", "jsonb", description="Cells under headers that nobody knows, by header", tags=PERSONAL),
)
KEPT = (
    dg.TableColumn("warnings", "jsonb", description="What is odd about the row; null when nothing is", tags=PERSONAL),
    dg.TableColumn("row_hash", "text", description="MD5 over the business columns", constraints=REQUIRED),
    dg.TableColumn("first_seen_at", "timestamptz", description="When an export first held it", constraints=REQUIRED),
    dg.TableColumn("changed_at", "timestamptz", description="When a value last changed", constraints=REQUIRED),
    dg.TableColumn("ledger_id", "bigint", description="The export that made the last change", constraints=REQUIRED),
    dg.TableColumn("missing_since", "timestamptz", description="Since when its day's newest export lacks the row"),
)


def of_workbook(source: Source) -> dict[str, Any]:
    """The raw file: its columns as the portal heads them, and which of them name people."""
    report = source.report
    columns = [
        dg.TableColumn(column.header, column.kind.value, description=column.description, tags=_tags(column))
        for column in report.file_columns
    ]
    return {"dagster/column_schema": dg.TableSchema(columns), "sheet": report.sheet, **_code_of(source)}


def of_staging(source: Source) -> dict[str, Any]:
    """The staging table: each column is a column of the workbook, as text."""
    report, table = source.report, source.report.staging_table
    headers = {column.name: _headers(report, column) for column in report.columns}
    columns = [
        dg.TableColumn(
            column.name,
            "text",
            description=f"{column.description}. As text, from {_listed(headers[column.name])}",
            tags=_tags(column),
        )
        for column in report.columns
    ]
    lineage = headers | {"business_day": headers[report.day]}
    return (
        _table(table, [STORE, DAY, *columns, *STAGED], "store, business_day, row_number")
        | _lineage(report.raw_asset, lineage)
        | _code_of(source, table)
    )


def of_facts(source: Source) -> dict[str, Any]:
    """The fact table: each column is a staged one, typed."""
    report, table = source.report, source.report.fact_table
    columns = [
        dg.TableColumn(
            column.name,
            POSTGRES_TYPES[column.kind],
            description=f"{column.description}. From {_listed(_headers(report, column))}",
            constraints=dg.TableColumnConstraints(nullable=not column.required),
            tags=_tags(column),
        )
        for column in report.fact_columns
    ]
    lineage = {name: [name] for name in ("store", "business_day", *(column.name for column in columns))}
    return (
        _table(table, [STORE, DAY, *columns, *KEPT], f"store, {report.key}")
        | _lineage(report.staging_table, lineage)
        | _code_of(source, table)
    )


def described(columns: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """The columns of a table that stands in the catalogue alone: the type and the meaning of each."""
    told = [dg.TableColumn(name, kind, description=meaning) for name, (kind, meaning) in columns.items()]
    return {"dagster/column_schema": dg.TableSchema(told)}


def code(**places: tuple[Path | None, str]) -> dict[str, Any]:
    """Links to files of this machine, at the line where a text first stands: ``the_table=(file, "CREATE TABLE ...")``."""
    references = [
        dg.LocalFileCodeReference(file_path=str(file), line_number=_line_of(file, text), label=label.replace("_", " "))
        for label, (file, text) in places.items()
        if file
    ]
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=references)} if references else {}


def _headers(report: Report, column: Column) -> list[str]:
    """The workbook's columns that a column is read from."""
    return [report.column(name).header for name in column.made_of] or [column.header]


def _listed(headers: Sequence[str]) -> str:
    return ", ".join(f"`{header}`" for header in headers)


def _table(name: str, columns: Sequence[dg.TableColumn], key: str) -> dict[str, Any]:
    constraints = dg.TableConstraints(other=[f"PRIMARY KEY ({key})"])
    return {"dagster/table_name": name, "dagster/column_schema": dg.TableSchema(list(columns), constraints=constraints)}


def _tags(column: Column) -> dict[str, str]:
    return PERSONAL if column.personal else {}


def _lineage(upstream: str, columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    asset = dg.AssetKey(upstream)
    deps = {name: [dg.TableColumnDep(asset, one) for one in parts] for name, parts in columns.items()}
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)}


def _code_of(source: Source, table: str = "") -> dict[str, Any]:
    """Where the report's columns are written down, and the migration that made the table."""
    report, made = source.report, f"CREATE TABLE {table} ("
    return code(
        the_report=(_reports_file(source.crm.portal), f'name="{report.name}"'),
        the_table=(_migration_with(made) if table else None, made),
    )


@cache
def _reports_file(portal: str) -> Path | None:
    spec = importlib.util.find_spec(f"{portal}.reports")
    return Path(spec.origin) if spec and spec.origin else None


@cache
def _migration_with(text: str) -> Path | None:
    return next((file for file in sorted(SQL_DIR.glob("*.sql")) if text in file.read_text("utf-8")), None)


@cache
def _line_of(file: Path, text: str) -> int:
    before, found, _ = file.read_text("utf-8").partition(text)
    return before.count("\n") + 1 if found else 1
