-- Sets go in as one JSON parameter and come out as one JSON row: beside a busy event loop every
-- small step of SQLite has to win the interpreter lock back.

-- name: known_statements
SELECT json_group_object(id, digest) FROM statements
WHERE id IN (SELECT value FROM json_each(?));

-- name: formerly_known
-- Of (id, former id, source); nobody else can have taken a former id in the source's name.
SELECT json_group_object(json_extract(k.value, '$[0]'), s.digest)
FROM json_each(?) AS k CROSS JOIN statements AS s, installation AS i
WHERE s.id = json_extract(k.value, '$[1]') AND s.source = json_extract(k.value, '$[2]')
    AND s.stored_at < i.former_ids_until;

-- name: read_installation
SELECT secret, former_ids_until FROM installation;

-- name: insert_block
INSERT INTO blocks (stored_at, data, keys) VALUES (?, ?, ?);

-- name: insert_statements
INSERT INTO statements (id, digest, outcome, source, stored_at, block, start, length, item,
    version)
VALUES {rows};

-- name: add_accepted
INSERT INTO accepted (source, inputs)
SELECT key, value FROM json_each(?) WHERE true
ON CONFLICT (source) DO UPDATE SET inputs = inputs + excluded.inputs;

-- name: desired_by_key
-- By the place of what was asked for, so that its key need not be read.
SELECT json_group_array(json_array(k.key, {state}))
FROM json_each(?) AS k CROSS JOIN desired AS d
WHERE d.learner = json_extract(k.value, '$[0]') AND d.kind = json_extract(k.value, '$[1]')
    AND d.key = json_extract(k.value, '$[2]');

-- name: evidence_by_key
-- By the place of what was asked for: a NUL in a name would end it here.
SELECT json_group_array(json_array(k.key, e.body))
FROM json_each(?) AS k CROSS JOIN evidence AS e
WHERE e.learner = json_extract(k.value, '$[0]') AND e.key = json_extract(k.value, '$[1]');

-- name: undelivered_desired
SELECT json_group_array(json_array({desired}))
FROM json_each(?) AS k CROSS JOIN desired AS d
WHERE d.learner = k.value AND d.version > d.delivered_version;

-- name: upsert_desired
INSERT INTO desired ({moved})
VALUES {rows}
ON CONFLICT (learner, kind, key) DO UPDATE SET {assign_moved},
    changed_at = CASE WHEN changed_at > (SELECT leased_at FROM learners
            WHERE learner = excluded.learner AND hold = 3)
        THEN changed_at ELSE excluded.changed_at END,
    audit = CASE WHEN excluded.version > version THEN '' ELSE audit END;

-- name: upsert_evidence
INSERT INTO evidence (learner, key, body)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
FROM json_each(?) WHERE true
ON CONFLICT (learner, key) DO UPDATE SET body = excluded.body;

-- name: queue_learners
-- A new learner is ready at once. Of a known one the more urgent turn counts, the one that it has or the
-- new one. What is urgent does not wait for the learner's pace, but for a backoff or a lease it does.
INSERT INTO learners (learner, urgent, due, source, rule, deadline, ready)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
    json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'), 1
FROM json_each(?) WHERE true
ON CONFLICT (learner) DO UPDATE SET
    source = CASE WHEN {is_first} THEN excluded.source ELSE source END,
    rule = CASE WHEN {is_first} THEN excluded.rule ELSE rule END,
    urgent = CASE WHEN {is_first} THEN excluded.urgent ELSE urgent END,
    due = CASE WHEN {is_first} THEN excluded.due ELSE due END,
    deadline = CASE WHEN due IS NULL THEN excluded.deadline
        ELSE min(coalesce(deadline, excluded.deadline), coalesce(excluded.deadline, deadline)) END,
    ready = CASE WHEN ready = 1 OR hold = 0 OR (hold = 1 AND excluded.urgent) THEN 1 ELSE 0 END;

-- name: save_positions
INSERT INTO positions (consumer_group, topic, partition, next_offset, log_id, last_record)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
    json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]')
FROM json_each(?) WHERE true
ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET next_offset = excluded.next_offset,
    log_id = excluded.log_id, last_record = excluded.last_record;

