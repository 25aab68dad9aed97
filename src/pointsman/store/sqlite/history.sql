-- name: insert_moves
-- The rows are added to it (ingest.py).
INSERT INTO moves (learner, at, moved, data) VALUES;

-- name: last_turn
SELECT coalesce(max(id), 0) FROM turns;

-- name: insert_turns
INSERT INTO turns (id, learner, at, data, unpublished) VALUES {rows};

-- name: moves_of_learner
-- Those that moved a value, and the others: a player that says the same over and over must not hide
-- what moved.
SELECT learner, at, data FROM (
    SELECT * FROM (SELECT * FROM moves WHERE learner = ?1 AND moved = 1 ORDER BY id DESC LIMIT ?2)
    UNION ALL
    SELECT * FROM (SELECT * FROM moves WHERE learner = ?1 AND moved = 0 ORDER BY id DESC LIMIT ?2))
ORDER BY id;

-- name: turns_of_learner
SELECT id, learner, at, data FROM (
    SELECT * FROM turns WHERE learner = ?1 ORDER BY id DESC LIMIT ?2)
ORDER BY id;

-- name: newest_turns
SELECT id, learner, at, data FROM turns ORDER BY id DESC LIMIT ?;

-- name: turns_since
SELECT id, learner, at, data FROM turns WHERE id > ?1 AND at >= ?2 ORDER BY id LIMIT ?3;

-- name: unpublished_turns
SELECT id, learner, at, data FROM turns WHERE unpublished = 1 ORDER BY id LIMIT ?;

-- name: turns_published
UPDATE turns SET unpublished = 0 WHERE id IN (SELECT value FROM json_each(?));

-- name: states_of_learner
SELECT {desired}, d.delivered_at, d.audited_at, d.audit FROM desired AS d WHERE d.learner = ?;

-- name: state_by_key
SELECT {desired}, d.delivered_at, d.audited_at, d.audit FROM desired AS d
WHERE d.learner = ? AND d.kind = ? AND d.key = ?;

-- name: queue_places
SELECT learner, due, ready, ready_at, hold FROM learners
WHERE learner IN (SELECT value FROM json_each(?));

-- name: dead_letters_with
-- Of the newest ?1, as long as those before it have fewer than ?2 bytes; four pairs of texts. With
-- LIMIT -1 the words are made once for each.
WITH bounded AS (
    SELECT id, coalesce(sum(size) OVER (
        ORDER BY id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM (SELECT id, length(body) AS size FROM dead_letters ORDER BY id DESC LIMIT ?1)),
named AS NOT MATERIALIZED (
    SELECT d.id, lower(CAST(d.body AS TEXT)) AS words
    FROM bounded AS b CROSS JOIN dead_letters AS d ON d.id = b.id WHERE b.before < ?2 LIMIT -1)
SELECT d.id, source, origin, reason, statement_id, in_statements, received_at
FROM named AS n CROSS JOIN dead_letters AS d ON d.id = n.id
WHERE (?4 <> '' AND instr(words, ?4) AND instr(words, ?5))
    OR (?6 <> '' AND instr(words, ?6) AND instr(words, ?7))
    OR (?8 <> '' AND instr(words, ?8) AND instr(words, ?9))
    OR (?10 <> '' AND instr(words, ?10) AND instr(words, ?11))
ORDER BY d.id DESC LIMIT ?3;

-- name: prune_old_moves
DELETE FROM moves WHERE id IN (
    SELECT id FROM (SELECT id, at FROM moves ORDER BY id LIMIT ?2) WHERE at < ?1);

-- name: prune_old_turns
DELETE FROM turns WHERE id IN (
    SELECT id FROM (SELECT id, at, unpublished FROM turns ORDER BY id LIMIT ?2)
    WHERE at < ?1 AND unpublished = 0);

-- name: next_learners_of_history
SELECT json_group_array(learner) FROM (
    SELECT learner FROM moves WHERE learner > ?1 UNION SELECT learner FROM turns WHERE learner > ?1
    ORDER BY learner LIMIT ?2);

-- name: prune_many_moves
DELETE FROM moves WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY learner, moved ORDER BY id DESC) AS place
        FROM moves WHERE learner IN (SELECT value FROM json_each(?1)))
    WHERE place > ?2);

-- name: prune_many_turns
DELETE FROM turns WHERE id IN (
    SELECT id FROM (
        SELECT id, unpublished, row_number() OVER (PARTITION BY learner ORDER BY id DESC) AS place
        FROM turns WHERE learner IN (SELECT value FROM json_each(?1)))
    WHERE place > ?2 AND unpublished = 0);
