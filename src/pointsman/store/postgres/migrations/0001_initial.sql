-- Times are microseconds since the Unix epoch. Names are compared byte by byte (COLLATE "C"), so
-- that every replica locks rows in the same order, and indexes don't depend on the system's locale.

-- What was accepted, by source: the left side of the books. Each replica adds to a shard of its
-- own, or all commits would wait for one row.
CREATE TABLE accepted (
    source text COLLATE "C" NOT NULL,
    shard smallint NOT NULL,
    inputs bigint NOT NULL,
    PRIMARY KEY (source, shard)
);

-- Bodies as they came, all of one commit together, compressed already.
CREATE TABLE blocks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stored_at bigint NOT NULL,
    data bytea NOT NULL
);
ALTER TABLE blocks ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE INDEX blocks_stored ON blocks (stored_at);

-- Every statement id that is known, for dedup, and where its body is.
CREATE TABLE statements (
    id text COLLATE "C" PRIMARY KEY,
    digest bigint NOT NULL,
    outcome text NOT NULL,
    source text NOT NULL,
    stored_at bigint NOT NULL,
    block bigint NOT NULL,
    start integer NOT NULL,
    length integer NOT NULL,
    item integer
);
CREATE INDEX statements_block ON statements (block, id);

-- The value wanted for (learner, target). read_back: 'course:' and the id, 'path:' and the slug, or
-- nothing. audit: '' not compared since the value changed, 'agrees', 'resent', 'drift' (parked).
CREATE TABLE desired (
    learner text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    value text NOT NULL,
    version bigint NOT NULL,
    occurred_at bigint NOT NULL,
    statement_id text NOT NULL,
    rule text NOT NULL,
    since bigint NOT NULL,
    changed_at bigint NOT NULL,
    after text NOT NULL,
    attempts text NOT NULL,
    delivered_version bigint NOT NULL DEFAULT 0,
    delivered_value text,
    delivered_at bigint,
    failures integer NOT NULL DEFAULT 0,
    parked text NOT NULL DEFAULT '',
    urgent boolean NOT NULL,
    read_back text NOT NULL,
    audited_at bigint,
    audit text NOT NULL DEFAULT '',
    PRIMARY KEY (learner, kind, key)
) WITH (fillfactor = 80);
CREATE INDEX desired_undelivered ON desired (kind, since) WHERE version > delivered_version;
CREATE INDEX desired_parked ON desired (since) WHERE version > delivered_version AND parked <> '';
CREATE INDEX desired_unaudited ON desired (urgent DESC, delivered_at DESC)
    WHERE version = delivered_version AND audited_at IS NULL AND read_back <> '';
CREATE INDEX desired_audited ON desired (audited_at)
    WHERE version = delivered_version AND audited_at IS NOT NULL AND read_back <> '';

-- The queue: one row a learner, whose lock is the right to move the learner's state. `due` is NULL
-- when there is nothing to send, else what the queue is sorted by. `hold` says what `ready_at` is
-- waited for: 0 nothing, 1 pace, 2 backoff, 3 lease.
CREATE TABLE learners (
    learner text COLLATE "C" PRIMARY KEY,
    due bigint,
    ready boolean NOT NULL DEFAULT false,
    ready_at bigint NOT NULL DEFAULT 0,
    hold smallint NOT NULL DEFAULT 0,
    lease_token bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);
CREATE INDEX learners_ready ON learners (due) WHERE ready AND due IS NOT NULL;
CREATE INDEX learners_waiting ON learners (ready_at) WHERE NOT ready AND due IS NOT NULL;

-- How far Kafka partitions are stored; whoever claims one gets the next token, and with an older
-- one nothing of it can be stored. next_offset is -1 where nothing was stored yet.
CREATE TABLE positions (
    consumer_group text COLLATE "C" NOT NULL,
    topic text COLLATE "C" NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    token bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (consumer_group, topic, partition)
);

-- `in_statements` where the input is a valid statement, known by its id.
CREATE TABLE dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    origin text NOT NULL,
    reason text NOT NULL,
    statement_id text COLLATE "C",
    in_statements boolean NOT NULL,
    received_at bigint NOT NULL,
    body_hash bytea NOT NULL,
    body bytea NOT NULL
);
-- the place may be long, so it is found by what it hashes to
CREATE UNIQUE INDEX dead_letters_once ON dead_letters (body_hash, md5(source || chr(10) || origin));
CREATE INDEX dead_letters_statement ON dead_letters (statement_id) WHERE in_statements;

-- Valid statements that no rule takes, by activity with a sample.
CREATE TABLE unmatched (
    activity text COLLATE "C" PRIMARY KEY,
    inputs bigint NOT NULL,
    sample_id text NOT NULL,
    first_at bigint NOT NULL,
    last_at bigint NOT NULL
);

-- What the books still count after it was pruned or dropped: outcomes of statements, and 'letter'
-- and 'statement letter' for dead letters that were dropped.
CREATE TABLE forgotten (
    what text PRIMARY KEY,
    inputs bigint NOT NULL
);

-- authTokens that were fetched, encrypted with a key that is not in here.
CREATE TABLE tokens (
    learner text COLLATE "C" PRIMARY KEY,
    sealed bytea NOT NULL,
    stored_at bigint NOT NULL,
    expires_at bigint
);

-- Work that one replica does at a time.
CREATE TABLE duties (
    name text PRIMARY KEY,
    holder text NOT NULL,
    until bigint NOT NULL
);

-- One row: the pace at which all replicas together spend the quota.
CREATE TABLE pace (
    id smallint PRIMARY KEY CHECK (id = 1),
    state text NOT NULL
);
