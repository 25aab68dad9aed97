-- Fills a store; :statements and :desired stand for how many, a hundred statements to a block. They
-- are new, or a daemon would forget them. What is dirty goes into SQLite.

-- name: sqlite_blocks
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i * 100 < :statements)
INSERT INTO blocks (id, stored_at, data) SELECT i, strftime('%s') * 1000000, x'00' FROM n;

-- name: sqlite_statements
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :statements)
INSERT INTO statements (id, digest, outcome, source, stored_at, block, start, length)
SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' ||
    hex(randomblob(2)) || '-' || hex(randomblob(6))), i, 'applied', 'bench', strftime('%s') * 1000000, 1 + (i - 1) / 100, 0, 100
FROM n ORDER BY 1;

-- name: sqlite_desired
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :desired)
INSERT INTO desired (learner, kind, key, value, version, occurred_at, statement_id, rule, since,
    changed_at, after, attempts, delivered_version, delivered_value, urgent)
SELECT printf('old%07d', i / 5), 'topic_progress', 't' || (i % 5), 50, 1, 1, 'x', 'r', 1, 1, '[]',
    '[]', 1, 50, 0 FROM n;

-- name: sqlite_learners
INSERT INTO learners (learner) SELECT DISTINCT learner FROM desired;

-- name: postgres_empty
TRUNCATE accepted, blocks, statements, desired, learners RESTART IDENTITY;

-- name: postgres_blocks
INSERT INTO blocks (stored_at, data)
SELECT extract(epoch FROM now())::bigint * 1000000, '\x00'
FROM generate_series(1, (:statements + 99) / 100);

-- name: postgres_statements
INSERT INTO statements (id, digest, outcome, source, stored_at, block, start, length)
SELECT gen_random_uuid()::text, i, 'applied', 'bench',
    extract(epoch FROM now())::bigint * 1000000, 1 + (i - 1) / 100, 0, 100
FROM generate_series(1, :statements) AS i ORDER BY 1;

-- name: postgres_desired
INSERT INTO desired (learner, kind, key, value, version, occurred_at, statement_id, rule, since,
    changed_at, after, attempts, delivered_version, delivered_value, urgent, read_back)
SELECT 'old' || lpad((i / 5)::text, 7, '0'), 'topic_progress', 't' || (i % 5), '50', 1, 1, 'x',
    'r', 1, 1, '[]', '[]', 1, '50', false, '' FROM generate_series(1, :desired) AS i;

-- name: postgres_learners
INSERT INTO learners (learner) SELECT DISTINCT learner FROM desired;

-- name: postgres_analyze
ANALYZE;

-- name: dirty_desired
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :desired - 1)
INSERT INTO desired (learner, kind, key, value, version, occurred_at, statement_id, rule, since,
    changed_at, after, attempts, urgent)
SELECT printf('waits%07d', i / 5), 'topic_progress', 't' || (i % 5), 50, 1, 1, 'x', 'r', 1, 1, '[]',
    '[]', 0 FROM n;

-- name: dirty_learners
INSERT INTO learners (learner, urgent, due, source, rule, ready)
SELECT learner, 0, strftime('%s') * 1000000 + row_number() OVER (), 'bench', 'r', 1
FROM (SELECT DISTINCT learner FROM desired);
