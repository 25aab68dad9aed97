-- Not to be sent before; it belongs to the one state that could not be sent, whatever else of the
-- learner waits.
ALTER TABLE desired ADD COLUMN retry_at INTEGER NOT NULL DEFAULT 0;
