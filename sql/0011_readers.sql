-- depends: 0010_tumbledry_payments

-- What people with Grafana or another BI tool read: views without personal data, for a role that sees nothing else (deploy/readers.sql).

CREATE VIEW v_order_facts AS
SELECT crm, store, order_number, invoice_number, business_day, order_status, payment_status, order_amount, paid, balance, changed_at
FROM v_orders;

COMMENT ON VIEW v_order_facts IS 'Orders and invoices of both CRMs as v_orders has them, without names and phone numbers';
COMMENT ON COLUMN v_order_facts.crm IS 'CRM: td (TumbleDry) or uc (UClean)';
COMMENT ON COLUMN v_order_facts.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN v_order_facts.order_number IS 'td order number; uc booking id';
COMMENT ON COLUMN v_order_facts.invoice_number IS 'uc invoice number; td exports none';
COMMENT ON COLUMN v_order_facts.business_day IS 'Day of the order or invoice in Asia/Kolkata';
COMMENT ON COLUMN v_order_facts.order_status IS 'td: Unprocessed, Inprocessing, Ready or Delivered; uc exports none';
COMMENT ON COLUMN v_order_facts.payment_status IS 'uc: Pending, Cash or UPI/Wallet App; td exports none';
COMMENT ON COLUMN v_order_facts.order_amount IS 'Rupees: td net or, when that is 0, gross, less a positive adjustment; uc invoice value with tax; never below 0';
COMMENT ON COLUMN v_order_facts.paid IS 'Rupees paid so far (td); null where unknown (uc)';
COMMENT ON COLUMN v_order_facts.balance IS 'Rupees still owed (td); null where unknown (uc)';
COMMENT ON COLUMN v_order_facts.changed_at IS 'When the row last changed: copy what is newer than your newest copy';

CREATE VIEW v_open_orders AS
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
WHERE missing_since IS NULL AND order_status <> 'Delivered';

COMMENT ON VIEW v_open_orders IS 'TumbleDry orders that are not delivered, with their age and lateness as of today in Kolkata';
COMMENT ON COLUMN v_open_orders.crm IS 'CRM: td (TumbleDry)';
COMMENT ON COLUMN v_open_orders.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN v_open_orders.order_number IS 'Sequential per store: T1035';
COMMENT ON COLUMN v_open_orders.business_day IS 'Day the order was booked (Asia/Kolkata)';
COMMENT ON COLUMN v_open_orders.order_status IS 'Unprocessed, Inprocessing or Ready';
COMMENT ON COLUMN v_open_orders.due_on IS 'Promised day';
COMMENT ON COLUMN v_open_orders.age_days IS 'Days since the order';
COMMENT ON COLUMN v_open_orders.days_late IS 'Days since the promised day; 0 for an order that is not late; null where no day was promised';
COMMENT ON COLUMN v_open_orders.pieces IS 'Number of garments';
COMMENT ON COLUMN v_open_orders.balance IS 'Rupees still owed';

CREATE VIEW v_unpaid AS
SELECT
    crm,
    store,
    order_number,
    business_day,
    order_status,
    balance,
    today.day - business_day AS age_days,
    CASE WHEN today.day - business_day <= 7 THEN '0-7' WHEN today.day - business_day <= 30 THEN '8-30'
        WHEN today.day - business_day <= 90 THEN '31-90' ELSE 'over 90' END AS age
FROM v_orders, (SELECT (now() AT TIME ZONE 'Asia/Kolkata')::date AS day) AS today
WHERE balance > 0;

COMMENT ON VIEW v_unpaid IS 'Orders with a balance, by their age as of today in Kolkata; only td exports balances';
COMMENT ON COLUMN v_unpaid.crm IS 'CRM: td (TumbleDry)';
COMMENT ON COLUMN v_unpaid.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN v_unpaid.order_number IS 'Sequential per store: T1035';
COMMENT ON COLUMN v_unpaid.business_day IS 'Day the order was booked (Asia/Kolkata)';
COMMENT ON COLUMN v_unpaid.order_status IS 'Unprocessed, Inprocessing, Ready or Delivered';
COMMENT ON COLUMN v_unpaid.balance IS 'Rupees still owed';
COMMENT ON COLUMN v_unpaid.age_days IS 'Days since the order';
COMMENT ON COLUMN v_unpaid.age IS 'The same in four classes: 0-7, 8-30, 31-90, over 90 days';

CREATE VIEW v_gst_monthly AS
SELECT
    'uc' AS crm,
    store,
    date_trunc('month', business_day)::date AS month,
    count(*) AS invoices,
    sum(taxable_value)::numeric(14,2) AS taxable_value,
    sum(cgst)::numeric(14,2) AS cgst,
    sum(sgst)::numeric(14,2) AS sgst,
    sum(invoice_value)::numeric(14,2) AS invoice_value
FROM fact_uc_gst WHERE missing_since IS NULL
GROUP BY store, date_trunc('month', business_day);

COMMENT ON VIEW v_gst_monthly IS 'GST of each UClean store and month';
COMMENT ON COLUMN v_gst_monthly.crm IS 'CRM: uc (UClean)';
COMMENT ON COLUMN v_gst_monthly.store IS 'Store code as in stores.yaml: sector56';
COMMENT ON COLUMN v_gst_monthly.month IS 'First day of the month';
COMMENT ON COLUMN v_gst_monthly.invoices IS 'Number of invoices';
COMMENT ON COLUMN v_gst_monthly.taxable_value IS 'Rupees before tax';
COMMENT ON COLUMN v_gst_monthly.cgst IS 'Central GST in rupees';
COMMENT ON COLUMN v_gst_monthly.sgst IS 'State GST in rupees';
COMMENT ON COLUMN v_gst_monthly.invoice_value IS 'Rupees with tax';

