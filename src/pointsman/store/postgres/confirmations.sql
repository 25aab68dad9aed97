-- name: learners_to_confirm
SELECT DISTINCT learner FROM desired WHERE learner = ANY($1::text[]) AND read_back <> '';

-- name: states_to_confirm
SELECT {desired}, d.delivered_at FROM desired AS d WHERE d.learner = ANY($1::text[]) AND d.read_back <> '';

-- name: facts_of_learners
SELECT learner, place, fact, topic, at, source, seen_at, value FROM confirmations
WHERE learner = ANY($1::text[]);

-- name: save_facts
INSERT INTO confirmations (learner, place, fact, topic, at, source, seen_at, value)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[],
    $7::bigint[], $8::text[])
ON CONFLICT (learner, place, fact, topic) DO UPDATE SET at = excluded.at, source = excluded.source,
    seen_at = excluded.seen_at, value = excluded.value;

-- name: park_changed
UPDATE desired SET parked = $1, park_code = $2
WHERE learner = $3 AND kind = $4 AND key = $5 AND version = $6 AND version > delivered_version;

-- name: evidence_keys
SELECT key FROM evidence WHERE learner = $1;

-- name: drop_evidence
DELETE FROM evidence WHERE learner = $1 AND key = ANY($2::text[]);

-- name: feeds
SELECT name, place FROM feeds ORDER BY name;

-- name: save_feed
INSERT INTO feeds (name, place) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET place = excluded.place;

-- name: drop_feed
DELETE FROM feeds WHERE name = $1;

-- name: completions
-- Courses that were completed, and paths of which the platform said something.
SELECT d.learner, d.kind, d.key, d.read_back AS place, d.rule, d.changed_at AS finished_at,
    d.kind = 'course_status' AND d.value = 'completed' AS is_completed, d.occurred_at, CASE WHEN d.version = d.delivered_version THEN d.delivered_at END AS delivered_at,
    d.parked, d.audit, d.audited_at,
    (SELECT coalesce(json_agg(json_build_array(c.fact, c.at, c.source, c.seen_at, c.value,
        c.topic)), '[]')::text
        FROM confirmations AS c WHERE c.learner = d.learner AND c.place = d.read_back) AS facts
FROM desired AS d
WHERE (d.learner, d.kind, d.key) > ($1, $2, $3) AND d.read_back <> ''
    AND ((d.kind = 'course_status' AND d.value = 'completed')
        OR (d.kind IN ('course_status', 'learning_path_access') AND EXISTS (
            SELECT 1 FROM confirmations AS c
            WHERE c.learner = d.learner AND c.place = d.read_back)))
ORDER BY d.learner, d.kind, d.key LIMIT $4;
