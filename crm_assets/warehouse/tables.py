"""The tables of a report, as the migration that makes them: printed, read by a person, and put into ``sql/``.

Comments and types come from the report's own columns. Columns that a report gains later are ``columns.py``'s.
"""

from collections.abc import Iterable, Iterator

from crm_assets.model import Report
from crm_assets.warehouse.columns import POSTGRES_TYPES, comment_of_fact, comment_of_staging

LEDGER = "bigint NOT NULL REFERENCES download_ledger"
STORE = ("store", "text NOT NULL", "Store code as in stores.yaml")
WARNINGS = (
    'What is odd about the row: [{"column": ..., "rule": ..., "value": ...}] (personal data); null when nothing is'
)

type _Line = tuple[str, str, str]


def migration_of(reports: Iterable[Report], *, depends: str) -> str:
    """The SQL of the staging, fact and history tables of some reports. ``depends`` names the migration before it."""
    parts = [
        part for report in reports for part in (_about(report), _staging(report), _facts(report), _history(report))
    ]
    return "\n".join([f"-- depends: {depends}\n", *parts])


def _about(report: Report) -> str:
    return (
        f"-- {report.description}: staging as the portal wrote it, facts as the business reads them, and how the facts\n"
        "-- changed. The columns are those of the portal's reports.py; a test keeps them equal.\n"
    )


def _staging(report: Report) -> str:
    table = report.staging_table
    lines = [
        STORE,
        ("business_day", "date NOT NULL", "Business day of the row (Asia/Kolkata)"),
        ("row_number", "integer NOT NULL", "Row of the workbook, from 1 for its header"),
        ("ledger_id", LEDGER, "The export the row came from, in download_ledger"),
        *((column.name, "text", comment_of_staging(column)) for column in report.columns),
        (
            "_extra",
            "jsonb",
            "Cells under headers this project does not know, by header; null when there are none",
        ),
    ]
    about = f"{report.description}: every row as text, as the portal wrote it; a (store, day) is replaced as a whole"
    return _table(table, about, lines, ["PRIMARY KEY (store, business_day, row_number)"])


def _facts(report: Report) -> str:
    table = report.fact_table
    lines = [
        STORE,
        (
            "business_day",
            "date NOT NULL",
            f"Day of {report.day} in Asia/Kolkata; an attribute, not part of the key: it may be corrected",
        ),
        *(
            (
                column.name,
                POSTGRES_TYPES[column.kind] + (" NOT NULL" if column.required else ""),
                comment_of_fact(column),
            )
            for column in report.fact_columns
        ),
        ("warnings", "jsonb", WARNINGS),
        ("row_hash", "text NOT NULL", "MD5 over the business columns; a load writes the row only when it differs"),
        ("first_seen_at", "timestamptz NOT NULL", "When an export first held the row"),
        (
            "changed_at",
            "timestamptz NOT NULL",
            "When a value last changed, or the row went missing or came back. When it was last seen unchanged stands in "
            "staging_slice.staged_at",
        ),
        ("ledger_id", LEDGER, "The export that made the last change, in download_ledger"),
        (
            "missing_since",
            "timestamptz",
            "Since when the newest export of its day no longer holds the row; null for a row that is there. "
            "Rows are never deleted",
        ),
    ]
    indexes = f"""
-- Sums of a store's day, and of a day over all stores.
CREATE INDEX {table}_day ON {table} (business_day, store);
-- "What changed since": readers that copy increments.
CREATE INDEX {table}_changed ON {table} (changed_at);
"""
    about = f"{report.description}: one row for each {report.key} of a store, as the newest export knows it; money in rupees"
    return _table(table, about, lines, [f"PRIMARY KEY (store, {report.key})"], indexes)


def _history(report: Report) -> str:
    table, facts = report.history_table, report.fact_table
    lines = [
        ("history_id", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "Number of the change"),
        STORE,
        (report.key, "text NOT NULL", "The row that changed"),
        ("changed_at", "timestamptz NOT NULL", "When the change was loaded"),
        ("ledger_id", LEDGER, "The export that brought the change, in download_ledger"),
        (
            "old",
            "jsonb NOT NULL",
            "Values before the change, of the changed columns only; missing_since tells of a row that vanished or came back",
        ),
        ("new", "jsonb NOT NULL", "Values after the change, of the same columns"),
    ]
    index = f"\nCREATE INDEX {table}_row ON {table} (store, {report.key}, changed_at);\n"
    about = f"Each change of a row of {facts}, with the values before and after"
    return _table(table, about, lines, [f"FOREIGN KEY (store, {report.key}) REFERENCES {facts}"], index)


def _table(name: str, about: str, lines: Iterable[_Line], constraints: Iterable[str], indexes: str = "") -> str:
    lines = list(lines)
    width = max(len(column) for column, _, _ in lines)
    body = ",\n".join(
        f"    {line}" for line in (*(f"{column:<{width}} {kind}" for column, kind, _ in lines), *constraints)
    )
    return f"CREATE TABLE {name} (\n{body}\n);\n{indexes}\n" + "".join(_comments(name, about, lines))


def _comments(name: str, about: str, lines: Iterable[_Line]) -> Iterator[str]:
    yield f"COMMENT ON TABLE {name} IS {_quoted(about)};\n"
    for column, _, told in lines:
        yield f"COMMENT ON COLUMN {name}.{column} IS {_quoted(told)};\n"


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
