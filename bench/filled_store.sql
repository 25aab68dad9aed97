-- What bench/filled_store.py fills by one command: :learners learners with :topics topics each.

-- name: sqlite_desired
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :learners * :topics - 1)
INSERT INTO desired (learner, kind, key, value, version, occurred_at, statement_id, rule, since,
    changed_at, after, attempts, delivered_version, delivered_value, delivered_at, urgent)
SELECT 'l' || (i / :topics) || '@example.com', 'topic_progress', 't' || (i % :topics), 50, 1, 1,
    'x', 'rule 1', 1, 1, '[]', '[]', 1, 50, 1, 0 FROM n;

-- name: sqlite_learners
INSERT INTO learners (learner) SELECT DISTINCT learner FROM desired;

-- name: postgres_desired
INSERT INTO desired (learner, kind, key, value, version, occurred_at, statement_id, rule, since,
    changed_at, after, attempts, delivered_version, delivered_value, delivered_at, urgent,
    read_back)
SELECT 'l' || (i / $2::bigint) || '@example.com', 'topic_progress', 't' || (i % $2::bigint), '50',
    1, 1, 'x', 'rule 1', 1, 1, '[]', '[]', 1, '50', 1, false, ''
FROM generate_series(0, $1::bigint * $2::bigint - 1) AS i;

-- name: postgres_learners
INSERT INTO learners (learner) SELECT DISTINCT learner FROM desired;
