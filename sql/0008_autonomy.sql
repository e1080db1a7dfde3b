-- depends: 0007_trust

-- What runs by itself needs to know: why an attempt was made, and which days need not be asked for again.

ALTER TABLE download_ledger ADD COLUMN purpose text NOT NULL DEFAULT 'by_hand'
    CHECK (purpose IN ('refresh', 'settling', 'catch_up', 'backfill', 'by_hand'));

COMMENT ON COLUMN download_ledger.purpose IS 'Why the attempt was made: refresh (today and yesterday, several times a day); settling (the last weeks, once a night); catch_up (days that were never fetched whole); backfill (from the UI); by_hand';

-- "Was this window fetched since then, and what went wrong": asked for every store at each look.
CREATE INDEX download_ledger_attempts ON download_ledger (crm, store, report, started_at DESC);

ALTER TABLE staging_slice ADD COLUMN final_at timestamptz;

COMMENT ON COLUMN staging_slice.final_at IS 'When the facts held an export of the day that was asked for after the day had ended in Kolkata; null: the day was fetched while it lasted, or its rows are not facts yet, and it is fetched again';

UPDATE staging_slice AS slice SET final_at = newest.ingested_at
FROM download_ledger AS newest
WHERE newest.ledger_id = coalesce(slice.confirmed_by, slice.ledger_id)
    AND newest.status IN ('ingested', 'empty', 'unchanged')
    AND newest.requested_at >= (slice.business_day + 1)::timestamp AT TIME ZONE 'Asia/Kolkata';

-- The days of a store that are not final: few, among many that are.
CREATE INDEX staging_slice_not_final ON staging_slice (crm, report, store, business_day) WHERE final_at IS NULL;

CREATE VIEW v_late_changes AS
WITH changes AS (
    SELECT 'td' AS crm, fact.store, fact.business_day, history.changed_at
    FROM fact_td_orders_history AS history JOIN fact_td_orders AS fact USING (store, order_number)
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

COMMENT ON VIEW v_late_changes IS 'How late changes of orders and invoices still arrive: what the nightly re-reading of the last weeks is measured by';
COMMENT ON COLUMN v_late_changes.crm IS 'CRM: td (TumbleDry) or uc (UClean)';
COMMENT ON COLUMN v_late_changes.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN v_late_changes.age_days IS 'Days from the business day to the day on which the change was loaded (Asia/Kolkata)';
COMMENT ON COLUMN v_late_changes.changes IS 'Changes of rows at that age';
