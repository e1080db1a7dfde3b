"""What lies on the disk as the ledger knows it: raw files that are still there, and the evidence of failures.

How long each is kept is decided in ``crm_assets.pipeline.retention``; deleting is its business, too.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg.rows import class_row

from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.sessions import account_key

LOADED = ("ingested", "empty", "unchanged")
NOT_LOADED = ("downloaded", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """A raw file that the ledger does not call deleted; ``replaced`` when a later export lies under its name."""

    ledger_id: int
    crm: str
    store: str
    stored_name: str
    md5: str
    replaced: bool

    @property
    def file(self) -> Path:
        return Path(self.stored_name)


def known_files(
    conn: Connection, *, statuses: Sequence[str], keep_file: bool | None = None, before: datetime, but_strategy: str
) -> list[KnownFile]:
    """The files of attempts in these states that ended before that moment, oldest first; all, or those to be kept or not.

    Without those of one strategy: a file that a person exported stays the person's. A backfill's file has a day more: other runs
    of it may have to load their days from it.
    """
    with conn.cursor(row_factory=class_row(KnownFile)) as cursor:
        return cursor.execute(
            """
            SELECT ledger_id, crm, store, stored_name, md5, EXISTS (
                SELECT FROM download_ledger AS later
                WHERE later.stored_name = mine.stored_name AND later.ledger_id > mine.ledger_id
                    AND later.md5 IS NOT NULL AND later.deleted_at IS NULL
            ) AS replaced
            FROM download_ledger AS mine
            WHERE deleted_at IS NULL AND md5 IS NOT NULL AND status = ANY(%(statuses)s)
                AND keep_file = coalesce(%(keep_file)s, keep_file)
                AND finished_at < %(before)s - CASE purpose WHEN 'backfill' THEN interval '1 day' ELSE '0' END
                AND strategy IS DISTINCT FROM %(but_strategy)s
            ORDER BY crm, store, ledger_id
            """,
            {"statuses": list(statuses), "keep_file": keep_file, "before": before, "but_strategy": but_strategy},
        ).fetchall()


def known_names(conn: Connection) -> set[str]:
    """The names, without their folders, of all files that the ledger does not call deleted."""
    rows = conn.execute("SELECT stored_name FROM download_ledger WHERE md5 IS NOT NULL AND deleted_at IS NULL")
    return {Path(row[0]).name for row in rows}


def mark_file_deleted(conn: Connection, file: Path, now: datetime) -> None:
    """The file of this place is gone, whichever attempt it was of."""
    conn.execute(
        "UPDATE download_ledger SET deleted_at = %s WHERE stored_name = %s AND md5 IS NOT NULL AND deleted_at IS NULL",
        [now, str(file)],
    )


@contextmanager
def undisturbed(conn: Connection, crm: str, store: str) -> Iterator[bool]:
    """A transaction during which no run works in the account; False, and nothing is held, when one does already."""
    with conn.transaction():
        key = account_key(crm, store)
        held = conn.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [key]).fetchone()
        yield held == (True,)


def unhealed_evidence(conn: Connection) -> list[Path]:
    """The newest evidence of each store and report that has not got a file since."""
    rows = conn.execute(
        """
        SELECT evidence FROM (
            SELECT DISTINCT ON (crm, store, report) crm, store, report, ledger_id, evidence
            FROM download_ledger WHERE evidence IS NOT NULL
            ORDER BY crm, store, report, ledger_id DESC
        ) AS newest
        WHERE NOT EXISTS (
            SELECT FROM download_ledger AS later
            WHERE (later.crm, later.store, later.report) = (newest.crm, newest.store, newest.report)
                AND later.ledger_id > newest.ledger_id
                AND later.status IN ('downloaded', 'ingested', 'empty', 'unchanged'))
        """
    )
    return [Path(row[0]) for row in rows]


def forget_evidence(conn: Connection, folder: Path) -> None:
    """No attempt leads to evidence in this folder any more."""
    conn.execute("UPDATE download_ledger SET evidence = NULL WHERE starts_with(evidence, %s)", [f"{folder}/"])
