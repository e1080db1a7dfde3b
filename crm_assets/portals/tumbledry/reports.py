"""TumbleDry's reports as tables: header, our name, kind, and what it means.

One line a column; the parser, the checks, the DDL test and Dagster's column schema all read it here. How to reach a report is
``export.py``'s business. Source of the headers and formats: exports written by the portal.
"""

from crm_assets.model import Column, Footer, Kind, Report
from crm_assets.portals.patterns import BUSINESS_KEY, GSTIN, PHONE

MOMENT = ("%d %b %Y %I:%M:%S %p", "%d %b %Y %I:%M %p")
DAY = ("%d %b %Y",)

ORDER_COLUMNS = (
    Column(
        name="ordered_at",
        header="Order Date / Time",
        kind=Kind.MOMENT,
        required=True,
        formats=MOMENT,
        description="When the order was booked",
    ),
    Column(
        name="order_number",
        header="Order No.",
        required=True,
        **BUSINESS_KEY,
        description="Sequential per store: T1035",
    ),
    Column(name="customer_code", header="Customer Code", description="The portal's own customer id"),
    Column(name="customer_name", header="Name", personal=True, description="Customer's name"),
    Column(name="customer_address", header="Address", personal=True, description="Customer's address"),
    Column(
        name="customer_phone",
        header="Phone",
        **PHONE,
        personal=True,
        description="10 digits, rarely a placeholder",
    ),
    Column(
        name="preference", header="Preference", description="The text NA almost always; a text, not a missing value"
    ),
    Column(name="due_on", header="Due Date", kind=Kind.DAY, formats=DAY, description="Promised day, usually 3 days on"),
    Column(
        name="last_activity_at",
        header="Last Activity",
        kind=Kind.MOMENT,
        formats=MOMENT,
        description="Last change of the order; empty while unprocessed",
    ),
    Column(name="pieces", header="Pcs.", kind=Kind.INTEGER, description="Number of garments"),
    Column(name="weight_kg", header="Weight", kind=Kind.NUMBER, description="Weight in kg"),
    Column(name="gross_amount", header="Gross Amount", kind=Kind.MONEY, description="Rupees before discount"),
    Column(name="discount", header="Discount", kind=Kind.MONEY, description="Rupees"),
    Column(name="tax", header="Tax", kind=Kind.MONEY, description="Rupees; always 0 so far"),
    Column(name="net_amount", header="Net Amount", kind=Kind.MONEY, description="Rupees: gross less discount, rounded"),
    Column(name="advance", header="Advance", kind=Kind.MONEY, description="Rupees"),
    Column(name="paid", header="Paid", kind=Kind.MONEY, description="Rupees paid so far"),
    Column(name="adjustment", header="Adjustment", kind=Kind.MONEY, description="Rupees waived"),
    Column(name="balance", header="Balance", kind=Kind.MONEY, description="Rupees still owed"),
    Column(name="advance_received", header="Advance Received", kind=Kind.MONEY, description="Rupees"),
    Column(name="advance_used", header="Advance Used", kind=Kind.MONEY, description="Rupees"),
    Column(name="booked_by", header="Booked By", description="Who took the order"),
    Column(name="workshop_note", header="Workshop Note", description="Free text"),
    Column(name="order_note", header="Order Note", description="Free text"),
    Column(name="home_delivery", header="Home Delivery", description="Yes or No"),
    Column(name="area_location", header="Area Location", description="Delivery area"),
    Column(name="garments_inspected_by", header="Garments Inspected By", description="Who inspected"),
    Column(
        name="customer_gstin",
        header="Customer GSTIN",
        **GSTIN,
        personal=True,
        description="Customer's GST number",
    ),
    Column(name="registration_source", header="Registration Source", description="How the customer came"),
    Column(name="order_from_pos", header="Order From POS", description="Yes or No"),
    Column(name="package", header="Package", description="Yes or No"),
    Column(name="package_type", header="Package Type", description="Kind of package"),
    Column(name="package_name", header="Package Name", description="Name of the package"),
    Column(name="feedback", header="Feedback", description="Free text"),
    Column(name="tags", header="Tags", description="Free text"),
    Column(name="comment", header="Comment", description="Free text"),
    Column(name="primary_services", header="Primary Services", description="Codes in any order: CL, SI, WF, WSI"),
    Column(name="extra_services", header="Top Up/Extra Service", description="Codes in any order"),
    Column(name="order_status", header="Order Status", description="Unprocessed, Inprocessing, Ready or Delivered"),
    Column(name="last_payment_activity", header="Last Payment Activity", description="Usually empty"),
    Column(name="package_payment_info", header="Package Payment Info", description="Usually empty"),
    Column(name="coupon_code", header="Coupon Code", description="Usually empty"),
)

