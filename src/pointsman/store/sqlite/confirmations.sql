-- name: states_to_confirm
SELECT {desired}, d.delivered_at FROM desired AS d
WHERE d.learner IN (SELECT value FROM json_each(?)) AND d.read_back != '';

-- name: facts_of_learners
SELECT learner, place, fact, topic, at, source, seen_at, value FROM confirmations
WHERE learner IN (SELECT value FROM json_each(?));

-- name: save_fact
INSERT INTO confirmations (learner, place, fact, topic, at, source, seen_at, value)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (learner, place, fact, topic) DO UPDATE SET at = excluded.at, source = excluded.source,
    seen_at = excluded.seen_at, value = excluded.value;

-- name: park_changed
UPDATE desired SET parked = ?, park_code = ?
WHERE learner = ? AND kind = ? AND key = ? AND version = ? AND version > delivered_version;

-- name: evidence_keys
SELECT key FROM evidence WHERE learner = ?;

-- name: drop_evidence
DELETE FROM evidence WHERE learner = ? AND key = ?;

-- name: feeds
SELECT name, place FROM feeds ORDER BY name;

-- name: save_feed
INSERT INTO feeds (name, place) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET place = excluded.place;

-- name: drop_feed
DELETE FROM feeds WHERE name = ?;

-- name: completions
-- Courses that were completed, and paths of which the platform said something.
SELECT d.learner, d.kind, d.key, d.read_back AS place, d.rule, d.changed_at AS finished_at,
    d.kind = 'course_status' AND d.value = 'completed' AS is_completed, d.occurred_at, CASE WHEN d.version = d.delivered_version THEN d.delivered_at END AS delivered_at,
    d.parked, d.audit, d.audited_at,
    (SELECT json_group_array(json_array(c.fact, c.at, c.source, c.seen_at, c.value, c.topic))
        FROM confirmations AS c WHERE c.learner = d.learner AND c.place = d.read_back) AS facts
FROM desired AS d
WHERE (d.learner, d.kind, d.key) > (?1, ?2, ?3) AND d.read_back != ''
    AND ((d.kind = 'course_status' AND d.value = 'completed')
        OR (d.kind IN ('course_status', 'learning_path_access') AND EXISTS (
            SELECT 1 FROM confirmations AS c
            WHERE c.learner = d.learner AND c.place = d.read_back)))
ORDER BY d.learner, d.kind, d.key LIMIT ?4;
