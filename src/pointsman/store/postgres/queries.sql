-- Sets go in as arrays and are unnested. Whatever locks several rows locks them in byte order.

-- name: add_learners
INSERT INTO learners (learner)
SELECT name FROM unnest($1::text[]) AS name ORDER BY name COLLATE "C"
ON CONFLICT (learner) DO NOTHING;

-- name: lock_learners
SELECT learner FROM learners WHERE learner = ANY($1::text[]) ORDER BY learner FOR UPDATE;

-- name: lock_claims
SELECT p.consumer_group, p.topic, p.partition, p.token
FROM positions AS p
JOIN unnest($1::text[], $2::text[], $3::integer[]) AS k(consumer_group, topic, partition)
    USING (consumer_group, topic, partition)
ORDER BY p.consumer_group, p.topic, p.partition FOR UPDATE OF p;

-- name: known_statements
SELECT id, digest FROM statements WHERE id = ANY($1::text[]);

-- name: formerly_known
-- Of (id, former id, source); nobody else can have taken a former id in the source's name.
SELECT k.id, s.digest
FROM unnest($1::text[], $2::text[], $3::text[]) AS k(id, former, source)
JOIN statements AS s ON s.id = k.former AND s.source = k.source
JOIN installation AS i ON s.stored_at < i.former_ids_until;

-- name: read_installation
SELECT secret, former_ids_until FROM installation;

-- name: desired_by_key
SELECT {desired}
FROM unnest($1::text[], $2::text[], $3::text[]) AS k(learner, kind, key)
JOIN desired AS d USING (learner, kind, key);

-- name: evidence_by_key
SELECT e.learner, e.key, e.body
FROM unnest($1::text[], $2::text[]) AS k(learner, key) JOIN evidence AS e USING (learner, key);

-- name: known_dead_letters
SELECT d.source, d.origin, d.body_hash FROM dead_letters AS d
JOIN unnest($1::text[], $2::text[], $3::bytea[]) AS k(source, origin, body_hash)
    ON d.body_hash = k.body_hash
    AND md5(d.source || chr(10) || d.origin) = md5(k.source || chr(10) || k.origin);

-- name: insert_commit
-- A block, its statements and the keys that queries find them by, in one step: a commit's time is that
-- of its steps. `stored` is less than was given where another replica had one of the ids;
-- `has_references` where stored statements are about some of these.
WITH b AS (INSERT INTO blocks (stored_at, data, keys) VALUES ($1, $2, $3) RETURNING id),
new AS (
    INSERT INTO statements
        (id, digest, outcome, source, stored_at, block, start, length, item, version)
    SELECT s.id, s.digest, s.outcome, s.source, s.stored_at, b.id, s.start, s.length, s.item, s.version
    FROM b, unnest($5::text[], $6::bigint[], $7::text[], $8::text[], $9::bigint[], $10::integer[],
        $11::integer[], $12::integer[], $13::text[])
        AS s(id, digest, outcome, source, stored_at, start, length, item, version)
    ORDER BY s.id COLLATE "C"
    ON CONFLICT (id) DO NOTHING RETURNING id),
found AS (
    INSERT INTO statement_keys (key, block, ranks)
    SELECT k.key, b.id, k.ranks FROM b, unnest($3, $4::text[]) AS k(key, ranks))
SELECT b.id AS block, (SELECT count(*) FROM new) AS stored,
    EXISTS (SELECT 1 FROM refs WHERE target = ANY($5::text[])) AS has_references
FROM b;

-- name: upsert_desired
INSERT INTO desired AS d ({moved})
SELECT * FROM unnest({moved_arrays})
ON CONFLICT (learner, kind, key) DO UPDATE SET {assign_moved},
    changed_at = CASE WHEN d.changed_at > (SELECT l.leased_at FROM learners AS l
            WHERE l.learner = excluded.learner AND l.hold = 3)
        THEN d.changed_at ELSE excluded.changed_at END,
    audit = CASE WHEN excluded.version > d.version THEN '' ELSE d.audit END;

-- name: upsert_evidence
INSERT INTO evidence (learner, key, body)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT (learner, key) DO UPDATE SET body = excluded.body;

