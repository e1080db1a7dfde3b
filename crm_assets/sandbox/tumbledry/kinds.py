"""The reports of the report app: of each where it stands, what it is called, and which rows of the books it shows.

The app is one for all of them (``reports``), and so is the page around it (``subs``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from crm_assets.model import Window
from crm_assets.sandbox.books import Books
from crm_assets.sandbox.layouts import ORDER_REPORT, SALES_AND_DELIVERY, Layout, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportKind:
    """``page`` is its name on the subs origin, ``word`` on the reports origin, ``folder`` that of its files there."""

    title: str
    page: str
    word: str
    folder: str
    layout: Layout
    rows: Callable[[Books, str, Window, datetime], list[Row]]


KINDS = (
    ReportKind(
        title="Order Report",
        page="OrderReport.aspx",
        word="order-report",
        folder="order-reports",
        layout=ORDER_REPORT,
        rows=Books.td_orders,
    ),
    ReportKind(
        title="Sales and Delivery",
        page="NEWSalesAndDeliveryReport",
        word="sales-and-delivery",
        folder="sales-reports",
        layout=SALES_AND_DELIVERY,
        rows=Books.td_payments,
    ),
)