ORDER_REPORT = Report(
    crm="td",
    name="order_report",
    file_prefix="TD_OrderReport",
    sheet="Sheet 1",
    columns=ORDER_COLUMNS,
    key="order_number",
    day="ordered_at",
    staging_table="stg_td_order_report",
    fact_table="fact_td_orders",
    description="Orders by order date, with status, pieces and what is paid",
    footer=Footer(
        label="Total order",
        count="order_number",
        sums=(
            "pieces",
            "weight_kg",
            "gross_amount",
            "discount",
            "tax",
            "net_amount",
            "advance",
            "paid",
            "adjustment",
            "balance",
            "advance_received",
            "advance_used",
        ),
    ),
)

PAYMENT_COLUMNS = (
    Column(name="ordered_on", header="Order Date", kind=Kind.DAY, formats=DAY, description="Day the order was booked"),
    Column(
        name="paid_at",
        header="Payment Date",
        kind=Kind.MOMENT,
        required=True,
        formats=MOMENT,
        description="When it was paid or, for a return, paid back",
    ),
    Column(
        name="order_number",
        header="Order Number",
        required=True,
        **BUSINESS_KEY,
        description="The order: T1035; of a return its own number: SRN75",
    ),
    Column(name="customer_code", header="Customer Code", description="The portal's own customer id"),
    Column(name="customer_name", header="Customer Name", personal=True, description="Customer's name"),
    Column(name="customer_address", header="Customer Address", personal=True, description="Customer's address"),
    Column(
        name="customer_phone",
        header="Customer Mobile No.",
        **PHONE,
        personal=True,
        description="10 digits, rarely a placeholder",
    ),
    Column(
        name="payment_received",
        header="Payment Received",
        kind=Kind.MONEY,
        required=True,
        description="Rupees; below 0 for a return",
    ),
    Column(name="adjustments", header="Adjustments", kind=Kind.MONEY, description="Rupees waived"),
    Column(name="balance", header="Balance", kind=Kind.MONEY, description="Rupees still owed after it"),
    Column(name="accepted_by", header="Accept By", description="Who took the payment"),
    Column(
        name="payment_mode",
        header="Payment Mode",
        description="Cash, Paytm, Google Pay, PhonePe, Credit Card/Debit Card or Package; empty where nothing was paid",
    ),
    Column(
        name="transaction_id",
        header="Online TransactionID",
        description="The payment service's own number, mostly empty",
    ),
    Column(
        name="payment_made_at", header="Payment Made At", description="Walk in Customer, Mobile POS or Payment Link"
    ),
    Column(name="entry_type", header="Type", description="Order, or SRN-Garment Return"),
    Column(
        name="payment_key",
        header="Order Number, Payment Date and Payment Mode",
        made_of=("order_number", "paid_at", "payment_mode"),
        required=True,
        description="Order number, time and mode of the payment as the portal writes them, joined: no column alone tells two "
        "payments of an order apart",
    ),
)

SALES_AND_DELIVERY = Report(
    crm="td",
    name="sales_and_delivery",
    file_prefix="TD_SalesAndDelivery",
    sheet="Sheet 1",
    columns=PAYMENT_COLUMNS,
    key="payment_key",
    day="paid_at",
    staging_table="stg_td_sales",
    fact_table="fact_td_payments",
    description="Payments by the day they were made, returns below 0",
    footer=Footer(label="Total Order", count="order_number", sums=("payment_received", "adjustments")),
)