-- name: queue_learners
-- The more urgent turn counts, the one that it has or the new one. What is urgent does not wait for the
-- learner's pace, but for a backoff or a lease it does. These rows are locked already.
UPDATE learners AS l SET
    source = CASE WHEN {is_first} THEN q.source ELSE l.source END,
    rule = CASE WHEN {is_first} THEN q.rule ELSE l.rule END,
    urgent = CASE WHEN {is_first} THEN q.urgent ELSE l.urgent END,
    due = CASE WHEN {is_first} THEN q.due ELSE l.due END,
    deadline = CASE WHEN l.due IS NULL THEN q.deadline ELSE least(l.deadline, q.deadline) END,
    ready = l.ready OR l.hold = 0 OR (l.hold = 1 AND q.urgent)
FROM unnest($1::text[], $2::boolean[], $3::bigint[], $4::text[], $5::text[], $6::bigint[])
    AS q(learner, urgent, due, source, rule, deadline)
WHERE l.learner = q.learner;


-- name: save_positions
INSERT INTO positions (consumer_group, topic, partition, next_offset, log_id, last_record)
SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::bigint[], $5::text[], $6::text[])
    AS n(consumer_group, topic, partition, next_offset, log_id, last_record)
ORDER BY consumer_group COLLATE "C", topic COLLATE "C", partition
ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET next_offset = excluded.next_offset,
    log_id = excluded.log_id, last_record = excluded.last_record;

-- name: insert_dead_letters
INSERT INTO dead_letters (source, origin, reason, statement_id, in_statements, received_at,
    body_hash, body)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::bigint[],
    $7::bytea[], $8::bytea[]) ORDER BY 7, 1, 2;

-- name: add_unmatched
INSERT INTO unmatched AS u (activity, inputs, sample_id, first_at, last_at)
SELECT activity, inputs, sample_id, at, at
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[]) AS n(activity, inputs, sample_id, at)
ORDER BY activity COLLATE "C"
ON CONFLICT (activity) DO UPDATE SET inputs = u.inputs + excluded.inputs,
    last_at = greatest(u.last_at, excluded.last_at);

-- name: add_accepted
INSERT INTO accepted AS a (source, shard, inputs)
SELECT source, $3::smallint, inputs FROM unnest($1::text[], $2::bigint[]) AS n(source, inputs)
ORDER BY source COLLATE "C"
ON CONFLICT (source, shard) DO UPDATE SET inputs = a.inputs + excluded.inputs;

-- name: promote_learners
-- What would wait past $2 was stored by a clock that has been set back since: it is over, and what is
-- due after that is due now.
WITH too_far AS (
    UPDATE learners SET ready = true, hold = 0
    WHERE learner IN (SELECT learner FROM learners
        WHERE NOT ready AND due IS NOT NULL AND ready_at > $2
        ORDER BY ready_at DESC LIMIT 1000 FOR UPDATE SKIP LOCKED)),
due_too_late AS (
    UPDATE learners SET due = CASE WHEN urgent THEN $1 ELSE $1 + $4::bigint END
    WHERE learner IN (SELECT learner FROM learners WHERE ready AND due > $2::bigint + $3
        ORDER BY due DESC LIMIT 1000 FOR UPDATE SKIP LOCKED))
UPDATE learners SET ready = true, hold = 0
WHERE learner IN (SELECT learner FROM learners
    WHERE NOT ready AND due IS NOT NULL AND ready_at <= $1
    ORDER BY ready_at LIMIT 1000 FOR UPDATE SKIP LOCKED);

-- name: waiting_turns
-- Of each queue, which is that of one source and rule, the first $1; of progress, what is due until $2.
-- And of those with a deadline after $3, the first $1 of the urgent and of progress.
WITH RECURSIVE queues AS (
    (SELECT urgent, source, rule FROM learners WHERE ready AND due IS NOT NULL
        ORDER BY urgent, source, rule LIMIT 1)
    UNION ALL
    SELECT n.urgent, n.source, n.rule FROM queues AS q CROSS JOIN LATERAL (
        SELECT urgent, source, rule FROM learners
        WHERE ready AND due IS NOT NULL AND (urgent, source, rule) > (q.urgent, q.source, q.rule)
        ORDER BY urgent, source, rule LIMIT 1) AS n
)
SELECT w.learner, w.urgent, w.due, w.source, w.rule, coalesce(w.deadline, 0) AS deadline
FROM queues AS q CROSS JOIN LATERAL (
    SELECT learner, urgent, due, source, rule, deadline FROM learners
    WHERE ready AND due IS NOT NULL AND urgent = q.urgent AND source = q.source AND rule = q.rule
        AND due <= CASE WHEN q.urgent THEN 9223372036854775807 ELSE $2 END
    ORDER BY due LIMIT $1 FOR UPDATE SKIP LOCKED) AS w
