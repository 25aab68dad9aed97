-- What queries find statements by: one row for each key of a commit, with the ranks of the
-- statements that have it among those of the commit, "" for any. Keys are 64-bit hashes.
CREATE TABLE statement_keys (
    key bigint NOT NULL,
    block bigint NOT NULL,
    ranks text NOT NULL,
    PRIMARY KEY (key, block)
);

-- Which keys those are, so that they can be removed with the block.
ALTER TABLE blocks ADD COLUMN keys bigint[] NOT NULL DEFAULT '{}';
-- The version of xAPI that a statement was sent in.
ALTER TABLE statements ADD COLUMN version text NOT NULL DEFAULT '1.0.0';

-- Statements that are about other statements.
CREATE TABLE refs (
    target text COLLATE "C" NOT NULL,
    block bigint NOT NULL,
    id text COLLATE "C" NOT NULL,
    voids boolean NOT NULL,
    PRIMARY KEY (target, block, id)
);
CREATE INDEX refs_block ON refs (block);

-- The data of attachments, by the hash that names it; `block` is the last that has it attached.
CREATE TABLE attachments (
    sha2 text COLLATE "C" PRIMARY KEY,
    content_type text NOT NULL,
    content bytea NOT NULL,
    block bigint NOT NULL
);
CREATE INDEX attachments_block ON attachments (block);

-- Players' documents; '' for what a resource does not have. Names may be long, so a document is
-- found by what they hash to.
CREATE TABLE documents (
    resource text COLLATE "C" NOT NULL,
    activity text COLLATE "C" NOT NULL,
    agent text COLLATE "C" NOT NULL,
    registration text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    content_type text NOT NULL,
    etag text NOT NULL,
    updated_at bigint NOT NULL,
    content bytea NOT NULL
);
CREATE UNIQUE INDEX documents_key ON documents
    (resource, md5(activity), md5(agent), registration, md5(name));
