"""Resources: the warehouse and Playwright, as Dagster hands them to assets.

Neither holds an address or a secret: both read the settings when they are used, so that nothing of them shows in the UI and the
environment of the run decides. A browser is launched inside a store's session, never in a resource's set-up.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagster as dg

from crm_assets.model import Report, Window, system_clock
from crm_assets.multi_crm_downloader import Order, download_all
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
        keep_file: bool | None,
        headless: bool | None,
        trace: bool,
    ) -> Landed:
        """Export the days of these partitions in as few windows as the CRM allows; holds each account's lock meanwhile.

        Raises WarehouseUnavailable before anything is asked of a portal when the ledger cannot be written.
        """
        settings = load_settings()
        url = database_url(settings)
        journal = LedgerJournal(
            url=url,
            holder=f"run {run_id[:8]}",
            wait_seconds=settings.env.account_wait_s,
            run_id=run_id,
            keep_file=settings.env.keep_files > 0 if keep_file is None else keep_file,
            clock=system_clock,
        )
        with connect(url) as conn:
            require_current(conn, [report])
            ledger.close_abandoned(conn, system_clock())
        download_all(settings, _orders(settings, report, keys), journal, headless=headless, trace=trace)
        return Landed(
            report=report,
            downloads=tuple(journal.downloads),
            failed=tuple(journal.failed_windows),
            skipped=tuple(journal.skipped_windows),
        )


def _orders(settings: Settings, report: Report, keys: Sequence[str]) -> list[Order]:
    """One order per store. Each waits for its own account's lock alone, so that two runs never wait for each other crosswise."""
    longest = settings.crm(report.crm).max_window_days
    return [
        Order(store=settings.store(report.crm, code), report=report, windows=tuple(Window.joining(days, longest)))
        for code, days in days_by_store(keys).items()
    ]