UNION ALL
SELECT d.learner, d.urgent, d.due, d.source, d.rule, d.deadline
FROM (VALUES (true), (false)) AS u(urgent) CROSS JOIN LATERAL (
    SELECT learner, urgent, due, source, rule, deadline FROM learners
    WHERE ready AND due IS NOT NULL AND deadline IS NOT NULL AND urgent = u.urgent
        AND deadline > $3
    ORDER BY deadline LIMIT $1 FOR UPDATE SKIP LOCKED) AS d;


-- name: lease_learners
UPDATE learners SET ready = false, hold = 3, ready_at = $1, leased_at = $2,
    lease_token = lease_token + 1
WHERE learner = ANY($3::text[])
RETURNING learner, lease_token;


-- name: undelivered_desired
SELECT {desired}
FROM desired AS d WHERE learner = ANY($1::text[]) AND version > delivered_version;

-- name: holds_lease
SELECT 1 FROM learners WHERE learner = $1 AND lease_token = $2 AND hold = 3 FOR UPDATE;

-- name: settle_delivered
UPDATE desired AS d SET delivered_version = greatest(d.delivered_version, s.version),
    delivered_value = s.sent, delivered_at = $6, failures = 0, retry_at = 0, parked = '', park_code = '',
    audited_at = NULL,
    since = CASE WHEN d.version > s.version THEN d.changed_at ELSE d.since END
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[]) AS s(kind, key, version, sent)
WHERE d.learner = $1 AND d.kind = s.kind AND d.key = s.key;

-- name: settle_retry
UPDATE desired AS d SET failures = d.failures + s.counts, retry_at = s.retry_at
FROM unnest($2::text[], $3::text[], $4::integer[], $5::bigint[]) AS s(kind, key, counts, retry_at)
WHERE d.learner = $1 AND d.kind = s.kind AND d.key = s.key;

-- name: settle_parked
UPDATE desired AS d SET parked = s.reason, park_code = s.code
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS s(kind, key, reason, code)
WHERE d.learner = $1 AND d.kind = s.kind AND d.key = s.key;

-- name: left_to_send
-- Its turn, and when the first of it may be sent: what is urgent does not wait for the pace, and what
-- has a time of its own waits for that.
SELECT coalesce(t.urgent, false), t.due, coalesce(t.source, ''), coalesce(t.rule, ''), n.deadline,
    n.next_at
FROM (SELECT min(CASE WHEN retry_at > $2 THEN retry_at WHEN urgent THEN 0 ELSE $3::bigint END)
            AS next_at,
        min(nullif(deadline, 0)) AS deadline
    FROM desired WHERE learner = $1 AND version > delivered_version AND parked = '') AS n
LEFT JOIN (SELECT urgent, {turn_due} AS due, source, rule
    FROM desired WHERE learner = $1 AND version > delivered_version AND parked = ''
    ORDER BY urgent DESC, 2 LIMIT 1) AS t ON true;


-- name: return_lease
UPDATE learners SET urgent = $2, due = $3, source = $4, rule = $5, deadline = $6, ready = $7,
    ready_at = $8, hold = $9
WHERE learner = $1;


-- name: parked_learners
-- Of these codes, or of all where there are none. A replica of the version before parks without a
-- code: that is freed with any, and parked again with one if it must be.
SELECT DISTINCT learner FROM desired
WHERE version > delivered_version AND parked <> '' AND starts_with(parked, $1)
    AND ($2::text[] = '{}' OR park_code = ANY($2::text[]) OR park_code = '');

-- name: free_waiting
UPDATE desired SET parked = '', park_code = ''
WHERE learner = ANY($1::text[]) AND version > delivered_version AND park_code = $2;

