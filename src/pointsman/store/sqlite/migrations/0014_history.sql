-- What explains a learner's state; nothing is decided by it. A row has what one commit did for one
-- learner, as JSON (store/history_codec.py).

-- `moved` is 1 where a value moved.
CREATE TABLE moves (
    id INTEGER PRIMARY KEY,
    learner TEXT NOT NULL,
    at INTEGER NOT NULL,
    moved INTEGER NOT NULL,
    data TEXT NOT NULL
);

CREATE INDEX moves_of_learner ON moves (learner, moved);

-- `id` is the time of `at`, or later. What was sent, what became of it, and what was read back. `unpublished` is 1 while it waits to be
-- written to a topic.
CREATE TABLE turns (
    id INTEGER PRIMARY KEY,
    learner TEXT NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL,
    unpublished INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX turns_of_learner ON turns (learner);
CREATE INDEX turns_unpublished ON turns (id) WHERE unpublished = 1;
