-- Times are microseconds since the Unix epoch. Big sets come in as JSON, so that a commit takes a
-- handful of statements however many rows it has.

-- What the endpoint has accepted, by source: the left side of the books.
CREATE TABLE accepted (
    source TEXT PRIMARY KEY,
    inputs INTEGER NOT NULL
) WITHOUT ROWID;

-- Bodies as they came, all of one commit together, compressed.
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    stored_at INTEGER NOT NULL,
    data BLOB NOT NULL
);

-- Every statement id that is known, for dedup, and where its body is.
CREATE TABLE statements (
    id TEXT PRIMARY KEY,
    digest INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    source TEXT NOT NULL,
    stored_at INTEGER NOT NULL,
    block INTEGER NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    item INTEGER
) WITHOUT ROWID;

-- The value wanted for (learner, target).
CREATE TABLE desired (
    learner TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value NOT NULL,
    version INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    statement_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    since INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    after TEXT NOT NULL,
    attempts TEXT NOT NULL,
    delivered_version INTEGER NOT NULL DEFAULT 0,
    delivered_value,
    delivered_at INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    parked TEXT NOT NULL DEFAULT '',
    urgent INTEGER NOT NULL,
    PRIMARY KEY (learner, kind, key)
) WITHOUT ROWID;

CREATE INDEX desired_undelivered ON desired (kind, parked, since)
    WHERE version > delivered_version;

-- The queue: one row a learner. `due` is NULL when there is nothing to send, else what the queue
-- is sorted by. `hold` says what `ready_at` is waited for: 0 nothing, 1 pace, 2 backoff, 3 lease.
CREATE TABLE learners (
    learner TEXT PRIMARY KEY,
    due INTEGER,
    ready INTEGER NOT NULL DEFAULT 0,
    ready_at INTEGER NOT NULL DEFAULT 0,
    hold INTEGER NOT NULL DEFAULT 0,
    lease_token INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE INDEX learners_ready ON learners (due) WHERE ready = 1 AND due IS NOT NULL;
CREATE INDEX learners_waiting ON learners (ready_at) WHERE ready = 0 AND due IS NOT NULL;

CREATE TABLE positions (
    consumer_group TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (consumer_group, topic, partition)
) WITHOUT ROWID;

-- `in_statements` is 1 where the input is a valid statement, known by its id.
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    origin TEXT NOT NULL,
    reason TEXT NOT NULL,
    statement_id TEXT,
    in_statements INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    body_hash BLOB NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (source, origin, body_hash)
);

-- Valid statements that no rule takes, by activity with a sample.
CREATE TABLE unmatched (
    activity TEXT PRIMARY KEY,
    inputs INTEGER NOT NULL,
    sample_id TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) WITHOUT ROWID;

-- One row: the quota window and what is set aside of it.
CREATE TABLE quota_window (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    ends_at INTEGER NOT NULL,
    points INTEGER NOT NULL,
    requests INTEGER NOT NULL
);
