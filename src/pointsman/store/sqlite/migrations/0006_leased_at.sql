-- When the newest lease of a learner was taken: what changes after that is waited for again.
ALTER TABLE learners ADD COLUMN leased_at INTEGER NOT NULL DEFAULT 0;
