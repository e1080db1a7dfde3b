-- depends: 0005_views

-- What a store account waits for, what its browser was kept from, and where the evidence of a failure lies.

ALTER TABLE store_session ADD COLUMN error_code text, ADD COLUMN profile_digest text;

COMMENT ON COLUMN store_session.error_code IS 'Class of the error that a person must settle: OtpRequired, LoginRejected, AccountLocked; null otherwise';
COMMENT ON COLUMN store_session.profile_digest IS 'SHA-256 of the saved session file when the account came to need a person, in hex: another file is one that a person brought';

ALTER TABLE download_ledger ADD COLUMN evidence text, ADD COLUMN blocked_requests integer CHECK (blocked_requests >= 0);

COMMENT ON COLUMN download_ledger.evidence IS 'Folder with the picture, the scrubbed page and the steps of a failure in the browser; null when there are none';
COMMENT ON COLUMN download_ledger.blocked_requests IS 'Requests to hosts outside stores.yaml that the browser was kept from making, up to this file';
