"""What came of a run, read from the ledger and the audit: the source for exit codes, tables and JSON."""

from dataclasses import dataclass

from psycopg.rows import class_row

from crm_assets.errors import StoreSkipped, error_class
from crm_assets.warehouse.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """One run of one store. Counts are rows; ``error_code`` is the first failed window's, else the first skipped one's, None when
    all went well; ``evidence`` is that failure's folder.

    ``complete`` is false when a window neither failed nor became facts: the run ended before its end.
    """

    run_id: str
    files: int
    complete: bool
    inserted: int
    updated: int
    unchanged: int
    rejected: int
    missing: int
    error_code: str | None
    error_message: str | None
    evidence: str | None

    @property
    def skipped(self) -> bool:
        """Nothing failed, but the store has to act before more can be done."""
        return issubclass(error_class(self.error_code), StoreSkipped)

    @property
    def ok(self) -> bool:
        return self.complete and self.error_code is None


OUTCOME = """
    WITH windows AS (SELECT * FROM download_ledger WHERE run_id = %(run_id)s),
    loads AS (SELECT * FROM ingest_audit WHERE run_id = %(run_id)s),
    first_error AS (
        SELECT error_code, error_message, evidence FROM windows WHERE error_code IS NOT NULL
        ORDER BY status = 'skipped', ledger_id LIMIT 1
    )
    SELECT %(run_id)s AS run_id,
        (SELECT count(*) FROM windows WHERE md5 IS NOT NULL) AS files,
        (SELECT count(*) > 0 AND coalesce(bool_and(status IN ('ingested', 'empty', 'unchanged')), false) FROM windows)
            AS complete,
        coalesce(sum(inserted_rows), 0)::integer AS inserted,
        coalesce(sum(updated_rows), 0)::integer AS updated,
        coalesce(sum(unchanged_rows), 0)::integer AS unchanged,
        coalesce(sum(rejected_rows), 0)::integer AS rejected,
        coalesce(sum(missing_rows), 0)::integer AS missing,
        (SELECT error_code FROM first_error) AS error_code,
        (SELECT error_message FROM first_error) AS error_message,
        (SELECT evidence FROM first_error) AS evidence
    FROM loads
"""


def outcome_of_run(conn: Connection, run_id: str) -> RunOutcome:
    """What came of the run, also when it wrote nothing."""
    with conn.cursor(row_factory=class_row(RunOutcome)) as cursor:
        found = cursor.execute(OUTCOME, {"run_id": run_id}).fetchone()
    assert found is not None  # noqa: S101 - an aggregate without GROUP BY returns its one row
    return found