-- name: free_parked
UPDATE desired SET parked = '', park_code = '', failures = 0, retry_at = 0
WHERE learner = ANY($1::text[]) AND version > delivered_version AND parked <> ''
    AND starts_with(parked, $2)
    AND ($3::text[] = '{}' OR park_code = ANY($3::text[]) OR park_code = '');

-- name: drop_parked
DELETE FROM desired AS d
USING unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS s(learner, kind, key, version)
WHERE d.learner = s.learner AND d.kind = s.kind AND d.key = s.key AND d.version = s.version
    AND d.version > d.delivered_version AND d.parked <> '' AND d.delivered_version = 0;

-- name: fall_back_to_delivered
UPDATE desired AS d SET value = d.delivered_value, delivered_version = d.version, parked = '',
    park_code = '', failures = 0, retry_at = 0
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS s(learner, kind, key, version)
WHERE d.learner = s.learner AND d.kind = s.kind AND d.key = s.key AND d.version = s.version
    AND d.version > d.delivered_version AND d.parked <> '';

-- name: forget_retry_at
UPDATE desired SET retry_at = 0
WHERE learner = ANY($1::text[]) AND version > delivered_version AND parked = '';

-- name: requeue_freed
UPDATE learners AS l SET (urgent, due, source, rule) = (
        SELECT coalesce(t.urgent, false), t.due, coalesce(t.source, ''), coalesce(t.rule, '')
        FROM (SELECT 1) AS always LEFT JOIN (
            SELECT urgent, {turn_due} AS due, source, rule FROM desired AS d
            WHERE d.learner = l.learner AND version > delivered_version AND parked = ''
            ORDER BY urgent DESC, 2 LIMIT 1) AS t ON true),
    deadline = (SELECT min(nullif(d.deadline, 0)) FROM desired AS d
        WHERE d.learner = l.learner AND version > delivered_version AND parked = ''),
    ready = l.hold <> 3, hold = CASE WHEN l.hold = 3 THEN 3 ELSE 0 END
WHERE l.learner = ANY($1::text[]);


-- name: next_ready_at
-- Progress may be kept waiting until so shortly before it is due.
SELECT CASE WHEN EXISTS (SELECT 1 FROM learners WHERE ready AND due IS NOT NULL AND urgent) THEN 0
    ELSE least(
        (SELECT greatest(0, min(due) - $1) FROM learners WHERE ready AND due IS NOT NULL
            HAVING min(due) IS NOT NULL),
        (SELECT min(ready_at) FROM learners WHERE NOT ready AND due IS NOT NULL)) END;


-- name: read_statement
SELECT s.id AS statement_id, b.data AS block, s.start, s.length, s.item AS "index", b.stored_at,
    s.source, s.stored_at AS received_at, s.version
FROM statements AS s JOIN blocks AS b ON b.id = s.block WHERE s.id = $1;

-- name: read_positions
SELECT topic, partition, next_offset AS "offset", token, log_id, last_record FROM positions
WHERE consumer_group = $1 AND next_offset >= 0 AND partition >= 0 ORDER BY topic, partition;

-- name: claim_positions
INSERT INTO positions AS p (consumer_group, topic, partition, next_offset, token)
SELECT $1, topic, partition, -1, 1 FROM unnest($2::text[], $3::integer[]) AS n(topic, partition)
ORDER BY topic COLLATE "C", partition
ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET token = p.token + 1
RETURNING topic, partition, next_offset AS "offset", token, log_id, last_record;

-- name: count_undelivered
SELECT kind, parked <> '' AS is_parked, count(*), min(since) FROM desired
WHERE version > delivered_version GROUP BY 1, 2;

-- name: count_dead_letters
SELECT count(*) FROM dead_letters;

-- name: count_unmatched
SELECT coalesce(sum(inputs), 0)::bigint FROM unmatched;

-- name: sum_accepted
SELECT coalesce(sum(inputs), 0)::bigint FROM accepted;

-- name: count_outcomes
SELECT outcome, count(*) FROM statements GROUP BY outcome;

-- name: count_forgotten
SELECT what, inputs FROM forgotten;

-- name: count_letters
SELECT count(*) FILTER (WHERE NOT in_statements) AS letters,
    count(*) FILTER (WHERE in_statements) AS statement_letters
FROM dead_letters;

