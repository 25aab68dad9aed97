-- name: installation_secret
SELECT secret FROM installation;

-- name: tables
SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%';

-- name: all_blocks
SELECT id, data FROM blocks;

-- name: meetings_of_learner
-- The learner is the last word of the key.
SELECT DISTINCT learner FROM desired
WHERE kind = 'meeting_attendance' AND substr(key, -length(?1)) = ?1;

-- name: leased
SELECT count(*) FROM learners
WHERE learner IN (SELECT value FROM json_each(?1)) AND hold = 3 AND ready_at > ?2;

-- name: erase_attendance
DELETE FROM desired WHERE kind = 'meeting_attendance' AND substr(key, -length(?1)) = ?1;

-- name: read_block_and_keys
SELECT data, keys FROM blocks WHERE id = ?;

-- name: placed_statements
SELECT id AS statement_id, outcome, start, length, item AS "index" FROM statements WHERE block = ?
ORDER BY start, item;

-- name: erase_statements
DELETE FROM statements WHERE id IN (SELECT value FROM json_each(?));

-- name: erase_refs
DELETE FROM refs WHERE block = ? AND id IN (SELECT value FROM json_each(?));

-- name: place_statements
UPDATE statements SET start = json_extract(s.value, '$[1]'), length = json_extract(s.value, '$[2]')
FROM (SELECT value FROM json_each(?)) AS s WHERE statements.id = json_extract(s.value, '$[0]');

-- name: save_block
UPDATE blocks SET data = ?, keys = ? WHERE id = ?;

-- name: erase_block
DELETE FROM blocks WHERE id = ?;

-- name: ranks_of_keys
SELECT key, ranks FROM statement_keys
WHERE key IN (SELECT value FROM json_each(?)) AND block = ?;

-- name: save_ranks
UPDATE statement_keys SET ranks = json_extract(s.value, '$[1]')
FROM (SELECT value FROM json_each(?1)) AS s
WHERE statement_keys.key = json_extract(s.value, '$[0]') AND block = ?2;

-- name: erase_keys
DELETE FROM statement_keys WHERE key IN (SELECT value FROM json_each(?)) AND block = ?;

-- name: blocks_with_keys
SELECT block FROM statement_keys WHERE key IN (SELECT value FROM json_each(?1))
UNION
SELECT w.block FROM waiting_keys AS w, json_each(w.ranks) AS k
WHERE CAST(k.key AS INTEGER) IN (SELECT value FROM json_each(?1));

-- name: refuse_learner
INSERT INTO refused_learners (hash, person, refused_at, until, inputs) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (hash) DO UPDATE SET person = excluded.person, refused_at = excluded.refused_at,
    until = excluded.until;

-- name: read_refused
SELECT hash, person, refused_at, until, inputs FROM refused_learners ORDER BY person, hash;

-- name: count_refused
UPDATE refused_learners SET inputs = inputs + ?2 WHERE hash = ?1;

-- name: end_refused
DELETE FROM refused_learners WHERE until <= ?;
