-- When the newest lease of a learner was taken: what changes after that is waited for again.
ALTER TABLE learners ADD COLUMN leased_at bigint NOT NULL DEFAULT 0;
