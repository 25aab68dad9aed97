-- Whoever claims a partition gets the next token; with an older one nothing of it can be stored.
-- next_offset is -1 where nothing was stored yet.
ALTER TABLE positions ADD COLUMN token INTEGER NOT NULL DEFAULT 0;

-- What the books still count after it was pruned or dropped: outcomes of statements, and 'letter'
-- and 'statement letter' for dead letters that were dropped.
CREATE TABLE forgotten (
    what TEXT PRIMARY KEY,
    inputs INTEGER NOT NULL
) WITHOUT ROWID;

-- The statements of a commit, for pruning it and for deciding about it again.
CREATE INDEX statements_block ON statements (block, id);
CREATE INDEX blocks_stored ON blocks (stored_at);
