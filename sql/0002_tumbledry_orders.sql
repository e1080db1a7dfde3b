-- depends: 0001_ledger_and_audit

-- TumbleDry orders: staging as the portal wrote it, facts as the business reads them, and how the facts changed.
-- The columns are those of the portal's reports.py; a test keeps them equal.

CREATE TABLE stg_td_order_report (
    store                 text NOT NULL,
    business_day          date NOT NULL,
    row_number            integer NOT NULL,
    ledger_id             bigint NOT NULL REFERENCES download_ledger,
    ordered_at            text,
    order_number          text,
    customer_code         text,
    customer_name         text,
    customer_address      text,
    customer_phone        text,
    preference            text,
    due_on                text,
    last_activity_at      text,
    pieces                text,
    weight_kg             text,
    gross_amount          text,
    discount              text,
    tax                   text,
    net_amount            text,
    advance               text,
    paid                  text,
    adjustment            text,
    balance               text,
    advance_received      text,
    advance_used          text,
    booked_by             text,
    workshop_note         text,
    order_note            text,
    home_delivery         text,
    area_location         text,
    garments_inspected_by text,
    customer_gstin        text,
    registration_source   text,
    order_from_pos        text,
    package               text,
    package_type          text,
    package_name          text,
    feedback              text,
    tags                  text,
    comment               text,
    primary_services      text,
    extra_services        text,
    order_status          text,
    last_payment_activity text,
    package_payment_info  text,
    coupon_code           text,
    _extra                jsonb,
    PRIMARY KEY (store, business_day, row_number)
);

COMMENT ON TABLE stg_td_order_report IS 'Orders by order date, with status, pieces and what is paid: every row as text, as the portal wrote it; a (store, day) is replaced as a whole';
COMMENT ON COLUMN stg_td_order_report.store IS 'Store code as in stores.yaml';
COMMENT ON COLUMN stg_td_order_report.business_day IS 'Business day of the row (Asia/Kolkata)';
COMMENT ON COLUMN stg_td_order_report.row_number IS 'Row of the workbook, from 1 for its header';
COMMENT ON COLUMN stg_td_order_report.ledger_id IS 'The export the row came from, in download_ledger';
COMMENT ON COLUMN stg_td_order_report.ordered_at IS 'Cell under "Order Date / Time", as text';
COMMENT ON COLUMN stg_td_order_report.order_number IS 'Cell under "Order No.", as text';
COMMENT ON COLUMN stg_td_order_report.customer_code IS 'Cell under "Customer Code", as text';
COMMENT ON COLUMN stg_td_order_report.customer_name IS 'Cell under "Name", as text (personal data)';
COMMENT ON COLUMN stg_td_order_report.customer_address IS 'Cell under "Address", as text (personal data)';
COMMENT ON COLUMN stg_td_order_report.customer_phone IS 'Cell under "Phone", as text (personal data)';
COMMENT ON COLUMN stg_td_order_report.preference IS 'Cell under "Preference", as text';
COMMENT ON COLUMN stg_td_order_report.due_on IS 'Cell under "Due Date", as text';
COMMENT ON COLUMN stg_td_order_report.last_activity_at IS 'Cell under "Last Activity", as text';
COMMENT ON COLUMN stg_td_order_report.pieces IS 'Cell under "Pcs.", as text';
COMMENT ON COLUMN stg_td_order_report.weight_kg IS 'Cell under "Weight", as text';
COMMENT ON COLUMN stg_td_order_report.gross_amount IS 'Cell under "Gross Amount", as text';
COMMENT ON COLUMN stg_td_order_report.discount IS 'Cell under "Discount", as text';
COMMENT ON COLUMN stg_td_order_report.tax IS 'Cell under "Tax", as text';
COMMENT ON COLUMN stg_td_order_report.net_amount IS 'Cell under "Net Amount", as text';
COMMENT ON COLUMN stg_td_order_report.advance IS 'Cell under "Advance", as text';
COMMENT ON COLUMN stg_td_order_report.paid IS 'Cell under "Paid", as text';
COMMENT ON COLUMN stg_td_order_report.adjustment IS 'Cell under "Adjustment", as text';
COMMENT ON COLUMN stg_td_order_report.balance IS 'Cell under "Balance", as text';
COMMENT ON COLUMN stg_td_order_report.advance_received IS 'Cell under "Advance Received", as text';
COMMENT ON COLUMN stg_td_order_report.advance_used IS 'Cell under "Advance Used", as text';
COMMENT ON COLUMN stg_td_order_report.booked_by IS 'Cell under "Booked By", as text';
COMMENT ON COLUMN stg_td_order_report.workshop_note IS 'Cell under "Workshop Note", as text';
COMMENT ON COLUMN stg_td_order_report.order_note IS 'Cell under "Order Note", as text';
COMMENT ON COLUMN stg_td_order_report.home_delivery IS 'Cell under "Home Delivery", as text';
COMMENT ON COLUMN stg_td_order_report.area_location IS 'Cell under "Area Location", as text';
COMMENT ON COLUMN stg_td_order_report.garments_inspected_by IS 'Cell under "Garments Inspected By", as text';
COMMENT ON COLUMN stg_td_order_report.customer_gstin IS 'Cell under "Customer GSTIN", as text (personal data)';
COMMENT ON COLUMN stg_td_order_report.registration_source IS 'Cell under "Registration Source", as text';
COMMENT ON COLUMN stg_td_order_report.order_from_pos IS 'Cell under "Order From POS", as text';
COMMENT ON COLUMN stg_td_order_report.package IS 'Cell under "Package", as text';
COMMENT ON COLUMN stg_td_order_report.package_type IS 'Cell under "Package Type", as text';
COMMENT ON COLUMN stg_td_order_report.package_name IS 'Cell under "Package Name", as text';
COMMENT ON COLUMN stg_td_order_report.feedback IS 'Cell under "Feedback", as text';
COMMENT ON COLUMN stg_td_order_report.tags IS 'Cell under "Tags", as text';
COMMENT ON COLUMN stg_td_order_report.comment IS 'Cell under "Comment", as text';
COMMENT ON COLUMN stg_td_order_report.primary_services IS 'Cell under "Primary Services", as text';
COMMENT ON COLUMN stg_td_order_report.extra_services IS 'Cell under "Top Up/Extra Service", as text';
COMMENT ON COLUMN stg_td_order_report.order_status IS 'Cell under "Order Status", as text';
COMMENT ON COLUMN stg_td_order_report.last_payment_activity IS 'Cell under "Last Payment Activity", as text';
COMMENT ON COLUMN stg_td_order_report.package_payment_info IS 'Cell under "Package Payment Info", as text';
COMMENT ON COLUMN stg_td_order_report.coupon_code IS 'Cell under "Coupon Code", as text';
COMMENT ON COLUMN stg_td_order_report._extra IS 'Cells under headers this project does not know, by header; null when there are none';

