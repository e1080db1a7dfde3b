"""The journal of a download: the ledger's rows while it happens, and the accounts' states and locks.

A row is written before the browser starts. When it cannot be written, the download does not begin.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from crm_assets.errors import CrmError, PersonAwaited, StoreSkipped
from crm_assets.logs import say
from crm_assets.model import IST, Account, AccountState, Clock, Download, Purpose, Report, Store, Window
from crm_assets.pipeline.results import Failed
from crm_assets.warehouse import ledger, sessions
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.landed import lies_there
from crm_assets.warehouse.progress import is_fetched

NOT_ASKED = (
    StoreSkipped,
    PersonAwaited,
)  # the portal was not asked, or the store must act first: no failure of the attempt
STILL_NEWS = timedelta(minutes=30)  # a report asked for longer ago is asked for anew


@dataclass(slots=True, kw_only=True)
class AccountLedger:
    """Keeps ``store_session``. ``holder`` says who holds an account's lock, to whoever waits for it: ``run 1a2b3c4d``."""

    url: str
    holder: str
    wait_seconds: float
    clock: Clock

    def hold(self, store: Store) -> AbstractAsyncContextManager[None]:
        return sessions.account_lock(self.url, store, timeout=self.wait_seconds, holder=self.holder)

    def account(self, store: Store) -> Account | None:
        with connect(self.url) as conn:
            return sessions.account(conn, store)

    def record(
        self,
        store: Store,
        state: AccountState,
        *,
        reason: str | None = None,
        error_code: str | None = None,
        profile_digest: str | None = None,
        signed_in: bool = False,
    ) -> None:
        with connect(self.url) as conn:
            sessions.record_state(
                conn,
                store,
                state,
                self.clock(),
                reason=reason,
                error_code=error_code,
                profile_digest=profile_digest,
                signed_in=signed_in,
            )


@dataclass(slots=True, kw_only=True)
class LedgerJournal(AccountLedger):
    """Keeps ``download_ledger``, too; remembers what landed, what failed and which stores were skipped, for the asset."""

    run_id: str
    keep_file: bool
    purpose: Purpose = Purpose.BY_HAND
    wanted_since: datetime | None = None
    begun_at: datetime = field(init=False)
    downloads: list[Download] = field(default_factory=list)
    failed_windows: list[Failed] = field(default_factory=list)
    skipped_windows: list[Failed] = field(default_factory=list)
    lying: list[tuple[Store, Window]] = field(default_factory=list)
    _open: dict[tuple[Store, Window], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.begun_at = self.clock()

    def started(self, store: Store, report: Report, window: Window) -> None:
        say(store, "started", window)
        with connect(self.url) as conn:
            self._open[store, window] = self._attempt(conn, store, report, window)

    def fetched_meanwhile(self, store: Store, report: Report, window: Window) -> bool:
        """Whether another run has fetched the window since it was wanted, for instance while this one waited for the account.

        For a backfill that is so when the file still lies there: this run has to load its own days from it.
        """
        since = self.wanted_since
        if since is None:
            return False
        with connect(self.url) as conn:
            if self.purpose is Purpose.BACKFILL:
                fetched = lies_there(conn, store, report, window, since)
            else:
                fetched = is_fetched(conn, store, report, window, since=since, meanwhile=self.begun_at)
        if fetched and self.purpose is Purpose.BACKFILL:
            self.lying.append((store, window))
        if fetched:
            say(store, "not needed", f"another run has fetched {window} since {since.astimezone(IST):%d %b %H:%M}")
        return fetched

    def pending_request(self, store: Store, report: Report, window: Window) -> datetime | None:
        with connect(self.url) as conn:
            return ledger.pending_request(conn, store, report, window, self.clock() - STILL_NEWS)

    def landed(self, download: Download) -> None:
        with connect(self.url) as conn:
            ledger.record_download(conn, self._open[download.store, download.window], download, self.clock())
        self.downloads.append(download)

    def failed(self, store: Store, report: Report, window: Window, error: CrmError) -> None:
        """A window that was not begun gets its row too, in the transaction that closes it: it was asked for."""
        skipped = isinstance(error, StoreSkipped)
        say(store, "skipped" if skipped else "failed", error)
        with connect(self.url) as conn, conn.transaction():
            attempt = self._open.get((store, window)) or self._attempt(conn, store, report, window)
            status: Literal["failed", "skipped"] = "skipped" if isinstance(error, NOT_ASKED) else "failed"
            ledger.record_failure(conn, attempt, status=status, error=error, now=self.clock())
        windows = self.skipped_windows if skipped else self.failed_windows
        windows.append(Failed(store=str(store), window=window, error=error))

    def _attempt(self, conn: Connection, store: Store, report: Report, window: Window) -> int:
        return ledger.open_attempt(
            conn,
            run_id=self.run_id,
            store=store,
            report=report,
            window=window,
            keep_file=self.keep_file,
            now=self.clock(),
            purpose=self.purpose,
        )