CREATE VIEW v_monthly_sales AS
SELECT
    crm,
    store,
    date_trunc('month', business_day)::date AS month,
    count(*) AS days,
    sum(orders)::bigint AS orders,
    sum(order_amount)::numeric(14,2) AS order_amount
FROM v_daily_sales GROUP BY crm, store, date_trunc('month', business_day);

COMMENT ON VIEW v_monthly_sales IS 'Sales of each store and month, of the days that were fetched';
COMMENT ON COLUMN v_monthly_sales.crm IS 'CRM: td (TumbleDry) or uc (UClean)';
COMMENT ON COLUMN v_monthly_sales.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN v_monthly_sales.month IS 'First day of the month';
COMMENT ON COLUMN v_monthly_sales.days IS 'Days of the month that were fetched';
COMMENT ON COLUMN v_monthly_sales.orders IS 'Number of orders or invoices';
COMMENT ON COLUMN v_monthly_sales.order_amount IS 'Rupees: sum of v_orders.order_amount';

CREATE VIEW v_coverage AS
SELECT
    crm,
    store,
    report,
    business_day,
    row_count AS rows,
    row_count = 0 AS is_empty,
    final_at IS NOT NULL AS is_final,
    staged_at AS seen_at
FROM staging_slice;

COMMENT ON VIEW v_coverage IS 'Each store, report and day that an export covered, and how many rows it had';
COMMENT ON COLUMN v_coverage.crm IS 'CRM: td (TumbleDry) or uc (UClean)';
COMMENT ON COLUMN v_coverage.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN v_coverage.report IS 'Report of the CRM: order_report, sales_and_delivery or gst_report';
COMMENT ON COLUMN v_coverage.business_day IS 'Business day (Asia/Kolkata)';
COMMENT ON COLUMN v_coverage.rows IS 'Rows of the day in the newest export';
COMMENT ON COLUMN v_coverage.is_empty IS 'Whether the day is proven to have none';
COMMENT ON COLUMN v_coverage.is_final IS 'Whether the export was made after the day was over';
COMMENT ON COLUMN v_coverage.seen_at IS 'When the day''s rows were last replaced';

CREATE VIEW v_ingest_log AS
SELECT
    ledger.ledger_id,
    ledger.crm,
    ledger.store,
    ledger.report,
    ledger.purpose,
    ledger.from_date,
    ledger.to_date,
    ledger.started_at,
    ledger.finished_at,
    ledger.status,
    ledger.strategy,
    ledger.bytes,
    audit.parsed_rows,
    audit.inserted_rows,
    audit.updated_rows,
    audit.unchanged_rows,
    audit.rejected_rows,
    audit.missing_rows,
    ledger.error_code,
    ledger.error_message
FROM download_ledger AS ledger
LEFT JOIN LATERAL (
    SELECT * FROM ingest_audit WHERE ingest_audit.ledger_id = ledger.ledger_id ORDER BY audit_id DESC LIMIT 1
) AS audit ON true;

COMMENT ON VIEW v_ingest_log IS 'Each attempt to fetch a report, and what it brought into the tables';
COMMENT ON COLUMN v_ingest_log.ledger_id IS 'Number of the attempt';
COMMENT ON COLUMN v_ingest_log.crm IS 'CRM: td (TumbleDry) or uc (UClean)';
COMMENT ON COLUMN v_ingest_log.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN v_ingest_log.report IS 'Report of the CRM: order_report, sales_and_delivery or gst_report';
COMMENT ON COLUMN v_ingest_log.purpose IS 'refresh, settling, catch_up, backfill or by_hand';
COMMENT ON COLUMN v_ingest_log.from_date IS 'First business day asked for';
COMMENT ON COLUMN v_ingest_log.to_date IS 'Last business day asked for';
COMMENT ON COLUMN v_ingest_log.started_at IS 'When the attempt began';
COMMENT ON COLUMN v_ingest_log.finished_at IS 'When the file had landed, or the attempt had failed';
COMMENT ON COLUMN v_ingest_log.status IS 'running, downloaded, ingested, empty, unchanged, failed or skipped';
COMMENT ON COLUMN v_ingest_log.strategy IS 'How the portal was asked';
COMMENT ON COLUMN v_ingest_log.bytes IS 'Size of the file';
COMMENT ON COLUMN v_ingest_log.parsed_rows IS 'Rows of the file';
COMMENT ON COLUMN v_ingest_log.inserted_rows IS 'Of them new';
COMMENT ON COLUMN v_ingest_log.updated_rows IS 'Of them changed';
COMMENT ON COLUMN v_ingest_log.unchanged_rows IS 'Of them as they were';
COMMENT ON COLUMN v_ingest_log.rejected_rows IS 'Of them rejected';
COMMENT ON COLUMN v_ingest_log.missing_rows IS 'Rows that the file no longer holds';
COMMENT ON COLUMN v_ingest_log.error_code IS 'Class of the failure, as in docs/errors.md';
COMMENT ON COLUMN v_ingest_log.error_message IS 'Its message; names no customer';
