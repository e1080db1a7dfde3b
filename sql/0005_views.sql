-- depends: 0004_rejects_and_sessions

-- What readers of the warehouse use: both CRMs in one shape.

CREATE VIEW v_orders AS
SELECT
    'td' AS crm,
    store,
    order_number,
    NULL::text AS invoice_number,
    business_day,
    order_status,
    NULL::text AS payment_status,
    customer_name,
    customer_phone,
    -- A package order has net 0 and its worth in gross. A positive adjustment is money waived; a negative one (rounding,
    -- goodwill already in net) adds nothing, and no order may lower a day's sales below what the others brought.
    greatest(
        coalesce(nullif(net_amount, 0), gross_amount, 0) - greatest(coalesce(adjustment, 0), 0), 0
    )::numeric(12,2) AS order_amount,
    paid,
    balance,
    changed_at,
    ledger_id
FROM fact_td_orders
WHERE missing_since IS NULL
UNION ALL
SELECT
    'uc',
    store,
    booking_id,
    invoice_number,
    business_day,
    NULL,
    payment_status,
    customer_name,
    customer_phone,
    greatest(coalesce(invoice_value, 0), 0)::numeric(12,2),
    -- The GST report names a way of payment but no amounts; guessing them would invent collections.
    NULL,
    NULL,
    changed_at,
    ledger_id
FROM fact_uc_gst
WHERE missing_since IS NULL;

COMMENT ON VIEW v_orders IS 'Orders and invoices of both CRMs that the newest exports hold. A vanished row (missing_since in its fact table) is left out, so that no sum counts it';
COMMENT ON COLUMN v_orders.crm IS 'CRM: td (TumbleDry) or uc (UClean)';
COMMENT ON COLUMN v_orders.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN v_orders.order_number IS 'td order number; uc booking id';
COMMENT ON COLUMN v_orders.invoice_number IS 'uc invoice number; td exports none';
COMMENT ON COLUMN v_orders.business_day IS 'Day of the order or invoice in Asia/Kolkata';
COMMENT ON COLUMN v_orders.order_status IS 'td: Unprocessed, Inprocessing, Ready or Delivered; uc exports none';
COMMENT ON COLUMN v_orders.payment_status IS 'uc: Pending, Cash or UPI/Wallet App; td exports none';
COMMENT ON COLUMN v_orders.customer_name IS 'Customer''s name (personal data)';
COMMENT ON COLUMN v_orders.customer_phone IS 'Customer''s phone number (personal data)';
COMMENT ON COLUMN v_orders.order_amount IS 'Rupees: td net or, when that is 0, gross, less a positive adjustment; uc invoice value with tax; never below 0';
COMMENT ON COLUMN v_orders.paid IS 'Rupees paid so far (td); null where unknown (uc)';
COMMENT ON COLUMN v_orders.balance IS 'Rupees still owed (td); null where unknown (uc)';
COMMENT ON COLUMN v_orders.changed_at IS 'When the row last changed';
COMMENT ON COLUMN v_orders.ledger_id IS 'The export that made the last change, in download_ledger';

CREATE VIEW v_daily_sales AS
WITH known_days AS (
    -- A fetched day without orders is a sale of 0, not a gap: staging_slice keeps it. Only the reports that list orders count.
    SELECT crm, store, business_day FROM staging_slice WHERE report IN ('order_report', 'gst_report')
    UNION
    SELECT crm, store, business_day FROM v_orders
),
missing AS (
    SELECT 'td' AS crm, store, business_day, count(*) AS orders
    FROM fact_td_orders WHERE missing_since IS NOT NULL GROUP BY store, business_day
    UNION ALL
    SELECT 'uc', store, business_day, count(*)
    FROM fact_uc_gst WHERE missing_since IS NOT NULL GROUP BY store, business_day
),
sales AS (
    SELECT crm, store, business_day, count(*) AS orders, sum(order_amount) AS order_amount, sum(paid) AS paid, sum(balance) AS balance
    FROM v_orders GROUP BY crm, store, business_day
)
SELECT
    crm,
    store,
    business_day,
    coalesce(sales.orders, 0) AS orders,
    coalesce(sales.order_amount, 0)::numeric(14,2) AS order_amount,
    sales.paid::numeric(14,2) AS paid,
    sales.balance::numeric(14,2) AS balance,
    coalesce(missing.orders, 0) AS missing_orders
