-- depends: 0006_accounts

-- What makes a load trustworthy: warnings on the rows, what each file's headers were, files that bring nothing new, overrides.

ALTER TABLE fact_td_orders ADD COLUMN warnings jsonb;
ALTER TABLE fact_uc_gst ADD COLUMN warnings jsonb;

COMMENT ON COLUMN fact_td_orders.warnings IS 'What is odd about the row: [{"column": ..., "rule": ..., "value": ...}] (personal data); null when nothing is';
COMMENT ON COLUMN fact_uc_gst.warnings IS 'What is odd about the row: [{"column": ..., "rule": ..., "value": ...}] (personal data); null when nothing is';

-- The hash now covers the values that are there, by name: a column added later changes no row that does not use it.
SET LOCAL TimeZone = 'Asia/Kolkata';
UPDATE fact_td_orders AS fact SET row_hash = md5(jsonb_strip_nulls(
    to_jsonb(fact) - ARRAY['store', 'row_hash', 'first_seen_at', 'changed_at', 'ledger_id', 'missing_since']
    || jsonb_build_object('weight_kg', trim_scale(weight_kg)))::text);
UPDATE fact_uc_gst AS fact SET row_hash = md5(jsonb_strip_nulls(
    to_jsonb(fact) - ARRAY['store', 'row_hash', 'first_seen_at', 'changed_at', 'ledger_id', 'missing_since'])::text);

ALTER TABLE download_ledger
    ADD COLUMN headers jsonb,
    ADD COLUMN shrink_accepted boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT download_ledger_status_check,
    DROP CONSTRAINT file_when_landed,
    DROP CONSTRAINT loaded_when_ingested,
    ADD CONSTRAINT download_ledger_status_check
        CHECK (status IN ('running', 'downloaded', 'empty', 'ingested', 'unchanged', 'failed', 'skipped')),
    ADD CONSTRAINT file_when_landed CHECK (
        status NOT IN ('downloaded', 'empty', 'ingested', 'unchanged')
        OR (stored_name IS NOT NULL AND bytes IS NOT NULL AND md5 IS NOT NULL AND requested_at IS NOT NULL)),
    ADD CONSTRAINT loaded_when_ingested CHECK (status NOT IN ('empty', 'ingested', 'unchanged') OR ingested_at IS NOT NULL);

COMMENT ON COLUMN download_ledger.status IS 'running; downloaded (file landed); ingested (in the fact table); empty (in, and proven to hold no row); unchanged (holds what the export before it held: nothing was loaded); failed; skipped (a person must act)';
COMMENT ON COLUMN download_ledger.ingested_at IS 'When the fact table held its rows, or was seen to hold them already';
COMMENT ON COLUMN download_ledger.requested_at IS 'When the portal was asked for the report, or a person exported it: the export with the later time is the newer one';
COMMENT ON COLUMN download_ledger.claimed_rows IS 'Row count the portal itself states (totals row, banner, API); null when it states none';
COMMENT ON COLUMN download_ledger.headers IS 'The header texts of the file, in its order: what a later file is compared with';
COMMENT ON COLUMN download_ledger.shrink_accepted IS 'Whether a person had said beforehand that missing rows are right';

ALTER TABLE ingest_audit
    DROP CONSTRAINT ingest_audit_status_check,
    ADD CONSTRAINT ingest_audit_status_check CHECK (status IN ('ok', 'empty', 'unchanged', 'failed'));

COMMENT ON COLUMN ingest_audit.status IS 'ok; empty (proven to hold no row); unchanged (the same content as the export before it: nothing was loaded); failed';

ALTER TABLE staging_slice
    ADD COLUMN confirmed_by bigint REFERENCES download_ledger,
    ADD COLUMN confirmed_at timestamptz,
    ADD CONSTRAINT confirmed_by_an_export CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL));

COMMENT ON COLUMN staging_slice.ledger_id IS 'The export whose rows stand in staging, in download_ledger';
COMMENT ON COLUMN staging_slice.staged_at IS 'When the slice was last replaced';
COMMENT ON COLUMN staging_slice.confirmed_by IS 'The newest later export that held the same content, in download_ledger; null when there was none';
COMMENT ON COLUMN staging_slice.confirmed_at IS 'When that was: every fact row of the day that is not missing was seen then, or else at staged_at';

ALTER TABLE rejected_rows ADD COLUMN note text;

COMMENT ON COLUMN rejected_rows.status IS 'open; replayed (a later load took the row, or its export no longer holds it so); waived (a person decided to do without it)';
COMMENT ON COLUMN rejected_rows.note IS 'Why a person waived it';

CREATE OR REPLACE VIEW v_freshness AS
WITH reports AS (
    SELECT crm, store, report FROM download_ledger
    UNION
    SELECT crm, store, report FROM staging_slice
),
refreshed AS (
    SELECT crm, store, report, max(finished_at) AS last_refresh_at
    FROM ingest_audit WHERE status IN ('ok', 'empty', 'unchanged') GROUP BY crm, store, report
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
    coalesce(days.last_day - days.first_day + 1 - days.known, 0)::integer AS gap_days,
    errors.finished_at AS last_error_at,
    errors.error_code AS last_error_code,
    errors.error_message AS last_error
FROM reports
LEFT JOIN refreshed USING (crm, store, report)
LEFT JOIN days USING (crm, store, report)
LEFT JOIN errors USING (crm, store, report);
