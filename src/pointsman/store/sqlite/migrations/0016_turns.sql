ALTER TABLE desired ADD COLUMN source TEXT NOT NULL DEFAULT '';
-- how long progress may wait, in microseconds; and when the learner's work is due, 0 for never
ALTER TABLE desired ADD COLUMN fresh_within INTEGER NOT NULL DEFAULT 30000000;
ALTER TABLE desired ADD COLUMN deadline INTEGER NOT NULL DEFAULT 0;
UPDATE desired SET urgent = 1 WHERE kind <> 'topic_progress';
-- What a turn is sorted by: the urgent (completions and status) before progress, and fairly between
-- sources and rules. `due` was the arrival, ten minutes earlier
-- for completions; now it is the arrival of what is urgent, and when progress is no longer fresh.
ALTER TABLE learners ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE learners ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE learners ADD COLUMN rule TEXT NOT NULL DEFAULT '';
ALTER TABLE learners ADD COLUMN deadline INTEGER;
-- A replica of the version before queues as it did: among progress, and first there.
UPDATE learners SET (urgent, due, source, rule) = (
    SELECT urgent, since + CASE WHEN urgent THEN 0 ELSE 30000000 END, source, rule FROM desired
    WHERE desired.learner = learners.learner AND version > delivered_version AND parked = ''
    ORDER BY urgent DESC, since LIMIT 1)
WHERE due IS NOT NULL AND EXISTS (SELECT 1 FROM desired WHERE desired.learner = learners.learner
    AND version > delivered_version AND parked = '');
CREATE INDEX learners_queues ON learners (urgent, source, rule, due)
    WHERE ready = 1 AND due IS NOT NULL;
CREATE INDEX learners_deadlines ON learners (urgent, deadline)
    WHERE ready = 1 AND due IS NOT NULL AND deadline IS NOT NULL;