FROM known_days
LEFT JOIN sales USING (crm, store, business_day)
LEFT JOIN missing USING (crm, store, business_day);

COMMENT ON VIEW v_daily_sales IS 'Sales of each store and day. A day that was fetched and had no order stands here with 0; a day that was never fetched is absent';
COMMENT ON COLUMN v_daily_sales.crm IS 'CRM: td (TumbleDry) or uc (UClean)';
COMMENT ON COLUMN v_daily_sales.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN v_daily_sales.business_day IS 'Business day (Asia/Kolkata)';
COMMENT ON COLUMN v_daily_sales.orders IS 'Number of orders or invoices';
COMMENT ON COLUMN v_daily_sales.order_amount IS 'Rupees: sum of v_orders.order_amount';
COMMENT ON COLUMN v_daily_sales.paid IS 'Rupees paid so far for the orders of this day, whenever they were paid; null where unknown (uc) or without orders';
COMMENT ON COLUMN v_daily_sales.balance IS 'Rupees still owed for the orders of this day; null where unknown (uc) or without orders';
COMMENT ON COLUMN v_daily_sales.missing_orders IS 'Orders of this day that the newest export no longer holds; not in the sums, and worth a look';

CREATE VIEW v_freshness AS
WITH reports AS (
    SELECT crm, store, report FROM download_ledger
    UNION
    SELECT crm, store, report FROM staging_slice
),
refreshed AS (
    SELECT crm, store, report, max(finished_at) AS last_refresh_at
    FROM ingest_audit WHERE status IN ('ok', 'empty') GROUP BY crm, store, report
),
days AS (
    SELECT crm, store, report, min(business_day) AS first_day, max(business_day) AS last_day, count(*) AS known
    FROM staging_slice GROUP BY crm, store, report
),
errors AS (
    SELECT DISTINCT ON (crm, store, report) crm, store, report, finished_at, error_code, error_message
    FROM download_ledger WHERE status IN ('failed', 'skipped')
    ORDER BY crm, store, report, ledger_id DESC
)
SELECT
    crm,
    store,
    report,
    refreshed.last_refresh_at,
    days.first_day,
    days.last_day,
    -- Days between the first and the last one that no export covers; dates subtract to whole days, so no time zone enters.
    coalesce(days.last_day - days.first_day + 1 - days.known, 0)::integer AS gap_days,
    errors.finished_at AS last_error_at,
    errors.error_code AS last_error_code,
    errors.error_message AS last_error
FROM reports
LEFT JOIN refreshed USING (crm, store, report)
LEFT JOIN days USING (crm, store, report)
LEFT JOIN errors USING (crm, store, report);

COMMENT ON VIEW v_freshness IS 'How current each report of each store is, and what went wrong last';
COMMENT ON COLUMN v_freshness.crm IS 'CRM: td (TumbleDry) or uc (UClean)';
COMMENT ON COLUMN v_freshness.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN v_freshness.report IS 'Report of the CRM: order_report or gst_report';
COMMENT ON COLUMN v_freshness.last_refresh_at IS 'When a load last succeeded; null when none ever did';
COMMENT ON COLUMN v_freshness.first_day IS 'First business day that was fetched';
COMMENT ON COLUMN v_freshness.last_day IS 'Last business day that was fetched';
COMMENT ON COLUMN v_freshness.gap_days IS 'Business days between these two that were never fetched';
COMMENT ON COLUMN v_freshness.last_error_at IS 'When an attempt last failed; older than last_refresh_at when that is mended';
COMMENT ON COLUMN v_freshness.last_error_code IS 'Class of that failure';
COMMENT ON COLUMN v_freshness.last_error IS 'Its message';
