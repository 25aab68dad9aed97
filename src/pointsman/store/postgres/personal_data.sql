-- name: installation_secret
SELECT secret FROM installation;

-- name: table_columns
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = current_schema();

-- name: all_blocks
SELECT id, data FROM blocks;

-- name: meetings_of_learner
-- The learner is the last word of the key.
SELECT DISTINCT learner FROM desired
WHERE kind = 'meeting_attendance' AND right(key, length($1)) = $1;

-- name: leased
SELECT count(*) FROM learners WHERE learner = ANY($1::text[]) AND hold = 3 AND ready_at > $2;

-- name: erase_attendance
DELETE FROM desired WHERE kind = 'meeting_attendance' AND right(key, length($1)) = $1;

-- name: lock_block
SELECT data, keys FROM blocks WHERE id = $1 FOR UPDATE;

-- name: placed_statements
SELECT id AS statement_id, outcome, start, length, item AS "index" FROM statements
WHERE block = $1 ORDER BY start, item FOR UPDATE;

-- name: erase_statements
DELETE FROM statements WHERE id = ANY($1::text[]);

-- name: erase_refs
DELETE FROM refs WHERE block = $1 AND id = ANY($2::text[]);

-- name: place_statements
UPDATE statements AS s SET start = n.start, length = n.length
FROM unnest($1::text[], $2::integer[], $3::integer[]) AS n(id, start, length) WHERE s.id = n.id;

-- name: save_block
UPDATE blocks SET data = $2, keys = $3 WHERE id = $1;

-- name: erase_block
DELETE FROM blocks WHERE id = $1;

-- name: ranks_of_keys
SELECT key, ranks FROM statement_keys WHERE key = ANY($1::bigint[]) AND block = $2;

-- name: save_ranks
UPDATE statement_keys AS k SET ranks = n.ranks
FROM unnest($1::bigint[], $2::text[]) AS n(key, ranks) WHERE k.key = n.key AND k.block = $3;

-- name: erase_keys
DELETE FROM statement_keys WHERE key = ANY($1::bigint[]) AND block = $2;

-- name: blocks_with_keys
SELECT DISTINCT block FROM statement_keys WHERE key = ANY($1::bigint[]);

-- name: refuse_learners
INSERT INTO refused_learners (hash, person, refused_at, until, inputs)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
ON CONFLICT (hash) DO UPDATE SET person = excluded.person, refused_at = excluded.refused_at,
    until = excluded.until;

-- name: read_refused
SELECT hash, person, refused_at, until, inputs FROM refused_learners ORDER BY person, hash;

-- name: count_refused
UPDATE refused_learners AS r SET inputs = r.inputs + n.inputs
FROM unnest($1::text[], $2::bigint[]) AS n(hash, inputs) WHERE r.hash = n.hash;

-- name: end_refused
DELETE FROM refused_learners WHERE until <= $1;
