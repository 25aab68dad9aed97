-- The key that only this installation has; pseudonyms of learners are made with it.
CREATE TABLE installation (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    secret BLOB NOT NULL
);
INSERT INTO installation (id, secret) VALUES (1, randomblob(32));

-- Whose input is refused: keyed hashes of a person's identifiers, and no address.
CREATE TABLE refused_learners (
    hash TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    refused_at INTEGER NOT NULL,
    until INTEGER NOT NULL,
    inputs INTEGER NOT NULL
) WITHOUT ROWID;
