-- The file ledger and the audit of what was loaded: two of the three tables the requirements name (2.5).

CREATE TABLE download_ledger (
    ledger_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id          text NOT NULL,
    crm             text NOT NULL,
    store           text NOT NULL,
    report          text NOT NULL,
    from_date       date NOT NULL,
    to_date         date NOT NULL,
    attempt         integer NOT NULL CHECK (attempt >= 1),
    status          text NOT NULL DEFAULT 'running'
                    CHECK (status IN ('running', 'downloaded', 'empty', 'ingested', 'failed', 'skipped')),
    started_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    strategy        text,
    requested_at    timestamptz,
    suggested_name  text,
    stored_name     text,
    bytes           bigint CHECK (bytes >= 0),
    md5             text CHECK (md5 ~ '^[0-9a-f]{32}$'),
    content_md5     text CHECK (content_md5 ~ '^[0-9a-f]{32}$'),
    row_count       integer CHECK (row_count >= 0),
    claimed_rows    integer CHECK (claimed_rows >= 0),
    claimed_sums    jsonb NOT NULL DEFAULT '{}',
    signed_in_again boolean NOT NULL DEFAULT false,
    keep_file       boolean NOT NULL DEFAULT false,
    ingested_at     timestamptz,
    deleted_at      timestamptz,
    error_code      text,
    error_message   text,
    CONSTRAINT window_not_reversed CHECK (from_date <= to_date),
    CONSTRAINT ended_when_not_running CHECK ((status = 'running') = (finished_at IS NULL)),
    CONSTRAINT file_when_landed CHECK (
        status NOT IN ('downloaded', 'empty', 'ingested')
        OR (stored_name IS NOT NULL AND bytes IS NOT NULL AND md5 IS NOT NULL)),
    CONSTRAINT error_when_failed CHECK ((status IN ('failed', 'skipped')) = (error_code IS NOT NULL)),
    CONSTRAINT loaded_when_ingested CHECK (status NOT IN ('empty', 'ingested') OR ingested_at IS NOT NULL)
);

-- "The newest file of this store and report that covers a day", and "what went wrong last".
CREATE INDEX download_ledger_newest ON download_ledger (crm, store, report, ledger_id DESC);
-- The attempts of one run are numbered from it.
CREATE INDEX download_ledger_run ON download_ledger (run_id);
-- The reaper looks at the few rows still running.
CREATE INDEX download_ledger_running ON download_ledger (crm, store) WHERE status = 'running';

COMMENT ON TABLE download_ledger IS 'One row for each attempt to fetch a report, written before the browser starts';
COMMENT ON COLUMN download_ledger.ledger_id IS 'Number of the attempt; a higher one is newer. Every loaded row points here';
COMMENT ON COLUMN download_ledger.run_id IS 'The Dagster or command line run that made the attempt';
COMMENT ON COLUMN download_ledger.crm IS 'CRM: td (TumbleDry) or uc (UClean)';
COMMENT ON COLUMN download_ledger.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN download_ledger.report IS 'Report of the CRM: order_report or gst_report';
COMMENT ON COLUMN download_ledger.from_date IS 'First business day asked for (Asia/Kolkata)';
COMMENT ON COLUMN download_ledger.to_date IS 'Last business day asked for (Asia/Kolkata), inclusive';
COMMENT ON COLUMN download_ledger.attempt IS 'Which try of this window in this run, from 1';
COMMENT ON COLUMN download_ledger.status IS 'running; downloaded (file landed); ingested (in the fact table); empty (in, and proven to hold no row); failed; skipped (a person must act)';
COMMENT ON COLUMN download_ledger.started_at IS 'When the attempt began';
COMMENT ON COLUMN download_ledger.finished_at IS 'When the file had landed, or the attempt had failed';
COMMENT ON COLUMN download_ledger.strategy IS 'How the portal was asked: the name of the export strategy';
COMMENT ON COLUMN download_ledger.requested_at IS 'When the portal was asked for the report';
COMMENT ON COLUMN download_ledger.suggested_name IS 'File name the portal offered';
COMMENT ON COLUMN download_ledger.stored_name IS 'Path of the raw file; it stays here after the file is deleted';
COMMENT ON COLUMN download_ledger.bytes IS 'Size of the raw file in bytes';
COMMENT ON COLUMN download_ledger.md5 IS 'MD5 of the raw file, in hex';
COMMENT ON COLUMN download_ledger.content_md5 IS 'MD5 of the cell values, in hex: equal for the same data in differently written files';
COMMENT ON COLUMN download_ledger.row_count IS 'Data rows in the file, without its totals row';
COMMENT ON COLUMN download_ledger.claimed_rows IS 'Row count the portal itself states (totals row, banner); null when it states none';
COMMENT ON COLUMN download_ledger.claimed_sums IS 'Sums the portal itself states, by column; decimals as text, so that no digit is lost';
COMMENT ON COLUMN download_ledger.signed_in_again IS 'Whether the saved session had to be renewed by signing in';
COMMENT ON COLUMN download_ledger.keep_file IS 'Whether the raw file is to outlive its ingestion';
COMMENT ON COLUMN download_ledger.ingested_at IS 'When the fact table held its rows';
COMMENT ON COLUMN download_ledger.deleted_at IS 'When the raw file was deleted; null while it exists';
COMMENT ON COLUMN download_ledger.error_code IS 'Class of the failure: OtpRequired, PortalUnavailable, WrongWindow, ...';
COMMENT ON COLUMN download_ledger.error_message IS 'What was expected, what was found and what to do; never customer data';

