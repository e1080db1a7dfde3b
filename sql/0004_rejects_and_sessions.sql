-- depends: 0003_uclean_gst

-- What needs a person: rows that break a rule, and accounts that cannot sign in.

CREATE TABLE rejected_rows (
    reject_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    crm          text NOT NULL,
    report       text NOT NULL,
    store        text NOT NULL,
    business_day date,
    ledger_id    bigint NOT NULL REFERENCES download_ledger,
    row_number   integer NOT NULL,
    raw          jsonb NOT NULL,
    problems     jsonb NOT NULL CHECK (jsonb_typeof(problems) = 'array' AND problems <> '[]'),
    status       text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'replayed', 'waived')),
    created_at   timestamptz NOT NULL,
    closed_at    timestamptz,
    CONSTRAINT closed_when_not_open CHECK ((status = 'open') = (closed_at IS NULL))
);

CREATE INDEX rejected_rows_slice ON rejected_rows (crm, report, store, status, business_day);

COMMENT ON TABLE rejected_rows IS 'Rows of an export that break a rule and are not in the fact table';
COMMENT ON COLUMN rejected_rows.reject_id IS 'Number of the rejected row';
COMMENT ON COLUMN rejected_rows.crm IS 'CRM: td (TumbleDry) or uc (UClean)';
COMMENT ON COLUMN rejected_rows.report IS 'Report of the CRM: order_report or gst_report';
COMMENT ON COLUMN rejected_rows.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN rejected_rows.business_day IS 'Business day of the row (Asia/Kolkata); null when its date cannot be read';
COMMENT ON COLUMN rejected_rows.ledger_id IS 'The newest export that holds the row, in download_ledger';
COMMENT ON COLUMN rejected_rows.row_number IS 'Row of the workbook, from 1 for its header';
COMMENT ON COLUMN rejected_rows.raw IS 'Every cell of the row as text, by column name (personal data)';
COMMENT ON COLUMN rejected_rows.problems IS 'Each broken rule: [{"column": ..., "rule": ..., "value": ...}] (personal data)';
COMMENT ON COLUMN rejected_rows.status IS 'open; replayed (a newer load took the row, or its export no longer holds it so); waived (a person decided to do without it)';
COMMENT ON COLUMN rejected_rows.created_at IS 'When the row was first rejected';
COMMENT ON COLUMN rejected_rows.closed_at IS 'When it was replayed or waived';

CREATE TABLE store_session (
    crm           text NOT NULL,
    store         text NOT NULL,
    state         text NOT NULL CHECK (state IN ('ok', 'expired', 'needs_person')),
    since         timestamptz NOT NULL,
    last_login_at timestamptz,
    reason        text,
    PRIMARY KEY (crm, store)
);

COMMENT ON TABLE store_session IS 'Whether each store account can work without a person';
COMMENT ON COLUMN store_session.crm IS 'CRM: td (TumbleDry) or uc (UClean)';
COMMENT ON COLUMN store_session.store IS 'Store code as in stores.yaml: a668';
COMMENT ON COLUMN store_session.state IS 'ok; expired (the next run signs in by itself); needs_person (someone must run the bootstrap)';
COMMENT ON COLUMN store_session.since IS 'Since when the account is in this state';
COMMENT ON COLUMN store_session.last_login_at IS 'When it last signed in successfully';
COMMENT ON COLUMN store_session.reason IS 'Why it is in this state; never a secret';
