-- What the platform says by itself of a learner's course or path (domain/platform_events.py): `at` is
-- the newest time of it there, `source` and `seen_at` say who told it first and when; `topic` is ''
-- where it is about all of the place.
CREATE TABLE confirmations (
    learner text COLLATE "C" NOT NULL,
    place text COLLATE "C" NOT NULL,
    fact text COLLATE "C" NOT NULL,
    topic text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    source text NOT NULL,
    seen_at bigint NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (learner, place, fact, topic)
);

-- How far each feed is read, as JSON (store/confirmation_records.py).
CREATE TABLE feeds (
    name text COLLATE "C" PRIMARY KEY,
    place text NOT NULL
);

-- When somebody changed it on the platform on purpose: what happened before counts no longer. 0: never.
ALTER TABLE desired ADD COLUMN reset_at bigint NOT NULL DEFAULT 0;
-- `audit` may be 'suspected' too (differs, and is looked at once more before it is sent again) and
-- 'contradicted' (differs, for somebody changed it on purpose).
CREATE INDEX desired_suspected ON desired (audited_at)
    WHERE version = delivered_version AND audit = 'suspected';
