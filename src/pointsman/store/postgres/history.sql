-- name: insert_moves
INSERT INTO moves (learner, at, moved, data)
SELECT m.learner, $1, m.moved, m.data
FROM unnest($2::text[], $3::boolean[], $4::text[]) AS m(learner, moved, data);

-- name: insert_turns
INSERT INTO turns (learner, at, data, unpublished)
SELECT t.learner, $1, t.data, $2 FROM unnest($3::text[], $4::text[]) AS t(learner, data);

-- name: moves_of_learner
-- Those that moved a value, and the others: a player that says the same over and over must not hide
-- what moved.
SELECT m.learner, m.at, m.data FROM (
    (SELECT * FROM moves WHERE learner = $1 AND moved ORDER BY id DESC LIMIT $2)
    UNION ALL
    (SELECT * FROM moves WHERE learner = $1 AND NOT moved ORDER BY id DESC LIMIT $2)) AS m
ORDER BY m.id;

-- name: turns_of_learner
SELECT t.id, t.learner, t.at, t.data FROM (
    SELECT * FROM turns WHERE learner = $1 ORDER BY id DESC LIMIT $2) AS t
ORDER BY t.id;

-- name: newest_turns
SELECT id, learner, at, data FROM turns ORDER BY id DESC LIMIT $1;

-- name: turns_since
SELECT id, learner, at, data FROM turns WHERE (at, id) > ($1, $2) ORDER BY at, id LIMIT $3;

-- name: unpublished_turns
SELECT id, learner, at, data FROM turns WHERE unpublished ORDER BY id LIMIT $1;

-- name: turns_published
UPDATE turns SET unpublished = false WHERE id = ANY($1::bigint[]);

-- name: states_of_learner
SELECT {desired}, d.delivered_at, d.audited_at, d.audit FROM desired AS d WHERE d.learner = $1;

-- name: states_by_key
SELECT {desired}, d.delivered_at, d.audited_at, d.audit
FROM unnest($1::text[], $2::text[], $3::text[]) AS k(learner, kind, key)
JOIN desired AS d USING (learner, kind, key);

-- name: queue_places
SELECT learner, due, ready, ready_at, hold FROM learners WHERE learner = ANY($1::text[]);

-- name: outcomes_of_statements
SELECT id, outcome FROM statements WHERE id = ANY($1::text[]);

-- name: dead_letters_with
-- Of the newest $1, as long as those before it have fewer than $2 bytes; four pairs of texts. Bytes
-- are escaped, whatever they are, and then only ASCII is left, which "C" is fast for.
WITH newest AS MATERIALIZED (
    SELECT id, octet_length(body) AS size FROM dead_letters ORDER BY id DESC LIMIT $1),
bounded AS MATERIALIZED (
    SELECT id, coalesce(sum(size) OVER (
        ORDER BY id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM newest),
named AS MATERIALIZED (
    SELECT d.id, d.source, d.origin, d.reason, d.statement_id, d.in_statements, d.received_at,
        lower(encode(d.body, 'escape') COLLATE "C") AS words
    FROM dead_letters AS d WHERE d.id = ANY(ARRAY(SELECT id FROM bounded WHERE before < $2)))
SELECT id, source, origin, reason, statement_id, in_statements, received_at FROM named
WHERE ($4::text <> '' AND strpos(words, $4) > 0 AND strpos(words, $5::text) > 0)
    OR ($6::text <> '' AND strpos(words, $6) > 0 AND strpos(words, $7::text) > 0)
    OR ($8::text <> '' AND strpos(words, $8) > 0 AND strpos(words, $9::text) > 0)
    OR ($10::text <> '' AND strpos(words, $10) > 0 AND strpos(words, $11::text) > 0)
ORDER BY id DESC LIMIT $3;

-- name: prune_old_moves
DELETE FROM moves WHERE id IN (
    SELECT id FROM (SELECT id, at FROM moves ORDER BY id LIMIT $2) AS oldest WHERE at < $1);

-- name: prune_old_turns
DELETE FROM turns WHERE id IN (
    SELECT id FROM (SELECT id, at, unpublished FROM turns ORDER BY id LIMIT $2) AS oldest
    WHERE at < $1 AND NOT unpublished);

-- name: next_learners_of_history
SELECT learner FROM (
    SELECT learner FROM moves WHERE learner > $1
    UNION SELECT learner FROM turns WHERE learner > $1) AS names
ORDER BY learner LIMIT $2;

-- name: prune_many_moves
DELETE FROM moves WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY learner, moved ORDER BY id DESC) AS place
        FROM moves WHERE learner = ANY($1::text[])) AS placed
    WHERE place > $2);

-- name: prune_many_turns
DELETE FROM turns WHERE id IN (
    SELECT id FROM (
        SELECT id, unpublished, row_number() OVER (PARTITION BY learner ORDER BY id DESC) AS place
        FROM turns WHERE learner = ANY($1::text[])) AS placed
    WHERE place > $2 AND NOT unpublished);