CREATE TABLE fact_td_orders (
    store                 text NOT NULL,
    business_day          date NOT NULL,
    ordered_at            timestamptz NOT NULL,
    order_number          text NOT NULL,
    customer_code         text,
    customer_name         text,
    customer_address      text,
    customer_phone        text,
    preference            text,
    due_on                date,
    last_activity_at      timestamptz,
    pieces                integer,
    weight_kg             numeric,
    gross_amount          numeric(12,2),
    discount              numeric(12,2),
    tax                   numeric(12,2),
    net_amount            numeric(12,2),
    advance               numeric(12,2),
    paid                  numeric(12,2),
    adjustment            numeric(12,2),
    balance               numeric(12,2),
    advance_received      numeric(12,2),
    advance_used          numeric(12,2),
    booked_by             text,
    workshop_note         text,
    order_note            text,
    home_delivery         text,
    area_location         text,
    garments_inspected_by text,
    customer_gstin        text,
    registration_source   text,
    order_from_pos        text,
    package               text,
    package_type          text,
    package_name          text,
    feedback              text,
    tags                  text,
    comment               text,
    primary_services      text,
    extra_services        text,
    order_status          text,
    last_payment_activity text,
    package_payment_info  text,
    coupon_code           text,
    row_hash              text NOT NULL,
    first_seen_at         timestamptz NOT NULL,
    changed_at            timestamptz NOT NULL,
    ledger_id             bigint NOT NULL REFERENCES download_ledger,
    missing_since         timestamptz,
    PRIMARY KEY (store, order_number)
);

-- Sums of a store's day, and of a day over all stores.
CREATE INDEX fact_td_orders_day ON fact_td_orders (business_day, store);
-- "What changed since": readers that copy increments.
CREATE INDEX fact_td_orders_changed ON fact_td_orders (changed_at);

