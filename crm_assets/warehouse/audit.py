"""The ingest audit: one row for each load of an export into a fact table, in the requirements' own columns and a few more."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Literal

from crm_assets.warehouse.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One load, of the store with this code. The database refuses it unless each parsed row ended in exactly one count."""

    run_id: str
    crm: str
    store: str
    report: str
    from_date: date
    to_date: date
    parsed_rows: int
    inserted_rows: int
    updated_rows: int
    unchanged_rows: int
    rejected_rows: int
    missing_rows: int
    md5: str
    started_at: datetime
    finished_at: datetime
    status: Literal["ok", "empty", "unchanged", "failed"]
    ledger_id: int


def record(conn: Connection, audit: Audit) -> None:
    """Keep the load's summary. Raises psycopg.errors.CheckViolation when a row is unaccounted for: that is a defect of ours."""
    conn.execute(
        """
        INSERT INTO ingest_audit (
            run_id, crm, store, report, from_date, to_date, parsed_rows, inserted_rows, updated_rows, unchanged_rows,
            rejected_rows, missing_rows, md5, started_at, finished_at, status, ledger_id
        ) VALUES (
            %(run_id)s, %(crm)s, %(store)s, %(report)s, %(from_date)s, %(to_date)s, %(parsed_rows)s, %(inserted_rows)s,
            %(updated_rows)s, %(unchanged_rows)s, %(rejected_rows)s, %(missing_rows)s, %(md5)s, %(started_at)s, %(finished_at)s,
            %(status)s, %(ledger_id)s
        )
        """,
        asdict(audit),
    )
