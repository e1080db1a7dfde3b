-- depends: 0008_autonomy

-- What is told to people: each trouble once when it begins and once when it is over, however often it is met in between.

CREATE TABLE alert (
    alert_id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    crm                 text NOT NULL,
    store               text NOT NULL,
    code                text NOT NULL,
    message             text NOT NULL,
    evidence            text,
    first_seen_at       timestamptz NOT NULL,
    last_seen_at        timestamptz NOT NULL,
    times               integer NOT NULL CHECK (times >= 1),
    resolved_at         timestamptz,
    told_at             timestamptz,
    recovery_told_at    timestamptz,
    tries               integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    next_try_at         timestamptz,
    last_delivery_error text,
    CONSTRAINT seen_in_order CHECK (first_seen_at <= last_seen_at),
    CONSTRAINT recovery_of_what_was_told CHECK (recovery_told_at IS NULL OR (resolved_at IS NOT NULL AND told_at IS NOT NULL)),
    CONSTRAINT later_when_it_failed CHECK ((tries = 0) = (next_try_at IS NULL) AND (tries = 0) = (last_delivery_error IS NULL))
);

-- A trouble that goes on is one row.
CREATE UNIQUE INDEX alert_open ON alert (crm, store, code) WHERE resolved_at IS NULL;
-- What may have to be told: few, among all that ever happened.
CREATE INDEX alert_unfinished ON alert (alert_id)
    WHERE resolved_at IS NULL OR (told_at IS NOT NULL AND recovery_told_at IS NULL);

COMMENT ON TABLE alert IS 'One row for each occurrence of a trouble, from its first sight until it is over and that was told: the outbox of the alerts. Codes and counts, never customer data';
COMMENT ON COLUMN alert.alert_id IS 'Number of the occurrence; a higher one was opened later';
COMMENT ON COLUMN alert.crm IS 'CRM: td (TumbleDry) or uc (UClean); empty for what concerns none';
COMMENT ON COLUMN alert.store IS 'Store code as in stores.yaml: a668; empty for what concerns no store';
COMMENT ON COLUMN alert.code IS 'Class of the error, which says who acts: OtpRequired, PortalUnavailable, DataLate, ...';
COMMENT ON COLUMN alert.message IS 'The newest error''s own sentence: what was expected, what was found and what to do';
COMMENT ON COLUMN alert.evidence IS 'Folder with the picture, the scrubbed page and the steps of the newest failure in the browser; null when there are none';
COMMENT ON COLUMN alert.first_seen_at IS 'When the trouble began: when the first failed attempt ended';
COMMENT ON COLUMN alert.last_seen_at IS 'When the newest failed attempt ended';
COMMENT ON COLUMN alert.times IS 'How many attempts have failed so';
COMMENT ON COLUMN alert.resolved_at IS 'When the trouble was seen to be over; null while it lasts';
COMMENT ON COLUMN alert.told_at IS 'When it was told, or when it joined a trouble with the same cause that had been told; null when nobody was told';
COMMENT ON COLUMN alert.recovery_told_at IS 'When it was told that the trouble is over; what was never told itself has no recovery to tell';
COMMENT ON COLUMN alert.tries IS 'Deliveries of the message at hand that failed since one succeeded';
COMMENT ON COLUMN alert.next_try_at IS 'Not delivered again before; null when the next delivery need not wait';
COMMENT ON COLUMN alert.last_delivery_error IS 'Class of the last failed delivery''s error, and no more: addresses hold passwords';

-- "Which attempts have failed of late": few, among many that have not.
CREATE INDEX download_ledger_failures ON download_ledger (started_at) WHERE status IN ('failed', 'skipped');
