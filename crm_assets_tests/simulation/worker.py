"""A run's process in simulated time: the steps of the three assets, by the product's own functions and an injected clock.

No browser: what the portal hands over is written from the sandbox's books, as of the moment it is asked, and the weather decides
what goes wrong. Accounts, ledger, files, staging and facts are the product's. Runs and their queue are ``daemon.py``'s.
"""

import asyncio
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from crm_assets import landing, workbook
from crm_assets.account import Desk, access_to, record_person_needed
from crm_assets.errors import BadReport, CrmError, ExportTimedOut, NeedsPerson
from crm_assets.model import AccountState, Claims, Clock, Download, Report, Store, Window
from crm_assets.pipeline import books
from crm_assets.pipeline.attempts import purpose_of, wanted_since
from crm_assets.pipeline.books import Export
from crm_assets.pipeline.examine import prove_all, typed_export
from crm_assets.pipeline.journal import LedgerJournal
from crm_assets.pipeline.results import Failed
from crm_assets.proof import refuse_bad_rows
from crm_assets.sandbox import layouts
from crm_assets.sandbox.books import Books
from crm_assets.sandbox.layouts import Row
from crm_assets.sandbox.workbooks import total
from crm_assets.sandbox.workbooks import workbook as workbook_of
from crm_assets.settings import Settings
from crm_assets.warehouse import ledger
from crm_assets.warehouse.connection import Connection, connect
from crm_assets_tests.simulation.weather import Mishap, Step, Weather

LAYOUTS = {"td": layouts.ORDER_REPORT, "uc": layouts.GST_REPORT}
BANNER = {"taxable_value": "Taxable Value", "cgst": "CGST", "sgst": "SGST", "invoice_value": "Total Invoice Value"}
UC_SESSIONS_LOST = 8 / 409
RIGHT = Mishap(name="nothing")
LANDED, LOADED, SKIPPED, NOT_NEEDED = "landed", "loaded", "skipped", "not needed"
WELL = (LOADED, SKIPPED, NOT_NEEDED)


class Killed(Exception):
    """The process is gone without a word. ``reached``: the last step that Dagster was told of."""

    def __init__(self, reached: Step) -> None:
        super().__init__(reached.name)
        self.reached = reached


class StepFailed(Exception):
    """An asset failed, and said why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one run is for. ``begins_at``: the steps before were done by the run that this one takes over from."""

    run_id: str
    tags: Mapping[str, str]
    store: Store
    report: Report
    window: Window
    begins_at: Step = Step.BEGINS

    @property
    def days(self) -> Sequence[date]:
        return tuple(self.window.days())


