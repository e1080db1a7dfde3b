"""What the four stores have sold, as of a moment: a pure function of the seed, the store and the clock.

``series`` says how much there is on a day and how it is numbered, ``people`` who brings it, ``tumbledry`` and ``uclean``
what an order or an invoice is and becomes, ``payments`` what is paid for TumbleDry's orders, and when. Nothing here knows a web
page or a workbook's bytes.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from crm_assets.model import Clock, Window
from crm_assets.sandbox.books import payments, tumbledry, uclean
from crm_assets.sandbox.layouts import Row
from crm_assets.sandbox.stores import SandboxStore, find_store

type IsQuiet = Callable[[SandboxStore, date], bool]


class Books:
    """The rows of a window as the portals would write them at this moment, or at an earlier one (``as_of``)."""

    def __init__(self, seed: str, clock: Clock, is_quiet: IsQuiet) -> None:
        self._seed = seed
        self._clock = clock
        self._is_quiet = is_quiet

    def td_orders(self, store: str, window: Window, as_of: datetime | None = None) -> list[Row]:
        """Rows of the order report, ascending by order time."""
        now = as_of or self._clock()
        shop = _known("td", store)
        orders = (order for day in self._days(shop, window) for order in tumbledry.orders_on(self._seed, shop, day))
        return [tumbledry.order_row(order, now) for order in orders if order.at <= now]

    def td_payments(self, store: str, window: Window, as_of: datetime | None = None) -> list[Row]:
        """Rows of Sales & Delivery: what was paid on these days, be the order older; by day, then by order."""
        now = as_of or self._clock()
        shop = _known("td", store)
        earlier = Window(first=window.first - timedelta(days=payments.LONGEST_DAYS), last=window.last)
        orders = (order for day in self._days(shop, earlier) for order in tumbledry.orders_on(self._seed, shop, day))
        paid_late = (order for order in orders if payments.over_on(order) >= window.first)
        entries = (entry for order in paid_late for entry in payments.entries_of(self._seed, shop, order))
        shown = [entry for entry in entries if entry.at.date() in window and entry.at <= now]
        return [payments.entry_row(entry) for entry in sorted(shown, key=payments.as_listed)]

    def uc_invoices(self, store: str, window: Window, as_of: datetime | None = None) -> list[Row]:
        """Rows of the GST report, ascending by invoice."""
        invoices = self.invoices(store, window, as_of)
        now = as_of or self._clock()
        return [uclean.invoice_row(serial, invoice, now) for serial, invoice in enumerate(invoices, start=1)]

    def invoices(self, store: str, window: Window, as_of: datetime | None = None) -> list[uclean.Invoice]:
        """The invoices themselves, which the API tells with more detail than the workbook."""
        now = as_of or self._clock()
        shop = _known("uc", store)
        invoices = (each for day in self._days(shop, window) for each in uclean.invoices_on(self._seed, shop, day))
        return [invoice for invoice in invoices if invoice.at <= now]

    def _days(self, store: SandboxStore, window: Window) -> list[date]:
        return [day for day in window.days() if not self._is_quiet(store, day)]


def _known(crm: str, code: str) -> SandboxStore:
    store = find_store(crm, code)
    if store is None:
        raise ValueError(f"the sandbox has no store {crm}/{code}")
    return store