-- name: count_desired
SELECT count(*) AS desired, count(*) FILTER (WHERE version = delivered_version) AS delivered,
    count(*) FILTER (WHERE version > delivered_version AND parked = '') AS dirty,
    count(*) FILTER (WHERE version > delivered_version AND parked <> '') AS parked,
    count(*) FILTER (WHERE version < delivered_version) AS ahead
FROM desired;

-- name: bodies_missing
SELECT count(*) FROM statements AS s LEFT JOIN blocks AS b ON b.id = s.block WHERE b.id IS NULL;

-- name: dirty_unqueued
SELECT count(DISTINCT d.learner) FROM desired AS d LEFT JOIN learners AS l USING (learner)
WHERE d.version > d.delivered_version AND d.parked = '' AND (l.learner IS NULL OR l.due IS NULL);

-- name: add_forgotten
INSERT INTO forgotten AS f (what, inputs)
SELECT what, inputs FROM unnest($1::text[], $2::bigint[]) AS n(what, inputs) ORDER BY what
ON CONFLICT (what) DO UPDATE SET inputs = f.inputs + excluded.inputs;

-- name: only_pruner
SELECT pg_try_advisory_xact_lock(hashtext('pointsman prune'));

-- name: prune
WITH old AS (SELECT id FROM blocks WHERE stored_at < $1 ORDER BY stored_at LIMIT $2),
    gone AS (DELETE FROM blocks WHERE id IN (SELECT id FROM old) RETURNING id, keys),
    no_keys AS (DELETE FROM statement_keys AS k USING (SELECT id, unnest(keys) AS key FROM gone) AS g
        WHERE k.key = g.key AND k.block = g.id),
    no_refs AS (DELETE FROM refs WHERE block IN (SELECT id FROM old)),
    no_data AS (DELETE FROM attachments WHERE block IN (SELECT id FROM old)),
    known AS (DELETE FROM statements WHERE block IN (SELECT id FROM old) RETURNING outcome)
SELECT outcome, count(*) FROM known GROUP BY outcome;

-- name: list_parked
SELECT {desired} FROM desired AS d
WHERE version > delivered_version AND parked <> '' AND starts_with(parked, $1)
    AND ($2::text[] = '{}' OR learner = ANY($2::text[]))
    AND ($3::text[] = '{}' OR park_code = ANY($3::text[]))
ORDER BY since LIMIT $4;

-- name: list_unmatched
SELECT activity, inputs, sample_id, first_at, last_at FROM unmatched
ORDER BY inputs DESC, activity LIMIT $1;

-- name: drop_matched
DELETE FROM unmatched WHERE inputs <= 0;

-- name: list_dead_letters
SELECT id, source, origin, reason, statement_id, in_statements, received_at FROM dead_letters
WHERE id > $1 AND starts_with(reason, $2) AND ($3::text IS NULL OR source = $3)
ORDER BY id LIMIT $4;

-- name: read_dead_letter
SELECT id, source, origin, reason, statement_id, in_statements, received_at, body
FROM dead_letters WHERE id = $1;

-- name: drop_dead_letters
DELETE FROM dead_letters WHERE id = ANY($1::bigint[]) RETURNING in_statements;

-- name: drop_letters_of_statements
DELETE FROM dead_letters WHERE in_statements AND statement_id = ANY($1::text[])
RETURNING statement_id;

-- name: lock_outcomes
SELECT id, outcome FROM statements WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE;

-- name: change_outcomes
UPDATE statements AS s SET outcome = n.outcome
FROM unnest($1::text[], $2::text[]) AS n(id, outcome) WHERE s.id = n.id;

-- name: statements_since
SELECT s.id AS statement_id, s.block, s.start, s.length, s.item AS "index", b.stored_at, s.source,
    s.stored_at AS received_at, s.version, s.outcome
FROM statements AS s JOIN blocks AS b ON b.id = s.block
WHERE b.stored_at >= $1 AND (s.block, s.id) > ($2::bigint, $3::text)
    AND ($4::text = '' OR s.outcome = $4)
ORDER BY s.block, s.id LIMIT $5;

-- name: read_blocks
SELECT id, data FROM blocks WHERE id = ANY($1::bigint[]);

-- name: oldest_block
SELECT min(stored_at) FROM blocks;

