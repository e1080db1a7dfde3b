"""Resources: the warehouse and Playwright, as Dagster hands them to assets.

Neither holds an address or a secret: both read the settings when they are used, so that nothing of them shows in the UI and the
environment of the run decides. A browser is launched inside a store's session, never in a resource's set-up.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from crm_assets.errors import DiskFull
from crm_assets.files import require_room
from crm_assets.model import Report, Window, system_clock
from crm_assets.multi_crm_downloader import Order, download_all
from crm_assets.pipeline.attempts import purpose_of, wanted_since
from crm_assets.pipeline.backfills import Beside
from crm_assets.pipeline.journal import LedgerJournal
from crm_assets.pipeline.partitions import days_by_store
from crm_assets.pipeline.results import Landed
from crm_assets.settings import Settings, load_settings
from crm_assets.warehouse import ledger
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.embedded import database_url
from crm_assets.warehouse.migrate import require_current


class Warehouse(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Connections to the warehouse that the settings name."""

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection; the caller opens its transactions."""
        with connect(database_url(load_settings())) as conn:
            yield conn


class PlaywrightResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Downloads by browser, one per store account, several stores beside each other."""

    def download(
        self,
        report: Report,
        keys: Sequence[str],
        *,
        run_id: str,
        tags: Mapping[str, str],
        beside: Beside | None,
        keep_file: bool | None,
        headless: bool | None,
        trace: bool,
    ) -> Landed:
        """Export the days of these partitions in as few windows as the CRM allows; holds each account's lock meanwhile.

        ``tags`` are the run's: they say why it was started, and since when another run's export is as good. What the backfill
        wants ``beside`` these partitions is exported with them, where that is one window.
        Raises WarehouseUnavailable before anything is asked of a portal when the ledger cannot be written, DiskFull when there
        is no room.
        """
        settings = load_settings()
        url = database_url(settings)
        journal = LedgerJournal(
            url=url,
            holder=f"run {run_id[:8]}",
            wait_seconds=settings.env.account_wait_s,
            run_id=run_id,
            keep_file=settings.env.keep_files > 0 if keep_file is None else keep_file,
            purpose=purpose_of(tags),
            wanted_since=beside.since if beside else wanted_since(tags),
            clock=system_clock,
        )
        with connect(url) as conn:
            require_current(conn, [report])
            ledger.close_abandoned(conn, system_clock())
        orders = _orders(settings, report, keys, beside)
        _require_room(settings, orders, journal)
        download_all(settings, orders, journal, headless=headless, trace=trace)
        return Landed(
            report=report,
            downloads=tuple(journal.downloads),
            failed=tuple(journal.failed_windows),
            skipped=tuple(journal.skipped_windows),
            lying=tuple(journal.lying),
        )


def _require_room(settings: Settings, orders: Sequence[Order], journal: LedgerJournal) -> None:
    """Raises DiskFull where something of a download is written and no room is left; the ledger has it for every window then."""
    folders = (settings.downloads_dir, settings.profiles_dir, settings.local_dir, Path(tempfile.gettempdir()))
    try:
        require_room(folders, megabytes=settings.env.min_free_mb)
    except DiskFull as error:
        for order in orders:
            for window in order.windows:
                journal.failed(order.store, order.report, window, error)
        raise


def _orders(settings: Settings, report: Report, keys: Sequence[str], beside: Beside | None) -> list[Order]:
    """One order per store. Each waits for its own account's lock alone, so that two runs never wait for each other crosswise."""
    longest, more = settings.crm(report.crm).max_window_days, days_by_store(beside.keys if beside else ())
    return [
        Order(
            store=settings.store(report.crm, code),
            report=report,
            windows=tuple(
                window
                for window in Window.joining([*days, *more.get(code, ())], longest)
                if any(day in window for day in days)
            ),
        )
        for code, days in days_by_store(keys).items()
    ]
