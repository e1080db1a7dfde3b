-- depends: 0009_alerts

-- Payments by the day they were made, returns below 0: staging as the portal wrote it, facts as the business reads them, and how the facts
-- changed. The columns are those of the portal's reports.py; a test keeps them equal.

CREATE TABLE stg_td_sales (
    store            text NOT NULL,
    business_day     date NOT NULL,
    row_number       integer NOT NULL,
    ledger_id        bigint NOT NULL REFERENCES download_ledger,
    ordered_on       text,
    paid_at          text,
    order_number     text,
    customer_code    text,
    customer_name    text,
    customer_address text,
    customer_phone   text,
    payment_received text,
    adjustments      text,
    balance          text,
    accepted_by      text,
    payment_mode     text,
    transaction_id   text,
    payment_made_at  text,
    entry_type       text,
    payment_key      text,
    _extra           jsonb,
    PRIMARY KEY (store, business_day, row_number)
);

COMMENT ON TABLE stg_td_sales IS 'Payments by the day they were made, returns below 0: every row as text, as the portal wrote it; a (store, day) is replaced as a whole';
COMMENT ON COLUMN stg_td_sales.store IS 'Store code as in stores.yaml';
COMMENT ON COLUMN stg_td_sales.business_day IS 'Business day of the row (Asia/Kolkata)';
COMMENT ON COLUMN stg_td_sales.row_number IS 'Row of the workbook, from 1 for its header';
COMMENT ON COLUMN stg_td_sales.ledger_id IS 'The export the row came from, in download_ledger';
COMMENT ON COLUMN stg_td_sales.ordered_on IS 'Cell under "Order Date", as text';
COMMENT ON COLUMN stg_td_sales.paid_at IS 'Cell under "Payment Date", as text';
COMMENT ON COLUMN stg_td_sales.order_number IS 'Cell under "Order Number", as text';
COMMENT ON COLUMN stg_td_sales.customer_code IS 'Cell under "Customer Code", as text';
COMMENT ON COLUMN stg_td_sales.customer_name IS 'Cell under "Customer Name", as text (personal data)';
COMMENT ON COLUMN stg_td_sales.customer_address IS 'Cell under "Customer Address", as text (personal data)';
COMMENT ON COLUMN stg_td_sales.customer_phone IS 'Cell under "Customer Mobile No.", as text (personal data)';
COMMENT ON COLUMN stg_td_sales.payment_received IS 'Cell under "Payment Received", as text';
COMMENT ON COLUMN stg_td_sales.adjustments IS 'Cell under "Adjustments", as text';
COMMENT ON COLUMN stg_td_sales.balance IS 'Cell under "Balance", as text';
COMMENT ON COLUMN stg_td_sales.accepted_by IS 'Cell under "Accept By", as text';
COMMENT ON COLUMN stg_td_sales.payment_mode IS 'Cell under "Payment Mode", as text';
COMMENT ON COLUMN stg_td_sales.transaction_id IS 'Cell under "Online TransactionID", as text';
COMMENT ON COLUMN stg_td_sales.payment_made_at IS 'Cell under "Payment Made At", as text';
COMMENT ON COLUMN stg_td_sales.entry_type IS 'Cell under "Type", as text';
COMMENT ON COLUMN stg_td_sales.payment_key IS 'Made of order_number, paid_at, payment_mode';
COMMENT ON COLUMN stg_td_sales._extra IS 'Cells under headers this project does not know, by header; null when there are none';

CREATE TABLE fact_td_payments (
    store            text NOT NULL,
    business_day     date NOT NULL,
    ordered_on       date,
    paid_at          timestamptz NOT NULL,
    order_number     text NOT NULL,
    customer_code    text,
    customer_name    text,
    customer_address text,
    customer_phone   text,
    payment_received numeric(12,2) NOT NULL,
    adjustments      numeric(12,2),
    balance          numeric(12,2),
    accepted_by      text,
    payment_mode     text,
    transaction_id   text,
    payment_made_at  text,
    entry_type       text,
    payment_key      text NOT NULL,
    warnings         jsonb,
    row_hash         text NOT NULL,
    first_seen_at    timestamptz NOT NULL,
    changed_at       timestamptz NOT NULL,
    ledger_id        bigint NOT NULL REFERENCES download_ledger,
    missing_since    timestamptz,
    PRIMARY KEY (store, payment_key)
);

