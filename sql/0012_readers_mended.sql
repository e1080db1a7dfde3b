-- depends: 0011_readers

-- The readers' views, mended: an order without a status is open, too; a day is seen again when an export confirms it; months are cut
-- without a time zone in between; payments count among late changes; and what a row came from can be told.

CREATE OR REPLACE VIEW v_order_facts AS
SELECT
    crm, store, order_number, invoice_number, business_day, order_status, payment_status, order_amount, paid, balance, changed_at, ledger_id
FROM v_orders;

COMMENT ON COLUMN v_order_facts.changed_at IS 'When the row last changed: copy what is newer than your newest copy, and the last weeks whole, as a vanished row leaves the view';
COMMENT ON COLUMN v_order_facts.ledger_id IS 'The attempt that made the last change, in v_ingest_log';

CREATE OR REPLACE VIEW v_open_orders AS
SELECT
    'td' AS crm,
    store,
    order_number,
    business_day,
    order_status,
    due_on,
    today.day - business_day AS age_days,
    CASE WHEN due_on IS NOT NULL THEN greatest(today.day - due_on, 0) END AS days_late,
    pieces,
    balance
FROM fact_td_orders, (SELECT (now() AT TIME ZONE 'Asia/Kolkata')::date AS day) AS today
WHERE missing_since IS NULL AND order_status IS DISTINCT FROM 'Delivered';

COMMENT ON COLUMN v_open_orders.order_status IS 'Unprocessed, Inprocessing or Ready; null where the portal names none';

CREATE OR REPLACE VIEW v_gst_monthly AS
SELECT
    'uc' AS crm,
    store,
    date_trunc('month', business_day::timestamp)::date AS month,
    count(*) AS invoices,
    coalesce(sum(taxable_value), 0)::numeric(14,2) AS taxable_value,
    coalesce(sum(cgst), 0)::numeric(14,2) AS cgst,
    coalesce(sum(sgst), 0)::numeric(14,2) AS sgst,
    coalesce(sum(invoice_value), 0)::numeric(14,2) AS invoice_value
FROM fact_uc_gst WHERE missing_since IS NULL
GROUP BY store, date_trunc('month', business_day::timestamp);

CREATE OR REPLACE VIEW v_monthly_sales AS
SELECT
    crm,
    store,
    date_trunc('month', business_day::timestamp)::date AS month,
    count(*) AS days,
    sum(orders)::bigint AS orders,
    sum(order_amount)::numeric(14,2) AS order_amount
FROM v_daily_sales GROUP BY crm, store, date_trunc('month', business_day::timestamp);

CREATE OR REPLACE VIEW v_coverage AS
SELECT
    crm,
    store,
    report,
    business_day,
    row_count AS rows,
    row_count = 0 AS is_empty,
    final_at IS NOT NULL AS is_final,
    greatest(staged_at, confirmed_at) AS seen_at
FROM staging_slice;

COMMENT ON COLUMN v_coverage.seen_at IS 'When an export last held the day, whether it changed anything or not';

CREATE OR REPLACE VIEW v_payments AS
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
    ledger_id,
    payment_key
FROM fact_td_payments
WHERE missing_since IS NULL;

COMMENT ON COLUMN v_payments.payment_key IS 'Unique within a store: order number, time and mode of the payment; equal ones are numbered';

CREATE OR REPLACE VIEW v_late_changes AS
WITH changes AS (
    SELECT 'td' AS crm, fact.store, fact.business_day, history.changed_at
    FROM fact_td_orders_history AS history JOIN fact_td_orders AS fact USING (store, order_number)
    UNION ALL
    SELECT 'td', fact.store, fact.business_day, history.changed_at
    FROM fact_td_payments_history AS history JOIN fact_td_payments AS fact USING (store, payment_key)
    UNION ALL
    SELECT 'uc', fact.store, fact.business_day, history.changed_at
    FROM fact_uc_gst_history AS history JOIN fact_uc_gst AS fact USING (store, invoice_number)
)
SELECT
    crm,
    store,
    (changed_at AT TIME ZONE 'Asia/Kolkata')::date - business_day AS age_days,
    count(*) AS changes
FROM changes GROUP BY crm, store, age_days;

COMMENT ON VIEW v_late_changes IS 'How late changes of orders, payments and invoices still arrive: what the nightly re-reading of the last weeks is measured by';

COMMENT ON COLUMN download_ledger.report IS 'Report of the CRM: order_report, sales_and_delivery or gst_report';
COMMENT ON COLUMN ingest_audit.report IS 'Report of the CRM: order_report, sales_and_delivery or gst_report';
COMMENT ON COLUMN staging_slice.report IS 'Report of the CRM: order_report, sales_and_delivery or gst_report';
COMMENT ON COLUMN rejected_rows.report IS 'Report of the CRM: order_report, sales_and_delivery or gst_report';
COMMENT ON COLUMN v_freshness.report IS 'Report of the CRM: order_report, sales_and_delivery or gst_report';
