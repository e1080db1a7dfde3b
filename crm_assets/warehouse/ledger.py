"""The file ledger: one row for each attempt to fetch a report, from before the browser starts until its rows are facts.

The states are ``running`` -> ``downloaded`` -> ``ingested``, ``empty`` or ``unchanged``, or ``failed`` or ``skipped``. Files are
written and deleted by ``crm_assets.landing``; which of them is the newest of a day is ``landed.py``'s business; whether a file
may be trusted is decided before ``record_staged``.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from psycopg.types.json import Jsonb

from crm_assets.errors import CrmError, ExportTimedOut
from crm_assets.model import Claims, Download, Purpose, Report, Store, Window
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.sessions import account_key


def open_attempt(
    conn: Connection,
    *,
    run_id: str,
    store: Store,
    report: Report,
    window: Window,
    keep_file: bool,
    now: datetime,
    purpose: Purpose = Purpose.BY_HAND,
) -> int:
    """Open a ``running`` row, numbered within its run; returns its ledger id. Hold the account lock: see ``close_abandoned``."""
    row = conn.execute(
        """
        INSERT INTO download_ledger (
            run_id, crm, store, report, from_date, to_date, attempt, keep_file, started_at, purpose
        )
        SELECT %(run_id)s, %(crm)s, %(store)s, %(report)s, %(first)s, %(last)s, count(*) + 1, %(keep_file)s, %(now)s,
            %(purpose)s
        FROM download_ledger
        WHERE (run_id, crm, store, report, from_date, to_date)
            = (%(run_id)s, %(crm)s, %(store)s, %(report)s, %(first)s, %(last)s)
        RETURNING ledger_id
        """,
        {
            "run_id": run_id,
            "crm": store.crm,
            "store": store.code,
            "report": report.name,
            "first": window.first,
            "last": window.last,
            "keep_file": keep_file,
            "now": now,
            "purpose": purpose.value,
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - an INSERT without GROUP BY returns its one row
    return int(row[0])


def record_download(conn: Connection, ledger_id: int, download: Download, now: datetime) -> None:
    """The file has landed: what it is, and what the portal says about it."""
    conn.execute(
        """
        UPDATE download_ledger
        SET status = 'downloaded', strategy = %s, requested_at = %s, suggested_name = %s, stored_name = %s, bytes = %s, md5 = %s,
            claimed_rows = %s, claimed_sums = %s, signed_in_again = %s, blocked_requests = %s, finished_at = %s
        WHERE ledger_id = %s
        """,
        [
            download.strategy,
            download.requested_at,
            download.suggested_name,
            str(download.file),
            download.bytes,
            download.md5,
            download.claims.rows,
            _sums(download.claims),
            download.signed_in_again,
            download.blocked_requests,
            now,
            ledger_id,
        ],
    )


def _sums(claims: Claims) -> Jsonb:
    return Jsonb({name: str(value) for name, value in claims.sums.items()})


def record_failure(
    conn: Connection,
    ledger_id: int,
    *,
    status: Literal["failed", "skipped"],
    error: CrmError,
    now: datetime,
) -> None:
    """The attempt ended without a usable file; ``skipped`` when the portal was not asked. What had landed stays named."""
    conn.execute(
        """
        UPDATE download_ledger
        SET status = %s, error_code = %s, error_message = %s, evidence = coalesce(%s, evidence),
            requested_at = coalesce(requested_at, %s), finished_at = coalesce(finished_at, %s)
        WHERE ledger_id = %s
        """,
        [
            status,
            error.code,
            str(error),
            str(error.evidence) if error.evidence else None,
            error.requested_at if isinstance(error, ExportTimedOut) else None,
            now,
            ledger_id,
        ],
    )


def pending_request(conn: Connection, store: Store, report: Report, window: Window, since: datetime) -> datetime | None:
    """When the portal was asked for this very window by an attempt that did not wait to the end, and none after it got a file.

    None when that was before ``since``: what it would bring is no longer news.
    """
    row = conn.execute(
        """
        SELECT error_code, requested_at FROM download_ledger
        WHERE (crm, store, report, from_date, to_date) = (%s, %s, %s, %s, %s) AND requested_at IS NOT NULL
        ORDER BY ledger_id DESC LIMIT 1
        """,
        [store.crm, store.code, report.name, window.first, window.last],
    ).fetchone()
    if row is None or row[0] != ExportTimedOut.__name__ or row[1] < since:
        return None
    return row[1]  # type: ignore[no-any-return]


def record_staged(
    conn: Connection,
    ledger_id: int,
    *,
    content_md5: str,
    row_count: int,
    headers: Sequence[str] = (),
    claims: Claims = Claims(),
    shrink_accepted: bool = False,
) -> None:
    """The file was proven: its rows, the MD5 of its cell values in hex, its headers, and what its own totals row claims."""
    conn.execute(
        """
        UPDATE download_ledger
        SET content_md5 = %s, row_count = %s, headers = %s, claimed_rows = coalesce(%s, claimed_rows),
            claimed_sums = claimed_sums || %s, shrink_accepted = %s
        WHERE ledger_id = %s
        """,
        [
            content_md5,
            row_count,
            Jsonb(list(headers)) if headers else None,
            claims.rows,
            _sums(claims),
            shrink_accepted,
            ledger_id,
        ],
    )


def record_unchanged(conn: Connection, ledger_id: int, now: datetime) -> None:
    """The proven file holds what the export before it held; nothing of it had to be loaded."""
    conn.execute(
        "UPDATE download_ledger SET status = 'unchanged', ingested_at = %s WHERE ledger_id = %s", [now, ledger_id]
    )


def record_ingested(conn: Connection, ledger_id: int, now: datetime) -> None:
    """The rows are facts: ``ingested``, or ``empty`` for a file that was staged with no row. An earlier refusal is settled."""
    conn.execute(
        """
        UPDATE download_ledger
        SET status = CASE WHEN row_count = 0 THEN 'empty' ELSE 'ingested' END, ingested_at = coalesce(ingested_at, %s),
            error_code = NULL, error_message = NULL
        WHERE ledger_id = %s
        """,
        [now, ledger_id],
    )


def mark_deleted(conn: Connection, ledger_id: int, now: datetime) -> None:
    """The raw file is gone, since now or since it was first said; its name stays in the ledger."""
    conn.execute(
        "UPDATE download_ledger SET deleted_at = coalesce(deleted_at, %s) WHERE ledger_id = %s", [now, ledger_id]
    )


def close_abandoned(conn: Connection, now: datetime) -> list[int]:
    """Fail the attempts whose process died, and return their ledger ids.

    An attempt runs only while its account lock is held, so a ``running`` row whose lock is free has nobody behind it. Call it
    before taking an account lock.
    """
    running = conn.execute("SELECT DISTINCT crm, store FROM download_ledger WHERE status = 'running'").fetchall()
    return [ledger_id for crm, store in running for ledger_id in _close_if_free(conn, crm, store, now)]


def _close_if_free(conn: Connection, crm: str, store: str, now: datetime) -> list[int]:
    with conn.transaction():
        key = account_key(crm, store)
        if conn.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [key]).fetchone() != (True,):
            return []
        closed = conn.execute(
            """
            UPDATE download_ledger
            SET status = 'failed', error_code = 'Abandoned', finished_at = %s,
                error_message = 'the process that ran this attempt ended without a word; the next run tries again'
            WHERE status = 'running' AND crm = %s AND store = %s
            RETURNING ledger_id
            """,
            [now, crm, store],
        )
        return [int(row[0]) for row in closed]


def move_file(conn: Connection, ledger_id: int, file: Path) -> None:
    """The raw file was put elsewhere."""
    conn.execute("UPDATE download_ledger SET stored_name = %s WHERE ledger_id = %s", [str(file), ledger_id])
