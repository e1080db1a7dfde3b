-- depends: 0002_tumbledry_orders

-- UClean GST invoices: staging as the portal wrote it, facts as the business reads them, and how the facts changed.
-- The columns are those of the portal's reports.py; a test keeps them equal.

CREATE TABLE stg_uc_gst_report (
    store           text NOT NULL,
    business_day    date NOT NULL,
    row_number      integer NOT NULL,
    ledger_id       bigint NOT NULL REFERENCES download_ledger,
    serial_number   text,
    booking_id      text,
    invoice_number  text,
    invoiced_on     text,
    customer_name   text,
    customer_phone  text,
    payment_status  text,
    customer_gstin  text,
    place_of_supply text,
    taxable_value   text,
    cgst            text,
    sgst            text,
    invoice_value   text,
    _extra          jsonb,
    PRIMARY KEY (store, business_day, row_number)
);

COMMENT ON TABLE stg_uc_gst_report IS 'Invoices with GST by invoice date: every row as text, as the portal wrote it; a (store, day) is replaced as a whole';
COMMENT ON COLUMN stg_uc_gst_report.store IS 'Store code as in stores.yaml';
COMMENT ON COLUMN stg_uc_gst_report.business_day IS 'Business day of the row (Asia/Kolkata)';
COMMENT ON COLUMN stg_uc_gst_report.row_number IS 'Row of the workbook, from 1 for its header';
COMMENT ON COLUMN stg_uc_gst_report.ledger_id IS 'The export the row came from, in download_ledger';
COMMENT ON COLUMN stg_uc_gst_report.serial_number IS 'Cell under "S.No.", as text';
COMMENT ON COLUMN stg_uc_gst_report.booking_id IS 'Cell under "Booking ID", as text';
COMMENT ON COLUMN stg_uc_gst_report.invoice_number IS 'Cell under "Invoice No.", as text';
COMMENT ON COLUMN stg_uc_gst_report.invoiced_on IS 'Cell under "Invoice Date", as text';
COMMENT ON COLUMN stg_uc_gst_report.customer_name IS 'Cell under "Customer Name", as text (personal data)';
COMMENT ON COLUMN stg_uc_gst_report.customer_phone IS 'Cell under "Customer Ph. No.", as text (personal data)';
COMMENT ON COLUMN stg_uc_gst_report.payment_status IS 'Cell under "Payment Status", as text';
COMMENT ON COLUMN stg_uc_gst_report.customer_gstin IS 'Cell under "Customer GSTIN", as text (personal data)';
COMMENT ON COLUMN stg_uc_gst_report.place_of_supply IS 'Cell under "Place of Supply", as text';
COMMENT ON COLUMN stg_uc_gst_report.taxable_value IS 'Cell under "Taxable Value", as text';
COMMENT ON COLUMN stg_uc_gst_report.cgst IS 'Cell under "CGST", as text';
COMMENT ON COLUMN stg_uc_gst_report.sgst IS 'Cell under "SGST", as text';
COMMENT ON COLUMN stg_uc_gst_report.invoice_value IS 'Cell under "Total Invoice Value", as text';
COMMENT ON COLUMN stg_uc_gst_report._extra IS 'Cells under headers this project does not know, by header; null when there are none';

CREATE TABLE fact_uc_gst (
    store           text NOT NULL,
    business_day    date NOT NULL,
    booking_id      text NOT NULL,
    invoice_number  text NOT NULL,
    invoiced_on     date NOT NULL,
    customer_name   text,
    customer_phone  text,
    payment_status  text,
    customer_gstin  text,
    place_of_supply text,
    taxable_value   numeric(12,2),
    cgst            numeric(12,2),
    sgst            numeric(12,2),
    invoice_value   numeric(12,2),
    row_hash        text NOT NULL,
    first_seen_at   timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    ledger_id       bigint NOT NULL REFERENCES download_ledger,
    missing_since   timestamptz,
    PRIMARY KEY (store, invoice_number)
);