@dataclass(slots=True, kw_only=True)
class Worker:
    """``logins``: every login that was tried, in order. ``mishaps``: what befell, in order."""

    settings: Settings
    url: str
    sold: Books
    clock: Clock
    weather: Weather
    loop: asyncio.Runner
    logins: list[tuple[Store, datetime]] = field(default_factory=list)
    mishaps: list[tuple[Work, Mishap]] = field(default_factory=list)

    def run(self, work: Work) -> Generator[timedelta, None, str]:
        """The run, step by step: how long it takes until the next one, and how it ended well. Raises Killed, StepFailed."""
        mishap = self.weather.befalls(work.store, self.clock()) or RIGHT
        self.mishaps.append((work, mishap))
        _may_die(mishap, Step.BEGINS)
        if work.begins_at < Step.LANDED:
            ending = yield from self._download(work, mishap)
            if ending != LANDED:
                return ending  # without a file, staging and facts are skipped
        _may_die(mishap, Step.LANDED)
        if work.begins_at < Step.STAGED:
            self._stage(work)
            yield timedelta(seconds=2)
        _may_die(mishap, Step.STAGED)
        self._load(work)
        return LOADED

    def _download(self, work: Work, mishap: Mishap) -> Generator[timedelta, None, str]:
        """The raw asset: whether a file has landed, or why not."""
        journal = self._journal(work)
        with connect(self.url) as conn:
            ledger.close_abandoned(conn, self.clock())
        what = (work.store, work.report, work.window)
        try:
            with self._held(journal, work.store):
                if journal.fetched_meanwhile(*what):
                    return NOT_NEEDED
                journal.started(*what)
                yield from self._signed_in(work, journal, mishap)
                pending = journal.pending_request(*what)
                yield self._takes(work, 5, 90 if work.store.crm == "td" else 6)
                journal.landed(self._exported(work, mishap, pending))
        except CrmError as error:
            journal.failed(*what, error)
        if journal.failed_windows:
            raise StepFailed(journal.failed_windows[0].error.code)
        return LANDED if journal.downloads else SKIPPED

    def _journal(self, work: Work) -> LedgerJournal:
        return LedgerJournal(
            url=self.url,
            holder=f"run {work.run_id[:8]}",
            wait_seconds=1,
            run_id=work.run_id,
            keep_file=False,
            purpose=purpose_of(work.tags),
            wanted_since=wanted_since(work.tags),
            clock=self.clock,
        )

    @contextmanager
    def _held(self, journal: LedgerJournal, store: Store) -> Iterator[None]:
        """Hold the account from the first step to the last, as the process would; a killed one lets go of it."""
        lock = journal.hold(store)
        self.loop.run(lock.__aenter__())
        try:
            yield
        finally:
            self.loop.run(lock.__aexit__(None, None, None))

    def _signed_in(self, work: Work, journal: LedgerJournal, mishap: Mishap) -> Iterator[timedelta]:
        """By the saved session where it is good, which a td one never is; else by one login."""
        store, desk = work.store, Desk(settings=self.settings, book=journal, clock=self.clock, run_id=work.run_id)
        access_to(store, journal.account(store), desk.profiles.digest(store))
        again = self._is_signed_out(store, mishap)
        if again:
            journal.record(store, AccountState.EXPIRED)
            self.logins.append((store, self.clock()))
        yield self._takes(work, 5, 20)
        _may_die(mishap, Step.STARTED)
        if mishap.error is not None:
            yield timedelta(seconds=mishap.seconds)
            raise self._told(work, journal, desk, mishap.error)
        journal.record(store, AccountState.OK, signed_in=again)

    def _is_signed_out(self, store: Store, mishap: Mishap) -> bool:
        refused = mishap.error is not None and issubclass(mishap.error, NeedsPerson)
        lost = self.weather.chance("session", store, self.clock()).random() < UC_SESSIONS_LOST
        return store.crm == "td" or refused or lost

    def _told(self, work: Work, journal: LedgerJournal, desk: Desk, error: type[CrmError]) -> CrmError:
        raised = error(f"{work.store}: {error.__name__}, by the weather")
        if isinstance(raised, NeedsPerson):
            record_person_needed(desk, work.store, raised)
        if isinstance(raised, ExportTimedOut):
            raised.requested_at = self.clock() - timedelta(seconds=280)
        return raised

    def _exported(self, work: Work, mishap: Mishap, pending: datetime | None) -> Download:
        """The portal's file as of the moment it was asked, or what the weather made of it, brought to its place."""
        requested_at = pending or self.clock()
        window = _days_before(work.window) if mishap.damage == "other window" else work.window
        rows = rows_of(self.sold, work.store, window, requested_at)
        scratch = self.settings.local_dir / "scratch.xlsx"
        scratch.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(_damaged(workbook_of(LAYOUTS[work.store.crm], rows), mishap))
        workbook.sniff(scratch)
        file = landing.land(scratch, self.settings.downloads_dir, work.report, work.store, work.window)
        return Download(
            store=work.store,
            window=work.window,
            file=file,
            bytes=file.stat().st_size,
            md5=landing.md5(file),
            strategy="simulated",
            requested_at=requested_at,
            suggested_name="",
            claims=_claims(work.store, [] if mishap.damage == "banner" else rows),
            signed_in_again=work.store.crm == "td",
            blocked_requests=0,
            seconds=0,
        )

    def _stage(self, work: Work) -> None:
        """The staging asset, as the IO manager books it."""
        report, guard = work.report, books.Guard.of(self.settings)
        with connect(self.url) as conn:
            files = books.landed_files(conn, report, work.store.code, work.days)
            proven = prove_all(self.settings, report, files, accept_shrink=False)
            refused = list(proven.refused)
            for one in proven.files:
                try:
                    staged = books.stage_file(conn, report, one, guard, work.run_id, clock=self.clock)
                except BadReport as error:
                    refused.append((one.file, error))
                    continue
                if staged.unchanged:
                    books.let_go(conn, one.file, clock=self.clock)
            _raise_if(self._refused(conn, work, file, error) for file, error in refused)

    def _load(self, work: Work) -> None:
        """The fact asset, as the IO manager books it."""
        report, failed = work.report, list[Failed]()
        with connect(self.url) as conn:
            for export in books.staged_exports(conn, report, work.store.code, work.days):
                if export.confirmed_by_run == work.run_id:
                    continue
                one = replace(typed_export(report, export), started_at=self.clock())
                try:
                    refuse_bad_rows(one.typed, report, str(work.store), limit=self.settings.env.max_reject_share)
                    books.load_export(conn, report, one, work.run_id, clock=self.clock)
                    books.let_go(conn, export, clock=self.clock)
                except BadReport as error:
                    failed.append(self._refused(conn, work, export, error))
        _raise_if(failed)

    def _refused(self, conn: Connection, work: Work, export: Export, error: CrmError) -> Failed:
        return books.refuse(conn, work.report, export, export.days, error, work.run_id, clock=self.clock)

    def _takes(self, work: Work, least: float, most: float) -> timedelta:
        return timedelta(seconds=round(self.weather.chance("takes", work.store, self.clock()).uniform(least, most)))


def rows_of(sold: Books, store: Store, window: Window, as_of: datetime | None) -> list[Row]:
    """What the portal's report of a store would hold at a moment, or now."""
    return (sold.td_orders if store.crm == "td" else sold.uc_invoices)(store.code, window, as_of)


def _may_die(mishap: Mishap, step: Step) -> None:
    if mishap.dies_at is step:
        raise Killed(step)


def _raise_if(failed: Iterable[Failed]) -> None:
    if told := list(failed):
        raise StepFailed(told[0].error.code)


def _days_before(window: Window) -> Window:
    return Window(first=window.first - timedelta(days=7), last=window.last - timedelta(days=7))


def _damaged(content: bytes, mishap: Mishap) -> bytes:
    match mishap.damage:
        case "html":
            return b"<!DOCTYPE html><html><body>Please sign in</body></html>"
        case "truncated":
            return content[: len(content) // 2]
    return content


def _claims(store: Store, rows: Sequence[Row]) -> Claims:
    """What UClean's banner shows; TumbleDry's totals stand in the file."""
    if store.crm == "td":
        return Claims()
    return Claims(sums={name: Decimal(str(total(row[header] for row in rows))) for name, header in BANNER.items()})
