-- Where the platform shows a desired state, and what the audit saw there.
-- read_back: 'course:' and the id, 'path:' and the slug, or nothing. audit: '' not compared since
-- the value changed, 'agrees', 'resent' (marked dirty once), 'drift' (parked).
ALTER TABLE desired ADD COLUMN read_back TEXT NOT NULL DEFAULT '';
ALTER TABLE desired ADD COLUMN audited_at INTEGER;
ALTER TABLE desired ADD COLUMN audit TEXT NOT NULL DEFAULT '';

-- What was delivered and not looked at since: newest completions first.
CREATE INDEX desired_unaudited ON desired (urgent, delivered_at)
    WHERE version = delivered_version AND audited_at IS NULL AND read_back != '';
-- What was looked at: the longest ago first.
CREATE INDEX desired_audited ON desired (audited_at)
    WHERE version = delivered_version AND audited_at IS NOT NULL AND read_back != '';

-- authTokens that were fetched, so that a restart need not fetch them all again. `sealed` is
-- encrypted with a key that is not in here; expires_at is NULL where nobody said.
CREATE TABLE tokens (
    learner TEXT PRIMARY KEY,
    sealed BLOB NOT NULL,
    stored_at INTEGER NOT NULL,
    expires_at INTEGER
) WITHOUT ROWID;
