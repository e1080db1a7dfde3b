"""The journal of a download: the ledger's rows while it happens, and the account's state after it.

A row is written before the browser starts. When it cannot be written, the download does not begin.
"""

from dataclasses import dataclass, field

from crm_assets.errors import CrmError, NeedsPerson
from crm_assets.logs import say
from crm_assets.model import Clock, Download, Report, Store, Window
from crm_assets.pipeline.results import Failed
from crm_assets.warehouse import ledger, sessions
from crm_assets.warehouse.connection import connect


@dataclass(slots=True, kw_only=True)
class LedgerJournal:
    """Keeps ``download_ledger`` and ``store_session``; remembers what landed and what failed, for the asset."""

    url: str
    run_id: str
    keep_file: bool
    clock: Clock
    downloads: list[Download] = field(default_factory=list)
    failed_windows: list[Failed] = field(default_factory=list)
    _open: dict[tuple[Store, Window], int] = field(default_factory=dict)

    def started(self, store: Store, report: Report, window: Window) -> None:
        say(store, "started", window)
        with connect(self.url) as conn:
            self._open[store, window] = ledger.open_attempt(
                conn,
                run_id=self.run_id,
                store=store,
                report=report,
                window=window,
                keep_file=self.keep_file,
                now=self.clock(),
            )

    def landed(self, download: Download) -> None:
        now = self.clock()
        with connect(self.url) as conn, conn.transaction():
            ledger.record_download(conn, self._open[download.store, download.window], download, now)
            sessions.record_state(conn, download.store, "ok", None, now, signed_in=download.signed_in_again)
        self.downloads.append(download)

    def failed(self, store: Store, window: Window, error: CrmError) -> None:
        say(store, "failed", error)
        now = self.clock()
        attempt = self._open.get((store, window))
        with connect(self.url) as conn, conn.transaction():
            if attempt is not None:
                ledger.record_failure(conn, attempt, status="failed", code=error.code, message=str(error), now=now)
            if isinstance(error, NeedsPerson):
                sessions.record_state(conn, store, "needs_person", str(error), now)
        self.failed_windows.append(Failed(store=str(store), window=window, error=error))