-- name: table_sizes
SELECT relname, pg_total_relation_size(oid) FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' ORDER BY relname;

-- name: acquire_duty
INSERT INTO duties AS d (name, holder, until) VALUES ($1, $2, $4)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
-- one that ends far later was taken by a clock that has been set back since
WHERE d.holder = $2 OR d.until <= $3 OR d.until > $4 + 60000000
RETURNING 1;

-- name: leave_duties
DELETE FROM duties WHERE holder = $1;

-- name: choose_suspected
SELECT DISTINCT learner FROM (
    SELECT learner FROM desired
    WHERE version = delivered_version AND audit = 'suspected' AND audited_at < $1
    ORDER BY audited_at LIMIT $2) AS oldest;

-- name: choose_unaudited
SELECT DISTINCT learner FROM (
    SELECT learner FROM desired
    WHERE version = delivered_version AND audited_at IS NULL AND read_back <> ''
        AND delivered_at < $1
    ORDER BY urgent DESC, delivered_at DESC LIMIT $2) AS newest;

-- name: choose_audited
SELECT DISTINCT learner FROM (
    SELECT learner FROM desired
    WHERE version = delivered_version AND audited_at IS NOT NULL AND read_back <> ''
        AND audited_at < $1
    ORDER BY audited_at LIMIT $2) AS oldest;

-- name: delivered_desired
SELECT {desired}
FROM desired AS d WHERE learner = ANY($1::text[]) AND version = delivered_version AND read_back <> ''
    AND delivered_at < $2;

-- name: audited_row
SELECT audit, audited_at, occurred_at, delivered_at, read_back FROM desired
WHERE learner = $1 AND kind = $2 AND key = $3 AND version = $4 AND delivered_version = version
FOR UPDATE;

-- name: audit_looked
UPDATE desired SET audited_at = $5, audit = $6
WHERE learner = $1 AND kind = $2 AND key = $3 AND version = $4;

-- name: note_deadline
UPDATE desired SET deadline = $5 WHERE learner = $1 AND kind = $2 AND key = $3 AND version = $4;

-- name: audit_differs
UPDATE desired SET audited_at = $5, audit = $6, parked = $7, park_code = $8, delivered_version = 0,
    since = $5
WHERE learner = $1 AND kind = $2 AND key = $3 AND version = $4;

-- name: undelivered_readable
SELECT {desired}
FROM desired AS d WHERE version > delivered_version AND read_back <> '';

-- name: import_desired
INSERT INTO desired (delivered_at, {imported})
SELECT $1::bigint, n.* FROM unnest({imported_arrays}) AS n
ON CONFLICT (learner, kind, key) DO UPDATE SET {assign_imported},
    delivered_at = excluded.delivered_at, audit = '', audited_at = NULL;

-- name: agreement
SELECT read_back, count(*) FILTER (WHERE audit = 'agrees'), count(*) FILTER (WHERE audit = 'resent'),
    count(*) FILTER (WHERE audit = 'drift'),
    count(*) FILTER (WHERE audit = '' AND audited_at IS NOT NULL),
    count(*) FILTER (
        WHERE audit IN ('', 'suspected') AND (audited_at IS NULL OR audit <> '')),
    count(*) FILTER (WHERE audit = 'contradicted')
FROM desired WHERE read_back <> '' AND (delivered_version > 0 OR audit <> '')
GROUP BY read_back
ORDER BY count(*) FILTER (WHERE audit = 'drift') DESC,
    count(*) FILTER (WHERE audit = 'resent') DESC, read_back;

-- name: read_tokens
SELECT learner, sealed, stored_at, expires_at FROM tokens;

-- name: save_tokens
INSERT INTO tokens (learner, sealed, stored_at, expires_at)
SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::bigint[])
ON CONFLICT (learner) DO UPDATE SET sealed = excluded.sealed, stored_at = excluded.stored_at,
    expires_at = excluded.expires_at;

-- name: drop_tokens
DELETE FROM tokens WHERE learner = ANY($1::text[]);

-- name: add_window
INSERT INTO quota_window (id, ends_at, points, requests, state) VALUES (1, 0, 0, 0, '')
ON CONFLICT (id) DO NOTHING;