-- Sums of a store's day, and of a day over all stores.
CREATE INDEX fact_td_payments_day ON fact_td_payments (business_day, store);
-- "What changed since": readers that copy increments.
CREATE INDEX fact_td_payments_changed ON fact_td_payments (changed_at);

COMMENT ON TABLE fact_td_payments IS 'Payments by the day they were made, returns below 0: one row for each payment_key of a store, as the newest export knows it; money in rupees';
COMMENT ON COLUMN fact_td_payments.store IS 'Store code as in stores.yaml';
COMMENT ON COLUMN fact_td_payments.business_day IS 'Day of paid_at in Asia/Kolkata; an attribute, not part of the key: it may be corrected';
COMMENT ON COLUMN fact_td_payments.ordered_on IS 'Day the order was booked';
COMMENT ON COLUMN fact_td_payments.paid_at IS 'When it was paid or, for a return, paid back';
COMMENT ON COLUMN fact_td_payments.order_number IS 'The order: T1035; of a return its own number: SRN75';
COMMENT ON COLUMN fact_td_payments.customer_code IS 'The portal''s own customer id';
COMMENT ON COLUMN fact_td_payments.customer_name IS 'Customer''s name (personal data)';
COMMENT ON COLUMN fact_td_payments.customer_address IS 'Customer''s address (personal data)';
COMMENT ON COLUMN fact_td_payments.customer_phone IS '10 digits, rarely a placeholder (personal data)';
COMMENT ON COLUMN fact_td_payments.payment_received IS 'Rupees; below 0 for a return';
COMMENT ON COLUMN fact_td_payments.adjustments IS 'Rupees waived';
COMMENT ON COLUMN fact_td_payments.balance IS 'Rupees still owed after it';
COMMENT ON COLUMN fact_td_payments.accepted_by IS 'Who took the payment';
COMMENT ON COLUMN fact_td_payments.payment_mode IS 'Cash, Paytm, Google Pay, PhonePe, Credit Card/Debit Card or Package; empty where nothing was paid';
COMMENT ON COLUMN fact_td_payments.transaction_id IS 'The payment service''s own number, mostly empty';
COMMENT ON COLUMN fact_td_payments.payment_made_at IS 'Walk in Customer, Mobile POS or Payment Link';
COMMENT ON COLUMN fact_td_payments.entry_type IS 'Order, or SRN-Garment Return';
COMMENT ON COLUMN fact_td_payments.payment_key IS 'Order number, time and mode of the payment as the portal writes them, joined: no column alone tells two payments of an order apart';
COMMENT ON COLUMN fact_td_payments.warnings IS 'What is odd about the row: [{"column": ..., "rule": ..., "value": ...}] (personal data); null when nothing is';
COMMENT ON COLUMN fact_td_payments.row_hash IS 'MD5 over the business columns; a load writes the row only when it differs';
COMMENT ON COLUMN fact_td_payments.first_seen_at IS 'When an export first held the row';
COMMENT ON COLUMN fact_td_payments.changed_at IS 'When a value last changed, or the row went missing or came back. When it was last seen unchanged stands in staging_slice.staged_at';
COMMENT ON COLUMN fact_td_payments.ledger_id IS 'The export that made the last change, in download_ledger';
COMMENT ON COLUMN fact_td_payments.missing_since IS 'Since when the newest export of its day no longer holds the row; null for a row that is there. Rows are never deleted';

CREATE TABLE fact_td_payments_history (
    history_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store       text NOT NULL,
    payment_key text NOT NULL,
    changed_at  timestamptz NOT NULL,
    ledger_id   bigint NOT NULL REFERENCES download_ledger,
    old         jsonb NOT NULL,
    new         jsonb NOT NULL,
    FOREIGN KEY (store, payment_key) REFERENCES fact_td_payments
);

CREATE INDEX fact_td_payments_history_row ON fact_td_payments_history (store, payment_key, changed_at);