COMMENT ON TABLE fact_td_orders IS 'One row for each TumbleDry order, as the newest export knows it; money in rupees';
COMMENT ON COLUMN fact_td_orders.store IS 'Store code as in stores.yaml';
COMMENT ON COLUMN fact_td_orders.business_day IS 'Day of ordered_at in Asia/Kolkata; an attribute, not part of the key: it may be corrected';
COMMENT ON COLUMN fact_td_orders.ordered_at IS 'When the order was booked';
COMMENT ON COLUMN fact_td_orders.order_number IS 'Sequential per store: T1035';
COMMENT ON COLUMN fact_td_orders.customer_code IS 'The portal''s own customer id';
COMMENT ON COLUMN fact_td_orders.customer_name IS 'Customer''s name (personal data)';
COMMENT ON COLUMN fact_td_orders.customer_address IS 'Customer''s address (personal data)';
COMMENT ON COLUMN fact_td_orders.customer_phone IS '10 digits, rarely a placeholder (personal data)';
COMMENT ON COLUMN fact_td_orders.preference IS 'The text NA almost always; a text, not a missing value';
COMMENT ON COLUMN fact_td_orders.due_on IS 'Promised day, usually 3 days on';
COMMENT ON COLUMN fact_td_orders.last_activity_at IS 'Last change of the order; empty while unprocessed';
COMMENT ON COLUMN fact_td_orders.pieces IS 'Number of garments';
COMMENT ON COLUMN fact_td_orders.weight_kg IS 'Weight in kg';
COMMENT ON COLUMN fact_td_orders.gross_amount IS 'Rupees before discount';
COMMENT ON COLUMN fact_td_orders.discount IS 'Rupees';
COMMENT ON COLUMN fact_td_orders.tax IS 'Rupees; always 0 so far';
COMMENT ON COLUMN fact_td_orders.net_amount IS 'Rupees: gross less discount, rounded';
COMMENT ON COLUMN fact_td_orders.advance IS 'Rupees';
COMMENT ON COLUMN fact_td_orders.paid IS 'Rupees paid so far';
COMMENT ON COLUMN fact_td_orders.adjustment IS 'Rupees waived';
COMMENT ON COLUMN fact_td_orders.balance IS 'Rupees still owed';
COMMENT ON COLUMN fact_td_orders.advance_received IS 'Rupees';
COMMENT ON COLUMN fact_td_orders.advance_used IS 'Rupees';
COMMENT ON COLUMN fact_td_orders.booked_by IS 'Who took the order';
COMMENT ON COLUMN fact_td_orders.workshop_note IS 'Free text';
COMMENT ON COLUMN fact_td_orders.order_note IS 'Free text';
COMMENT ON COLUMN fact_td_orders.home_delivery IS 'Yes or No';
COMMENT ON COLUMN fact_td_orders.area_location IS 'Delivery area';
COMMENT ON COLUMN fact_td_orders.garments_inspected_by IS 'Who inspected';
COMMENT ON COLUMN fact_td_orders.customer_gstin IS 'Customer''s GST number (personal data)';
COMMENT ON COLUMN fact_td_orders.registration_source IS 'How the customer came';
COMMENT ON COLUMN fact_td_orders.order_from_pos IS 'Yes or No';
COMMENT ON COLUMN fact_td_orders.package IS 'Yes or No';
COMMENT ON COLUMN fact_td_orders.package_type IS 'Kind of package';
COMMENT ON COLUMN fact_td_orders.package_name IS 'Name of the package';
COMMENT ON COLUMN fact_td_orders.feedback IS 'Free text';
COMMENT ON COLUMN fact_td_orders.tags IS 'Free text';
COMMENT ON COLUMN fact_td_orders.comment IS 'Free text';
COMMENT ON COLUMN fact_td_orders.primary_services IS 'Codes in any order: CL, SI, WF, WSI';
COMMENT ON COLUMN fact_td_orders.extra_services IS 'Codes in any order';
COMMENT ON COLUMN fact_td_orders.order_status IS 'Unprocessed, Inprocessing, Ready or Delivered';
COMMENT ON COLUMN fact_td_orders.last_payment_activity IS 'Usually empty';
COMMENT ON COLUMN fact_td_orders.package_payment_info IS 'Usually empty';
COMMENT ON COLUMN fact_td_orders.coupon_code IS 'Usually empty';
COMMENT ON COLUMN fact_td_orders.row_hash IS 'MD5 over the business columns; a load writes the row only when it differs';
COMMENT ON COLUMN fact_td_orders.first_seen_at IS 'When an export first held the row';
COMMENT ON COLUMN fact_td_orders.changed_at IS 'When a value last changed, or the row went missing or came back. When it was last seen unchanged stands in staging_slice.staged_at';
COMMENT ON COLUMN fact_td_orders.ledger_id IS 'The export that made the last change, in download_ledger';
COMMENT ON COLUMN fact_td_orders.missing_since IS 'Since when the newest export of its day no longer holds the row; null for a row that is there. Rows are never deleted';

CREATE TABLE fact_td_orders_history (
    history_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store        text NOT NULL,
    order_number text NOT NULL,
    changed_at   timestamptz NOT NULL,
    ledger_id    bigint NOT NULL REFERENCES download_ledger,
    old          jsonb NOT NULL,
    new          jsonb NOT NULL,
    FOREIGN KEY (store, order_number) REFERENCES fact_td_orders
);

CREATE INDEX fact_td_orders_history_row ON fact_td_orders_history (store, order_number, changed_at);

COMMENT ON TABLE fact_td_orders_history IS 'Each change of a row of fact_td_orders, with the values before and after';
COMMENT ON COLUMN fact_td_orders_history.history_id IS 'Number of the change';
COMMENT ON COLUMN fact_td_orders_history.store IS 'Store code as in stores.yaml';
COMMENT ON COLUMN fact_td_orders_history.order_number IS 'The row that changed';
COMMENT ON COLUMN fact_td_orders_history.changed_at IS 'When the change was loaded';
COMMENT ON COLUMN fact_td_orders_history.ledger_id IS 'The export that brought the change, in download_ledger';
COMMENT ON COLUMN fact_td_orders_history.old IS 'Values before the change, of the changed columns only; missing_since tells of a row that vanished or came back';
COMMENT ON COLUMN fact_td_orders_history.new IS 'Values after the change, of the same columns';