CREATE TABLE ingest_audit (
    audit_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id         text NOT NULL,
    crm            text NOT NULL,
    store          text NOT NULL,
    report         text NOT NULL,
    from_date      date NOT NULL,
    to_date        date NOT NULL,
    parsed_rows    integer NOT NULL CHECK (parsed_rows >= 0),
    inserted_rows  integer NOT NULL CHECK (inserted_rows >= 0),
    updated_rows   integer NOT NULL CHECK (updated_rows >= 0),
    unchanged_rows integer NOT NULL CHECK (unchanged_rows >= 0),
    rejected_rows  integer NOT NULL CHECK (rejected_rows >= 0),
    missing_rows   integer NOT NULL CHECK (missing_rows >= 0),
    md5            text NOT NULL,
    started_at     timestamptz NOT NULL,
    finished_at    timestamptz NOT NULL,
    status         text NOT NULL CHECK (status IN ('ok', 'empty', 'failed')),
    ledger_id      bigint NOT NULL REFERENCES download_ledger,
    CONSTRAINT window_not_reversed CHECK (from_date <= to_date),
    -- No row of a file may get lost on the way: each one ends in exactly one of these four counts.
    CONSTRAINT every_row_accounted_for CHECK (parsed_rows = inserted_rows + updated_rows + unchanged_rows + rejected_rows),
    CONSTRAINT empty_without_rows CHECK (status <> 'empty' OR parsed_rows = 0)
);

CREATE INDEX ingest_audit_newest ON ingest_audit (crm, store, report, finished_at DESC);
CREATE INDEX ingest_audit_ledger ON ingest_audit (ledger_id);

COMMENT ON TABLE ingest_audit IS 'One row for each load of an export into a fact table';
COMMENT ON COLUMN ingest_audit.audit_id IS 'Number of the load';
COMMENT ON COLUMN ingest_audit.run_id IS 'The Dagster or command line run that loaded it';
COMMENT ON COLUMN ingest_audit.crm IS 'CRM: td (TumbleDry) or uc (UClean)';
COMMENT ON COLUMN ingest_audit.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN ingest_audit.report IS 'Report of the CRM: order_report or gst_report';
COMMENT ON COLUMN ingest_audit.from_date IS 'First business day loaded (Asia/Kolkata)';
COMMENT ON COLUMN ingest_audit.to_date IS 'Last business day loaded (Asia/Kolkata), inclusive';
COMMENT ON COLUMN ingest_audit.parsed_rows IS 'Rows read from the export: always inserted + updated + unchanged + rejected';
COMMENT ON COLUMN ingest_audit.inserted_rows IS 'Rows new to the fact table';
COMMENT ON COLUMN ingest_audit.updated_rows IS 'Rows that differed from the fact table, or came back after being missing';
COMMENT ON COLUMN ingest_audit.unchanged_rows IS 'Rows equal to the fact table, left untouched';
COMMENT ON COLUMN ingest_audit.rejected_rows IS 'Rows that break a rule, kept in the table rejected_rows';
COMMENT ON COLUMN ingest_audit.missing_rows IS 'Fact rows of these days that this export no longer holds (not part of parsed_rows)';
COMMENT ON COLUMN ingest_audit.md5 IS 'MD5 of the raw file, in hex';
COMMENT ON COLUMN ingest_audit.started_at IS 'When the load began';
COMMENT ON COLUMN ingest_audit.finished_at IS 'When the load ended';
COMMENT ON COLUMN ingest_audit.status IS 'ok; empty (proven to hold no row); failed';
COMMENT ON COLUMN ingest_audit.ledger_id IS 'The export that was loaded, in download_ledger';

CREATE TABLE staging_slice (
    crm          text NOT NULL,
    report       text NOT NULL,
    store        text NOT NULL,
    business_day date NOT NULL,
    ledger_id    bigint NOT NULL REFERENCES download_ledger,
    row_count    integer NOT NULL CHECK (row_count >= 0),
    staged_at    timestamptz NOT NULL,
    PRIMARY KEY (crm, report, store, business_day)
);

COMMENT ON TABLE staging_slice IS 'Which export each staged (store, day) came from. A day with 0 rows was fetched and is empty; a day without a row here is unknown';
COMMENT ON COLUMN staging_slice.crm IS 'CRM: td (TumbleDry) or uc (UClean)';
COMMENT ON COLUMN staging_slice.report IS 'Report of the CRM: order_report or gst_report';
COMMENT ON COLUMN staging_slice.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN staging_slice.business_day IS 'Business day (Asia/Kolkata)';
COMMENT ON COLUMN staging_slice.ledger_id IS 'The export the slice came from, in download_ledger';
COMMENT ON COLUMN staging_slice.row_count IS 'Staged rows of the day; 0 is a proven empty day';
COMMENT ON COLUMN staging_slice.staged_at IS 'When the slice was last replaced: every fact row of the day that is not missing was seen then';