COMMENT ON TABLE fact_td_payments_history IS 'Each change of a row of fact_td_payments, with the values before and after';
COMMENT ON COLUMN fact_td_payments_history.history_id IS 'Number of the change';
COMMENT ON COLUMN fact_td_payments_history.store IS 'Store code as in stores.yaml';
COMMENT ON COLUMN fact_td_payments_history.payment_key IS 'The row that changed';
COMMENT ON COLUMN fact_td_payments_history.changed_at IS 'When the change was loaded';
COMMENT ON COLUMN fact_td_payments_history.ledger_id IS 'The export that brought the change, in download_ledger';
COMMENT ON COLUMN fact_td_payments_history.old IS 'Values before the change, of the changed columns only; missing_since tells of a row that vanished or came back';
COMMENT ON COLUMN fact_td_payments_history.new IS 'Values after the change, of the same columns';

CREATE VIEW v_payments AS
SELECT
    'td' AS crm,
    store,
    business_day,
    paid_at,
    order_number,
    -- A package was paid for when it was bought: using it up settles an order but brings no money.
    payment_mode IS DISTINCT FROM 'Package' AS is_money,
    coalesce(payment_mode, 'none') AS payment_mode,
    payment_received AS amount,
    entry_type IS NOT NULL AND entry_type <> 'Order' AS is_return,
    ordered_on,
    changed_at,
    ledger_id
FROM fact_td_payments
WHERE missing_since IS NULL;

COMMENT ON VIEW v_payments IS 'Payments that the newest exports hold, by the day they were made; only td exports them. No personal data';
COMMENT ON COLUMN v_payments.crm IS 'CRM: td (TumbleDry)';
COMMENT ON COLUMN v_payments.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN v_payments.business_day IS 'Day of the payment in Asia/Kolkata';
COMMENT ON COLUMN v_payments.paid_at IS 'When it was paid or paid back';
COMMENT ON COLUMN v_payments.order_number IS 'The order, or the number of the return (SRN75)';
COMMENT ON COLUMN v_payments.is_money IS 'False where a package that was paid for earlier is used up';
COMMENT ON COLUMN v_payments.payment_mode IS 'Cash, Paytm, Package, ...; none where the portal names no mode';
COMMENT ON COLUMN v_payments.amount IS 'Rupees; below 0 for a return';
COMMENT ON COLUMN v_payments.is_return IS 'Whether garments were returned and money paid back';
COMMENT ON COLUMN v_payments.ordered_on IS 'Day the order was booked';
COMMENT ON COLUMN v_payments.changed_at IS 'When the row last changed';
COMMENT ON COLUMN v_payments.ledger_id IS 'The export that made the last change, in download_ledger';

CREATE VIEW v_daily_collections AS
WITH known_days AS (
    SELECT crm, store, business_day FROM staging_slice WHERE report = 'sales_and_delivery'
    UNION
    SELECT crm, store, business_day FROM v_payments
)
SELECT
    crm,
    store,
    business_day,
    payment_mode,
    count(amount) AS payments,
    coalesce(sum(amount), 0)::numeric(14,2) AS amount,
    coalesce(bool_and(is_money), true) AS is_money
FROM known_days
LEFT JOIN v_payments USING (crm, store, business_day)
GROUP BY crm, store, business_day, payment_mode;

COMMENT ON VIEW v_daily_collections IS 'Collections of each store, day and payment mode, returns deducted. A day that was fetched and had no payment stands here once, with no mode and 0';
COMMENT ON COLUMN v_daily_collections.crm IS 'CRM: td (TumbleDry)';
COMMENT ON COLUMN v_daily_collections.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN v_daily_collections.business_day IS 'Day of the payments (Asia/Kolkata)';
COMMENT ON COLUMN v_daily_collections.payment_mode IS 'Cash, Paytm, Package, ...; none where the portal names no mode; null on a day without payments';
COMMENT ON COLUMN v_daily_collections.payments IS 'Number of payments and returns';
COMMENT ON COLUMN v_daily_collections.amount IS 'Rupees: payments less returns';
COMMENT ON COLUMN v_daily_collections.is_money IS 'False for packages being used up: leave them out to count money';