-- Sums of a store's day, and of a day over all stores.
CREATE INDEX fact_uc_gst_day ON fact_uc_gst (business_day, store);
-- "What changed since": readers that copy increments.
CREATE INDEX fact_uc_gst_changed ON fact_uc_gst (changed_at);

COMMENT ON TABLE fact_uc_gst IS 'One row for each UClean invoice, as the newest export knows it; money in rupees';
COMMENT ON COLUMN fact_uc_gst.store IS 'Store code as in stores.yaml';
COMMENT ON COLUMN fact_uc_gst.business_day IS 'Day of invoiced_on in Asia/Kolkata; an attribute, not part of the key: it may be corrected';
COMMENT ON COLUMN fact_uc_gst.booking_id IS 'Store prefix and sequence: UC567-1332';
COMMENT ON COLUMN fact_uc_gst.invoice_number IS 'Store, fiscal year, sequence';
COMMENT ON COLUMN fact_uc_gst.invoiced_on IS 'Day of the invoice, day first';
COMMENT ON COLUMN fact_uc_gst.customer_name IS 'Customer''s name (personal data)';
COMMENT ON COLUMN fact_uc_gst.customer_phone IS '10 digits, rarely 9 (personal data)';
COMMENT ON COLUMN fact_uc_gst.payment_status IS 'Pending, Cash or UPI/Wallet App';
COMMENT ON COLUMN fact_uc_gst.customer_gstin IS 'Customer''s GST number (personal data)';
COMMENT ON COLUMN fact_uc_gst.place_of_supply IS 'City';
COMMENT ON COLUMN fact_uc_gst.taxable_value IS 'Rupees before tax';
COMMENT ON COLUMN fact_uc_gst.cgst IS 'Central GST in rupees, 9 %';
COMMENT ON COLUMN fact_uc_gst.sgst IS 'State GST in rupees, 9 %';
COMMENT ON COLUMN fact_uc_gst.invoice_value IS 'Rupees: taxable value and both taxes, within 0.06';
COMMENT ON COLUMN fact_uc_gst.row_hash IS 'MD5 over the business columns; a load writes the row only when it differs';
COMMENT ON COLUMN fact_uc_gst.first_seen_at IS 'When an export first held the row';
COMMENT ON COLUMN fact_uc_gst.changed_at IS 'When a value last changed, or the row went missing or came back. When it was last seen unchanged stands in staging_slice.staged_at';
COMMENT ON COLUMN fact_uc_gst.ledger_id IS 'The export that made the last change, in download_ledger';
COMMENT ON COLUMN fact_uc_gst.missing_since IS 'Since when the newest export of its day no longer holds the row; null for a row that is there. Rows are never deleted';

CREATE TABLE fact_uc_gst_history (
    history_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store          text NOT NULL,
    invoice_number text NOT NULL,
    changed_at     timestamptz NOT NULL,
    ledger_id      bigint NOT NULL REFERENCES download_ledger,
    old            jsonb NOT NULL,
    new            jsonb NOT NULL,
    FOREIGN KEY (store, invoice_number) REFERENCES fact_uc_gst
);

CREATE INDEX fact_uc_gst_history_row ON fact_uc_gst_history (store, invoice_number, changed_at);

COMMENT ON TABLE fact_uc_gst_history IS 'Each change of a row of fact_uc_gst, with the values before and after';
COMMENT ON COLUMN fact_uc_gst_history.history_id IS 'Number of the change';
COMMENT ON COLUMN fact_uc_gst_history.store IS 'Store code as in stores.yaml';
COMMENT ON COLUMN fact_uc_gst_history.invoice_number IS 'The row that changed';
COMMENT ON COLUMN fact_uc_gst_history.changed_at IS 'When the change was loaded';
COMMENT ON COLUMN fact_uc_gst_history.ledger_id IS 'The export that brought the change, in download_ledger';
COMMENT ON COLUMN fact_uc_gst_history.old IS 'Values before the change, of the changed columns only; missing_since tells of a row that vanished or came back';
COMMENT ON COLUMN fact_uc_gst_history.new IS 'Values after the change, of the same columns';
