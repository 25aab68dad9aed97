-- What queries find statements by: one row for each key of a commit, with the ranks of the
-- statements that have it among those of the commit, "" for any. Keys are 64-bit hashes.
CREATE TABLE statement_keys (
    key INTEGER NOT NULL,
    block INTEGER NOT NULL,
    ranks TEXT NOT NULL,
    PRIMARY KEY (key, block)
) WITHOUT ROWID;

-- Which keys those are, so that they can be removed with the block: 64-bit integers.
ALTER TABLE blocks ADD COLUMN keys BLOB NOT NULL DEFAULT x'';
-- The version of xAPI that a statement was sent in.
ALTER TABLE statements ADD COLUMN version TEXT NOT NULL DEFAULT '1.0.0';

-- Statements that are about other statements.
CREATE TABLE refs (
    target TEXT NOT NULL,
    block INTEGER NOT NULL,
    id TEXT NOT NULL,
    voids INTEGER NOT NULL,
    PRIMARY KEY (target, block, id)
) WITHOUT ROWID;
CREATE INDEX refs_block ON refs (block);

-- The data of attachments, by the hash that names it; `block` is the last that has it attached.
CREATE TABLE attachments (
    sha2 TEXT PRIMARY KEY,
    content_type TEXT NOT NULL,
    content BLOB NOT NULL,
    block INTEGER NOT NULL
);
CREATE INDEX attachments_block ON attachments (block);

-- Players' documents; '' for what a resource does not have.
CREATE TABLE documents (
    resource TEXT NOT NULL,
    activity TEXT NOT NULL,
    agent TEXT NOT NULL,
    registration TEXT NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    etag TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    content BLOB NOT NULL,
    UNIQUE (resource, activity, agent, registration, name)
);
