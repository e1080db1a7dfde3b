"""A workbook that lies there without a download: written into the ledger as landed, then proven, staged and loaded.

Dagster is told of it elsewhere (``reload.py``), and not needed here.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from crm_assets import landing
from crm_assets.model import Claims, Download, Report, Store, Window, system_clock
from crm_assets.pipeline import books
from crm_assets.pipeline.examine import prove, typed_export
from crm_assets.settings import Settings
from crm_assets.warehouse import ledger, staging
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.landed import LandedFile

BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """A workbook that a person exported: of what, when (aware), and how many rows the portal showed, where that is known."""

    file: Path
    store: Store
    report: Report
    window: Window
    exported_at: datetime
    rows: int | None = None


def booked(conn: Connection, given: GivenFile, run_id: str) -> LandedFile:
    """The file's row in the ledger, as landed: at no time as running, since no account is held for it."""
    now = system_clock()
    landed = Download(
        store=given.store,
        window=given.window,
        file=given.file.resolve(),
        bytes=given.file.stat().st_size,
        md5=landing.md5(given.file),
        strategy=BY_HAND,
        requested_at=given.exported_at,
        suggested_name=given.file.name,
        claims=Claims(rows=given.rows),
        signed_in_again=False,
        blocked_requests=0,
        seconds=0,
    )
    with conn.transaction():
        ledger_id = ledger.open_attempt(
            conn,
            run_id=run_id,
            store=given.store,
            report=given.report,
            window=given.window,
            keep_file=True,
            now=now,
        )
        ledger.record_download(conn, ledger_id, landed, now)
    return LandedFile(
        ledger_id=ledger_id,
        store=given.store.code,
        window=given.window,
        days=tuple(given.window.days()),
        file=landed.file,
        md5=landed.md5,
        claims=landed.claims,
        keep_file=True,
    )


def load(
    conn: Connection, settings: Settings, report: Report, file: LandedFile, guard: books.Guard, run_id: str
) -> books.Staged:
    """Prove the file, stage it, and bring the facts in line unless its content is loaded already. Raises BadReport."""
    staged = books.stage_file(conn, report, prove(settings, report, file), guard, run_id)
    if not staged.unchanged:
        for export in staging.read_slices(conn, report, file.store, staged.days):
            books.load_export(conn, report, typed_export(report, export), run_id)
    return staged
