"""What the three workbooks look like: sheet titles, headers in order, and the columns a footer sums.

Tables only. Bytes are written by ``workbooks``; what stands in the rows is drawn by ``books``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

type Cell = str | int | float | None
type Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One kind of sheet. ``sums`` is empty where the portal writes no footer; ``count`` is the column of its count."""

    title: str
    headers: tuple[str, ...]
    footer_label: str | None = None
    count: str = ""
    sums: tuple[str, ...] = ()


ORDER_REPORT = Layout(
    title="Sheet 1",
    headers=(
        "Order Date / Time",
        "Order No.",
        "Customer Code",
        "Name",
        "Address",
        "Phone",
        "Preference",
        "Due Date",
        "Last Activity",
        "Pcs.",
        "Weight",
        "Gross Amount",
        "Discount",
        "Tax",
        "Net Amount",
        "Advance",
        "Paid",
        "Adjustment",
        "Balance",
        "Advance Received",
        "Advance Used",
        "Booked By",
        "Workshop Note",
        "Order Note",
        "Home Delivery",
        "Area Location",
        "Garments Inspected By",
        "Customer GSTIN",
        "Registration Source",
        "Order From POS",
        "Package",
        "Package Type",
        "Package Name",
        "Feedback",
        "Tags",
        "Comment",
        "Primary Services",
        "Top Up/Extra Service",
        "Order Status",
        "Last Payment Activity",
        "Package Payment Info",
        "Coupon Code",
    ),
    footer_label="Total order",
    count="Order No.",
    sums=(
        "Pcs.",
        "Weight",
        "Gross Amount",
        "Discount",
        "Tax",
        "Net Amount",
        "Advance",
        "Paid",
        "Adjustment",
        "Balance",
        "Advance Received",
        "Advance Used",
    ),
)

SALES_AND_DELIVERY = Layout(
    title="Sheet 1",
    headers=(
        "Order Date",
        "Payment Date",
        "Order Number",
        "Customer Code",
        "Customer Name",
        "Customer Address",
        "Customer Mobile No.",
        "Payment Received",
        "Adjustments",
        "Balance",
        "Accept By",
        "Payment Mode",
        "Online TransactionID",
        "Payment Made At",
        "Type",
    ),
    footer_label="Total Order",
    count="Order Number",
    sums=("Payment Received", "Adjustments"),
)

GST_REPORT = Layout(
    title="GST Report",
    headers=(
        "S.No.",
        "Booking ID",
        "Invoice No.",
        "Invoice Date",
        "Customer Name",
        "Customer Ph. No.",
        "Payment Status",
        "Customer GSTIN",
        "Place of Supply",
        "Taxable Value",
        "CGST",
        "SGST",
        "Total Invoice Value",
    ),
)
