-- What the platform says by itself of a learner's course or path (domain/platform_events.py): `at` is
-- the newest time of it there, `source` and `seen_at` say who told it first and when; `topic` is ''
-- where it is about all of the place.
CREATE TABLE confirmations (
    learner TEXT NOT NULL,
    place TEXT NOT NULL,
    fact TEXT NOT NULL,
    topic TEXT NOT NULL,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (learner, place, fact, topic)
) WITHOUT ROWID;

-- How far each feed is read, as JSON (store/confirmation_records.py).
CREATE TABLE feeds (
    name TEXT PRIMARY KEY,
    place TEXT NOT NULL
) WITHOUT ROWID;

-- When somebody changed it on the platform on purpose: what happened before counts no longer. 0: never.
ALTER TABLE desired ADD COLUMN reset_at INTEGER NOT NULL DEFAULT 0;
-- `audit` may be 'suspected' too (differs, and is looked at once more before it is sent again) and
-- 'contradicted' (differs, for somebody changed it on purpose).
CREATE INDEX desired_suspected ON desired (audited_at)
    WHERE version = delivered_version AND audit = 'suspected';
