"""UClean's reports as tables: header, our name, kind, and what it means.

One line a column; the parser, the checks, the DDL test and Dagster's column schema all read it here. How to reach a report is
``export.py``'s business. Source of the headers and formats: exports written by the portal.
"""

from crm_assets.model import Column, Kind, Report
from crm_assets.portals.patterns import BUSINESS_KEY, GSTIN, PHONE

GST_COLUMNS = (
    Column(
        name="serial_number",
        header="S.No.",
        kind=Kind.INTEGER,
        in_fact=False,
        description="Row number of the export; differs from window to window",
    ),
    Column(
        name="booking_id",
        header="Booking ID",
        required=True,
        **BUSINESS_KEY,
        description="Store prefix and sequence: UC567-1332",
    ),
    Column(
        name="invoice_number",
        header="Invoice No.",
        required=True,
        **BUSINESS_KEY,
        description="Store, fiscal year, sequence",
    ),
    Column(
        name="invoiced_on",
        header="Invoice Date",
        kind=Kind.DAY,
        required=True,
        formats=("%d/%m/%Y",),
        description="Day of the invoice, day first",
    ),
    Column(name="customer_name", header="Customer Name", personal=True, description="Customer's name"),
    Column(
        name="customer_phone",
        header="Customer Ph. No.",
        **PHONE,
        personal=True,
        description="10 digits, rarely 9",
    ),
    Column(name="payment_status", header="Payment Status", description="Pending, Cash or UPI/Wallet App"),
    Column(
        name="customer_gstin",
        header="Customer GSTIN",
        **GSTIN,
        personal=True,
        description="Customer's GST number",
    ),
    Column(name="place_of_supply", header="Place of Supply", description="City"),
    Column(name="taxable_value", header="Taxable Value", kind=Kind.MONEY, description="Rupees before tax"),
    Column(name="cgst", header="CGST", kind=Kind.MONEY, description="Central GST in rupees, 9 %"),
    Column(name="sgst", header="SGST", kind=Kind.MONEY, description="State GST in rupees, 9 %"),
    Column(
        name="invoice_value",
        header="Total Invoice Value",
        kind=Kind.MONEY,
        description="Rupees: taxable value and both taxes, within 0.06",
    ),
)

GST_REPORT = Report(
    crm="uc",
    name="gst_report",
    file_prefix="UC_GST",
    sheet="GST Report",
    columns=GST_COLUMNS,
    key="invoice_number",
    day="invoiced_on",
    staging_table="stg_uc_gst_report",
    fact_table="fact_uc_gst",
    description="Invoices with GST by invoice date",
    store_column="booking_id",
)