-- name: read_claims
SELECT topic, partition, token FROM positions
WHERE consumer_group = ?1 AND topic IN (SELECT value FROM json_each(?2));

-- name: claim_position
INSERT INTO positions (consumer_group, topic, partition, next_offset, token) VALUES (?, ?, ?, -1, 1)
ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET token = token + 1
RETURNING topic, partition, next_offset AS "offset", token, log_id, last_record;

-- name: insert_dead_letter
INSERT INTO dead_letters (source, origin, reason, statement_id, in_statements, received_at,
    body_hash, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: is_dead_letter
SELECT 1 FROM dead_letters WHERE source = ? AND origin = ? AND body_hash = ?;

-- name: add_unmatched
INSERT INTO unmatched (activity, inputs, sample_id, first_at, last_at)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
    json_extract(value, '$[3]'), json_extract(value, '$[3]')
FROM json_each(?) WHERE true
ON CONFLICT (activity) DO UPDATE SET inputs = inputs + excluded.inputs, last_at = excluded.last_at;

-- name: promote_learners
UPDATE learners SET ready = 1, hold = 0
WHERE ready = 0 AND due IS NOT NULL AND ready_at <= ?;

-- name: end_far_waits
-- Stored by a clock that has been set back since.
UPDATE learners SET ready = 1, hold = 0 WHERE ready = 0 AND due IS NOT NULL AND ready_at > ?;

-- name: end_far_dues
UPDATE learners SET due = CASE WHEN urgent THEN ?1 ELSE ?1 + ?3 END
WHERE ready = 1 AND due IS NOT NULL AND due > ?2;

-- name: first_of_next_queue
-- Queues are those of one source and rule, the urgent first. In three steps, for SQLite would walk
-- over all that are equal to the row it compares with.
SELECT * FROM (SELECT urgent, source, rule FROM learners
    WHERE ready = 1 AND due IS NOT NULL AND urgent = ?1 AND source = ?2 AND rule < ?3
    ORDER BY rule DESC LIMIT 1)
UNION ALL
SELECT * FROM (SELECT urgent, source, rule FROM learners
    WHERE ready = 1 AND due IS NOT NULL AND urgent = ?1 AND source < ?2
    ORDER BY source DESC, rule DESC LIMIT 1)
UNION ALL
SELECT * FROM (SELECT urgent, source, rule FROM learners
    WHERE ready = 1 AND due IS NOT NULL AND urgent < ?1
    ORDER BY urgent DESC, source DESC, rule DESC LIMIT 1)
LIMIT 1;

-- name: waiting_turns
SELECT learner, urgent, due, source, rule, coalesce(deadline, 0) AS deadline FROM learners
WHERE ready = 1 AND due IS NOT NULL AND urgent = ?1 AND source = ?2 AND rule = ?3
    AND due <= ?4
ORDER BY due LIMIT ?5;

-- name: waiting_for_deadlines
SELECT learner, urgent, due, source, rule, deadline FROM learners
WHERE ready = 1 AND due IS NOT NULL AND deadline IS NOT NULL AND urgent = ?1 AND deadline > ?2
ORDER BY deadline LIMIT ?3;

-- name: lease_learners
UPDATE learners SET ready = 0, hold = 3, ready_at = ?1, leased_at = ?2,
    lease_token = lease_token + 1
WHERE learner IN (SELECT value FROM json_each(?3));

-- name: lease_tokens
SELECT json_group_object(learner, lease_token) FROM learners
WHERE learner IN (SELECT value FROM json_each(?));

-- name: held_leases
SELECT json_group_array(json_array(learner, lease_token)) FROM learners
WHERE learner IN (SELECT value FROM json_each(?)) AND hold = 3;

-- name: settle_delivered
WITH s(learner, kind, key, version, sent, now) AS (VALUES {rows})
UPDATE desired SET delivered_version = max(delivered_version, s.version),
    delivered_value = s.sent, delivered_at = s.now, failures = 0, retry_at = 0, parked = '',
    park_code = '', audited_at = NULL,
    since = CASE WHEN desired.version > s.version THEN changed_at ELSE since END
FROM s
WHERE desired.learner = s.learner AND desired.kind = s.kind AND desired.key = s.key;

-- name: settle_retry
WITH s(learner, kind, key, counts, retry_at) AS (VALUES {rows})
UPDATE desired SET failures = failures + s.counts, retry_at = s.retry_at
FROM s
WHERE desired.learner = s.learner AND desired.kind = s.kind AND desired.key = s.key;

-- name: settle_parked
WITH s(learner, kind, key, reason, code) AS (VALUES {rows})
UPDATE desired SET parked = s.reason, park_code = s.code
FROM s
WHERE desired.learner = s.learner AND desired.kind = s.kind AND desired.key = s.key;

-- name: left_to_send
SELECT json_group_array(json_array(learner, urgent, {turn_due}, source, rule, retry_at, deadline,
    parked, park_code))
FROM json_each(?) AS k CROSS JOIN desired AS d
WHERE d.learner = k.value AND d.version > d.delivered_version;

-- name: return_leases
WITH s(learner, urgent, due, source, rule, deadline, ready, ready_at, hold) AS (VALUES {rows})
UPDATE learners SET urgent = s.urgent, due = s.due, source = s.source, rule = s.rule,
    deadline = s.deadline, ready = s.ready, ready_at = s.ready_at, hold = s.hold
FROM s
WHERE learners.learner = s.learner;

-- name: release_leases
UPDATE learners SET ready = (due IS NOT NULL), hold = 0 WHERE hold = 3;

-- name: parked_learners
-- Of these codes, or of all where there are none.
SELECT json_group_array(learner) FROM (
    SELECT DISTINCT learner FROM desired
    WHERE version > delivered_version AND parked != '' AND substr(parked, 1, length(?1)) = ?1
        AND (?2 = '[]' OR park_code IN (SELECT value FROM json_each(?2))));

-- name: free_waiting
UPDATE desired SET parked = '', park_code = ''
WHERE learner IN (SELECT value FROM json_each(?1)) AND version > delivered_version
    AND park_code = ?2;

-- name: free_parked
UPDATE desired SET parked = '', park_code = '', failures = 0, retry_at = 0
WHERE learner IN (SELECT value FROM json_each(?1)) AND version > delivered_version
    AND parked != '' AND substr(parked, 1, length(?2)) = ?2
    AND (?3 = '[]' OR park_code IN (SELECT value FROM json_each(?3)));

-- name: drop_parked
DELETE FROM desired WHERE version > delivered_version AND parked != '' AND delivered_version = 0
    AND (learner, kind, key, version) IN (
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
            json_extract(value, '$[2]'), json_extract(value, '$[3]') FROM json_each(?));

-- name: fall_back_to_delivered
UPDATE desired SET value = delivered_value, delivered_version = version, parked = '',
    park_code = '', failures = 0, retry_at = 0
WHERE version > delivered_version AND parked != '' AND (learner, kind, key, version) IN (
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
            json_extract(value, '$[2]'), json_extract(value, '$[3]') FROM json_each(?));

-- name: forget_retry_at
UPDATE desired SET retry_at = 0
WHERE learner IN (SELECT value FROM json_each(?)) AND version > delivered_version AND parked = '';

-- name: requeue_freed
UPDATE learners SET (urgent, due, source, rule) = (
        SELECT coalesce(t.urgent, 0), t.due, coalesce(t.source, ''), coalesce(t.rule, '')
        FROM (SELECT 1) AS always LEFT JOIN (
            SELECT urgent, {turn_due} AS due, source, rule FROM desired
            WHERE desired.learner = learners.learner AND version > delivered_version AND parked = ''
            ORDER BY urgent DESC, 2 LIMIT 1) AS t ON true),
    deadline = (SELECT min(nullif(deadline, 0)) FROM desired
        WHERE desired.learner = learners.learner AND version > delivered_version AND parked = ''),
    ready = CASE WHEN hold = 3 THEN 0 ELSE 1 END, hold = CASE WHEN hold = 3 THEN 3 ELSE 0 END
WHERE learner IN (SELECT value FROM json_each(?1));

-- name: next_ready_at
-- Progress may be kept waiting until so shortly before it is due.
SELECT CASE WHEN EXISTS (SELECT 1 FROM learners WHERE ready = 1 AND due IS NOT NULL AND urgent = 1)
    THEN 0 ELSE min(
        coalesce((SELECT max(0, min(due) - ?1) FROM learners WHERE ready = 1 AND due IS NOT NULL),
            9223372036854775807),
        coalesce((SELECT min(ready_at) FROM learners WHERE ready = 0 AND due IS NOT NULL),
            9223372036854775807)) END;

-- name: read_window
SELECT ends_at, points, requests, sent FROM quota_window;

-- name: save_window
INSERT INTO quota_window (id, ends_at, points, requests, sent) VALUES (1, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET ends_at = excluded.ends_at, points = excluded.points,
    requests = excluded.requests, sent = excluded.sent;

-- name: read_statement
SELECT s.id AS statement_id, b.data AS block, s.start, s.length, s.item AS "index", b.stored_at,
    s.source, s.stored_at AS received_at, s.version
FROM statements AS s JOIN blocks AS b ON b.id = s.block WHERE s.id = ?;

-- name: read_positions
SELECT topic, partition, next_offset AS "offset", token, log_id, last_record FROM positions
WHERE consumer_group = ? AND partition >= 0;

-- name: count_undelivered
SELECT kind, parked != '', count(*), min(since) FROM desired
WHERE version > delivered_version GROUP BY 1, 2;

-- name: count_dead_letters
SELECT count(*) FROM dead_letters;

-- name: count_unmatched
SELECT coalesce(sum(inputs), 0) FROM unmatched;

-- name: sum_accepted
SELECT coalesce(sum(inputs), 0) FROM accepted;

-- name: count_outcomes
SELECT outcome, count(*) FROM statements GROUP BY outcome;

-- name: count_letters
SELECT coalesce(sum(in_statements = 0), 0) AS letters,
    coalesce(sum(in_statements = 1), 0) AS statement_letters FROM dead_letters;

-- name: count_desired
SELECT count(*) AS desired, coalesce(sum(version = delivered_version), 0) AS delivered,
    coalesce(sum(version > delivered_version AND parked = ''), 0) AS dirty,
    coalesce(sum(version > delivered_version AND parked != ''), 0) AS parked,
    coalesce(sum(version < delivered_version), 0) AS ahead
FROM desired;

-- name: bodies_missing
SELECT count(*) FROM statements AS s LEFT JOIN blocks AS b ON b.id = s.block WHERE b.id IS NULL;

-- name: dirty_unqueued
SELECT count(DISTINCT d.learner) FROM desired AS d LEFT JOIN learners AS l USING (learner)
WHERE d.version > d.delivered_version AND d.parked = '' AND (l.learner IS NULL OR l.due IS NULL);

-- name: count_forgotten
SELECT what, inputs FROM forgotten;

-- name: add_forgotten
INSERT INTO forgotten (what, inputs)
SELECT key, value FROM json_each(?) WHERE true
ON CONFLICT (what) DO UPDATE SET inputs = inputs + excluded.inputs;

-- name: prunable_blocks
SELECT json_group_array(id) FROM (
    SELECT id FROM blocks WHERE stored_at < ? ORDER BY stored_at LIMIT ?);

-- name: outcomes_of_blocks
SELECT json_group_object(outcome, inputs) FROM (
    SELECT outcome, count(*) AS inputs FROM statements
    WHERE block IN (SELECT value FROM json_each(?)) GROUP BY outcome);

-- name: prune_statements
DELETE FROM statements WHERE block IN (SELECT value FROM json_each(?));

-- name: prune_blocks
DELETE FROM blocks WHERE id IN (SELECT value FROM json_each(?));

-- name: list_unmatched
SELECT activity, inputs, sample_id, first_at, last_at FROM unmatched
ORDER BY inputs DESC, activity LIMIT ?;

-- name: drop_matched
DELETE FROM unmatched WHERE inputs <= 0;

-- name: list_dead_letters
SELECT id, source, origin, reason, statement_id, in_statements, received_at FROM dead_letters
WHERE id > ?1 AND substr(reason, 1, length(?2)) = ?2 AND (?3 IS NULL OR source = ?3)
ORDER BY id LIMIT ?4;

-- name: read_dead_letter
SELECT id, source, origin, reason, statement_id, in_statements, received_at, body
FROM dead_letters WHERE id = ?;

-- name: drop_dead_letter
DELETE FROM dead_letters WHERE id = ? RETURNING in_statements, source;

-- name: drop_letters_of_statements
DELETE FROM dead_letters
WHERE in_statements = 1 AND statement_id IN (SELECT value FROM json_each(?))
RETURNING statement_id;

-- name: outcomes_of_statements
SELECT json_group_object(id, outcome) FROM statements
WHERE id IN (SELECT value FROM json_each(?));

-- name: change_outcomes
UPDATE statements SET outcome = s.value FROM (SELECT key, value FROM json_each(?)) AS s
WHERE statements.id = s.key;

-- name: statements_since
SELECT s.id AS statement_id, s.block, s.start, s.length, s.item AS "index", b.stored_at, s.source,
    s.stored_at AS received_at, s.version, s.outcome
FROM statements AS s JOIN blocks AS b ON b.id = s.block
WHERE b.stored_at >= ?1 AND (s.block, s.id) > (?2, ?3) AND (?4 = '' OR s.outcome = ?4)
ORDER BY s.block, s.id LIMIT ?5;

-- name: read_block
SELECT data FROM blocks WHERE id = ?;

-- name: last_commit
SELECT coalesce(max(stored_at), 0) FROM blocks;

-- name: oldest_block
SELECT min(stored_at) FROM blocks;

-- name: list_parked
SELECT {desired} FROM desired AS d
WHERE version > delivered_version AND parked != '' AND substr(parked, 1, length(?1)) = ?1
    AND (?2 = '[]' OR learner IN (SELECT value FROM json_each(?2)))
    AND (?3 = '[]' OR park_code IN (SELECT value FROM json_each(?3)))
ORDER BY since LIMIT ?4;

-- name: choose_suspected
SELECT json_group_array(learner) FROM (
    SELECT DISTINCT learner FROM (
        SELECT learner FROM desired
        WHERE version = delivered_version AND audit = 'suspected' AND audited_at < ?1
        ORDER BY audited_at LIMIT ?2));

-- name: choose_unaudited
SELECT json_group_array(learner) FROM (
    SELECT DISTINCT learner FROM (
        SELECT learner FROM desired
        WHERE version = delivered_version AND audited_at IS NULL AND read_back != ''
            AND delivered_at < ?1
        ORDER BY urgent DESC, delivered_at DESC LIMIT ?2));

-- name: choose_audited
SELECT json_group_array(learner) FROM (
    SELECT DISTINCT learner FROM (
        SELECT learner FROM desired
        WHERE version = delivered_version AND audited_at IS NOT NULL AND read_back != ''
            AND audited_at < ?1
        ORDER BY audited_at LIMIT ?2));

-- name: delivered_desired
SELECT json_group_array(json_array({desired}))
FROM json_each(?) AS k CROSS JOIN desired AS d
WHERE d.learner = k.value AND d.version = d.delivered_version AND d.read_back != ''
    AND d.delivered_at < ?;

-- name: audited_row
SELECT audit, audited_at, occurred_at, delivered_at, read_back FROM desired
WHERE learner = ? AND kind = ? AND key = ? AND version = ? AND delivered_version = version;

-- name: audit_looked
UPDATE desired SET audited_at = ?, audit = ?
WHERE learner = ? AND kind = ? AND key = ? AND version = ?;

-- name: note_deadline
UPDATE desired SET deadline = ? WHERE learner = ? AND kind = ? AND key = ? AND version = ?;

-- name: audit_differs
UPDATE desired SET audited_at = ?, audit = ?, parked = ?, park_code = ?, delivered_version = 0,
    since = ?
WHERE learner = ? AND kind = ? AND key = ? AND version = ?;

-- name: add_learner
INSERT INTO learners (learner) VALUES (?) ON CONFLICT (learner) DO NOTHING;

-- name: undelivered_readable
SELECT json_group_array(json_array({desired}))
FROM desired AS d WHERE d.version > d.delivered_version AND d.read_back != '';

-- name: import_desired
INSERT INTO desired ({imported}, delivered_at)
SELECT {extract_imported}, ?1 FROM json_each(?2) WHERE true
ON CONFLICT (learner, kind, key) DO UPDATE SET {assign_imported},
    delivered_at = excluded.delivered_at, audit = '', audited_at = NULL;

-- name: agreement
SELECT read_back, sum(audit = 'agrees'), sum(audit = 'resent'), sum(audit = 'drift'),
    sum(audit = '' AND audited_at IS NOT NULL),
    sum(audit IN ('', 'suspected') AND (audited_at IS NULL OR audit != '')),
    sum(audit = 'contradicted')
FROM desired WHERE read_back != '' AND (delivered_version > 0 OR audit != '')
GROUP BY read_back
ORDER BY sum(audit = 'drift') DESC, sum(audit = 'resent') DESC, read_back;

-- name: read_tokens
SELECT learner, sealed, stored_at, expires_at FROM tokens;

-- name: save_token
REPLACE INTO tokens (learner, sealed, stored_at, expires_at) VALUES (?, ?, ?, ?);

-- name: drop_token
DELETE FROM tokens WHERE learner = ?;

-- name: save_waiting_keys
INSERT INTO waiting_keys (block, keys_until, ranks)
VALUES (?1, ?2 + coalesce((SELECT keys_until FROM waiting_keys ORDER BY block DESC LIMIT 1), 0), ?3)
RETURNING keys_until;

-- name: index_waiting_keys
INSERT INTO statement_keys (key, block, ranks)
SELECT CAST(k.key AS INTEGER), w.block, k.value
FROM waiting_keys AS w, json_each(w.ranks) AS k ORDER BY 1, 2;

-- name: forget_waiting_keys
DELETE FROM waiting_keys;

-- name: prune_waiting_keys
DELETE FROM waiting_keys WHERE block IN (SELECT value FROM json_each(?));

-- name: insert_late_keys
INSERT INTO statement_keys (key, block, ranks)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), '' FROM json_each(?) WHERE true
ON CONFLICT (key, block) DO UPDATE SET ranks = '';

-- name: insert_refs
INSERT INTO refs (target, block, id, voids)
SELECT json_extract(value, '$[0]'), ?, json_extract(value, '$[1]'), json_extract(value, '$[2]')
FROM json_each(?);

-- name: references_to
SELECT target, block, id FROM refs WHERE target IN (SELECT value FROM json_each(?));

-- name: voided
SELECT DISTINCT target FROM refs
WHERE target IN (SELECT value FROM json_each(?)) AND voids = 1;

-- name: save_attachment
INSERT INTO attachments (sha2, content_type, content, block) VALUES (?, ?, ?, ?)
ON CONFLICT (sha2) DO UPDATE SET block = excluded.block;

-- name: read_attachments
SELECT sha2, content_type, content FROM attachments
WHERE sha2 IN (SELECT value FROM json_each(?));

-- name: keys_of_blocks
SELECT id, keys FROM blocks WHERE id IN (SELECT value FROM json_each(?));

-- name: prune_keys
DELETE FROM statement_keys WHERE key IN (SELECT value FROM json_each(?)) AND block = ?;

-- name: prune_refs
DELETE FROM refs WHERE block IN (SELECT value FROM json_each(?));

-- name: prune_attachments
DELETE FROM attachments WHERE block IN (SELECT value FROM json_each(?));

-- name: first_block_after
SELECT min(id) FROM (SELECT id FROM blocks WHERE stored_at > ? ORDER BY stored_at LIMIT 1);

-- name: last_block_until
SELECT max(id) FROM (SELECT id FROM blocks WHERE stored_at <= ? ORDER BY stored_at DESC LIMIT 1);

-- name: search_keys_down
SELECT a.block, b.stored_at, a.ranks, {ranks_of_second}, {ranks_of_third}, {ranks_of_fourth}
FROM ({commits_of_first} ORDER BY block DESC LIMIT ?7) AS a
LEFT JOIN blocks AS b ON b.id = a.block ORDER BY a.block DESC;

-- name: search_keys_up
SELECT a.block, b.stored_at, a.ranks, {ranks_of_second}, {ranks_of_third}, {ranks_of_fourth}
FROM ({commits_of_first} ORDER BY block LIMIT ?7) AS a
LEFT JOIN blocks AS b ON b.id = a.block ORDER BY a.block;

-- name: search_all_down
SELECT id, stored_at, ?1, ?2, ?3, ?4 FROM blocks WHERE id BETWEEN ?5 AND ?6
ORDER BY id DESC LIMIT ?7;

-- name: search_all_up
SELECT id, stored_at, ?1, ?2, ?3, ?4 FROM blocks WHERE id BETWEEN ?5 AND ?6 ORDER BY id LIMIT ?7;

-- name: statements_of_block
SELECT id AS statement_id, start, length, item AS "index", stored_at AS received_at, source, version
FROM statements WHERE block = ?
ORDER BY start, item;

-- name: read_document
SELECT content_type, content, etag, updated_at FROM documents
WHERE resource = ? AND activity = ? AND agent = ? AND registration = ? AND name = ?;

-- name: document_names
SELECT DISTINCT name FROM documents
WHERE resource = ?1 AND activity = ?2 AND agent = ?3 AND (?4 = '' OR registration = ?4)
    AND (?5 IS NULL OR updated_at > ?5) ORDER BY name;

-- name: save_document
INSERT INTO documents (resource, activity, agent, registration, name, content_type, content, etag,
    updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (resource, activity, agent, registration, name) DO UPDATE SET
    content_type = excluded.content_type, content = excluded.content, etag = excluded.etag,
    updated_at = excluded.updated_at;

-- name: delete_document
DELETE FROM documents
WHERE resource = ? AND activity = ? AND agent = ? AND registration = ? AND name = ?;

-- name: delete_documents
DELETE FROM documents
WHERE resource = ?1 AND activity = ?2 AND agent = ?3 AND (?4 = '' OR registration = ?4);

-- name: named_documents
SELECT resource, name, content_type, content, etag, updated_at FROM documents
WHERE resource IN (SELECT value FROM json_each(?)) AND activity = '' AND agent = ''
    AND registration = '' AND name IN (SELECT value FROM json_each(?));

-- name: document_amounts
SELECT count(*) FILTER (WHERE registration = ?2) AS registration_documents,
    coalesce(sum(size) FILTER (WHERE registration = ?2), 0) AS registration_bytes,
    count(*) AS learner_documents, coalesce(sum(size), 0) AS learner_bytes
FROM (
    SELECT registration,
        length(content) + length(CAST(activity AS BLOB)) + length(CAST(name AS BLOB))
        + length(CAST(content_type AS BLOB)) AS size
    FROM documents
    WHERE agent = ?1 AND agent <> '' AND resource IN ('state', 'agent_profile')
);

-- name: prune_documents
DELETE FROM documents
WHERE resource IN (SELECT value FROM json_each(?)) AND updated_at < ?;

-- name: prune_ended_states
DELETE FROM documents WHERE rowid IN (
    SELECT state.rowid FROM documents AS state
    WHERE state.resource = 'state' AND state.updated_at < ?1 AND EXISTS (
        SELECT 1 FROM documents AS launch
        WHERE launch.resource = 'launch' AND launch.activity = '' AND launch.agent = ''
            AND launch.registration = '' AND launch.name = state.registration
            AND launch.updated_at < ?1
    ) LIMIT ?2
);

-- name: record_action
INSERT INTO operator_actions (at, kind, who, origin, learner, details, outcome)
VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id;

-- name: finish_action
UPDATE operator_actions SET outcome = ? WHERE id = ?;

-- name: operator_actions
SELECT id, at, kind, who, origin, learner, details, outcome FROM operator_actions
WHERE (?1 = '' OR kind = ?1) AND (?2 = '' OR learner = ?2) AND at >= ?3
ORDER BY at DESC, id DESC LIMIT ?4;

-- name: prune_actions
DELETE FROM operator_actions WHERE at < ?;

-- name: pauses
SELECT kind, since, reason FROM pauses ORDER BY kind;

-- name: save_pause
INSERT INTO pauses (kind, since, reason) VALUES (?, ?, ?)
ON CONFLICT (kind) DO UPDATE SET reason = excluded.reason;

-- name: delete_pause
DELETE FROM pauses WHERE kind = ?;

-- name: states_of_course
-- Of a course by its id, slug or SKU, and of its topics; what is not delivered first.
SELECT {desired} FROM desired AS d
WHERE (kind IN ('course_status', 'course_archived')
        AND key IN (?1, 'id:' || ?1, 'slug:' || ?1, 'sku:' || ?1))
    OR read_back = 'course:' || ?1
ORDER BY version = delivered_version, since LIMIT ?2;
