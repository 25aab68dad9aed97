-- What explains a learner's state; nothing is decided by it. A row has what one commit did for one
-- learner, as JSON (store/history_codec.py).

CREATE TABLE moves (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    learner text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    moved boolean NOT NULL,
    data text NOT NULL
);
CREATE INDEX moves_of_learner ON moves (learner, moved, id);

-- What was sent, what became of it, and what was read back. `unpublished` while it waits to be
-- written to a topic.
CREATE TABLE turns (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    learner text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    data text NOT NULL,
    unpublished boolean NOT NULL DEFAULT false
);
CREATE INDEX turns_at ON turns (at, id);
CREATE INDEX turns_of_learner ON turns (learner, id);
CREATE INDEX turns_unpublished ON turns (id) WHERE unpublished;