-- The time is that after the wait for the row, whoever had it and whatever became of that.
-- name: lock_window
WITH locked AS MATERIALIZED (SELECT state FROM quota_window WHERE id = 1 FOR UPDATE)
SELECT state, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM locked;

-- name: save_window
UPDATE quota_window SET state = $1, ends_at = $2, points = $3, requests = $4 WHERE id = 1;

-- name: read_window
SELECT ends_at, points, requests FROM quota_window;

-- name: insert_late_keys
INSERT INTO statement_keys (key, block, ranks)
SELECT key, block, '' FROM unnest($1::bigint[], $2::bigint[]) AS k(key, block) ORDER BY key, block
ON CONFLICT (key, block) DO UPDATE SET ranks = '';

-- name: insert_refs
INSERT INTO refs (target, block, id, voids)
SELECT target, $1, id, voids FROM unnest($2::text[], $3::text[], $4::boolean[])
    AS r(target, id, voids);

-- name: references_to
SELECT target, block, id FROM refs WHERE target = ANY($1::text[]);

-- name: voided
SELECT DISTINCT target FROM refs WHERE target = ANY($1::text[]) AND voids;

-- name: save_attachments
INSERT INTO attachments (sha2, content_type, content, block)
SELECT sha2, content_type, content, $1 FROM unnest($2::text[], $3::text[], $4::bytea[])
    AS a(sha2, content_type, content) ORDER BY sha2 COLLATE "C"
ON CONFLICT (sha2) DO UPDATE SET block = greatest(attachments.block, excluded.block);

-- name: read_attachments
SELECT sha2, content_type, content FROM attachments WHERE sha2 = ANY($1::text[]);

-- name: first_block_after
SELECT min(id) FROM (SELECT id FROM blocks WHERE stored_at > $1 ORDER BY stored_at LIMIT 1) AS f;

-- name: last_block_until
SELECT max(id) FROM
    (SELECT id FROM blocks WHERE stored_at <= $1 ORDER BY stored_at DESC LIMIT 1) AS f;

-- name: search_keys_down
SELECT a.block, b.stored_at, a.ranks,
    (SELECT k.ranks FROM statement_keys AS k WHERE k.key = $2::bigint AND k.block = a.block),
    (SELECT k.ranks FROM statement_keys AS k WHERE k.key = $3::bigint AND k.block = a.block),
    (SELECT k.ranks FROM statement_keys AS k WHERE k.key = $4::bigint AND k.block = a.block)
FROM (SELECT block, ranks FROM statement_keys WHERE key = $1::bigint AND block BETWEEN $5 AND $6
        ORDER BY block DESC LIMIT $7) AS a
LEFT JOIN blocks AS b ON b.id = a.block ORDER BY a.block DESC;

-- name: search_keys_up
SELECT a.block, b.stored_at, a.ranks,
    (SELECT k.ranks FROM statement_keys AS k WHERE k.key = $2::bigint AND k.block = a.block),
    (SELECT k.ranks FROM statement_keys AS k WHERE k.key = $3::bigint AND k.block = a.block),
    (SELECT k.ranks FROM statement_keys AS k WHERE k.key = $4::bigint AND k.block = a.block)
FROM (SELECT block, ranks FROM statement_keys WHERE key = $1::bigint AND block BETWEEN $5 AND $6
        ORDER BY block LIMIT $7) AS a
LEFT JOIN blocks AS b ON b.id = a.block ORDER BY a.block;

-- name: search_all_down
SELECT id, stored_at FROM blocks WHERE id BETWEEN $1 AND $2 ORDER BY id DESC LIMIT $3;

-- name: search_all_up
SELECT id, stored_at FROM blocks WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT $3;

-- name: read_block
SELECT data FROM blocks WHERE id = $1;

-- name: statements_of_block
SELECT id AS statement_id, start, length, item AS "index", stored_at AS received_at, source, version
FROM statements WHERE block = $1
ORDER BY start, item;

-- name: oldest_commit_under_way
SELECT (extract(epoch FROM min(xact_start)) * 1000000)::bigint FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'pointsman'
    AND backend_xid IS NOT NULL AND pid <> pg_backend_pid();

-- name: lock_document
SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(chr(10), $1::text, $2::text, $3::text,
    $4::text, $5::text), 0));

-- name: read_document
SELECT content_type, content, etag, updated_at FROM documents
WHERE resource = $1 AND md5(activity) = md5($2) AND md5(agent) = md5($3) AND registration = $4
    AND md5(name) = md5($5);

-- name: document_names
SELECT DISTINCT name FROM documents
WHERE resource = $1 AND md5(activity) = md5($2) AND md5(agent) = md5($3)
    AND ($4 = '' OR registration = $4) AND ($5::bigint IS NULL OR updated_at > $5) ORDER BY name;

-- name: save_document
INSERT INTO documents (resource, activity, agent, registration, name, content_type, content, etag,
    updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (resource, md5(activity), md5(agent), registration, md5(name)) DO UPDATE SET
    content_type = excluded.content_type, content = excluded.content, etag = excluded.etag,
    updated_at = excluded.updated_at;

-- name: delete_document
DELETE FROM documents
WHERE resource = $1 AND md5(activity) = md5($2) AND md5(agent) = md5($3) AND registration = $4
    AND md5(name) = md5($5);

-- name: delete_documents
DELETE FROM documents
WHERE resource = $1 AND md5(activity) = md5($2) AND md5(agent) = md5($3)
    AND ($4 = '' OR registration = $4);

-- name: named_documents
SELECT resource, name, content_type, content, etag, updated_at FROM documents
WHERE resource = ANY($1::text[]) AND md5(activity) = md5('') AND md5(agent) = md5('') AND registration = ''
    AND md5(name) = ANY(SELECT md5(wanted) FROM unnest($2::text[]) AS wanted);

-- name: lock_agent
SELECT pg_advisory_xact_lock(hashtextextended('documents of ' || $1::text, 0));

-- name: document_amounts
SELECT count(*) FILTER (WHERE registration = $2) AS registration_documents,
    coalesce(sum(size) FILTER (WHERE registration = $2), 0)::bigint AS registration_bytes,
    count(*) AS learner_documents, coalesce(sum(size), 0)::bigint AS learner_bytes
FROM (
    SELECT registration, octet_length(content) + octet_length(activity) + octet_length(name)
        + octet_length(content_type) AS size
    FROM documents
    WHERE md5(agent) = md5($1) AND agent <> '' AND resource IN ('state', 'agent_profile')
) AS sizes;

-- name: prune_documents
DELETE FROM documents WHERE resource = ANY($1::text[]) AND updated_at < $2;

-- name: prune_ended_states
DELETE FROM documents WHERE ctid = ANY(ARRAY(
    SELECT state.ctid FROM documents AS state
    WHERE state.resource = 'state' AND state.updated_at < $1 AND EXISTS (
        SELECT 1 FROM documents AS launch
        WHERE launch.resource = 'launch' AND md5(launch.activity) = md5('')
            AND md5(launch.agent) = md5('') AND launch.registration = ''
            AND md5(launch.name) = md5(state.registration) AND launch.updated_at < $1
    ) LIMIT $2
));

-- name: record_action
INSERT INTO operator_actions (at, kind, who, origin, learner, details, outcome)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id;

-- name: finish_action
UPDATE operator_actions SET outcome = $1 WHERE id = $2;

-- name: operator_actions
SELECT id, at, kind, who, origin, learner, details, outcome FROM operator_actions
WHERE ($1 = '' OR kind = $1) AND ($2 = '' OR md5(learner) = md5($2)) AND at >= $3
ORDER BY at DESC, id DESC LIMIT $4;

-- name: prune_actions
DELETE FROM operator_actions WHERE at < $1;

-- name: pauses
SELECT kind, since, reason FROM pauses ORDER BY kind;

-- name: save_pause
INSERT INTO pauses (kind, since, reason) VALUES ($1, $2, $3)
ON CONFLICT (kind) DO UPDATE SET reason = excluded.reason;

-- name: delete_pause
DELETE FROM pauses WHERE kind = $1;

-- name: states_of_course
-- Of a course by its id, slug or SKU, and of its topics; what is not delivered first.
SELECT {desired} FROM desired AS d
WHERE (kind IN ('course_status', 'course_archived')
        AND key IN ($1, 'id:' || $1, 'slug:' || $1, 'sku:' || $1))
    OR read_back = 'course:' || $1
ORDER BY version = delivered_version, since LIMIT $2;
