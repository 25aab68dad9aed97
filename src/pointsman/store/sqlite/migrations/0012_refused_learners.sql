-- Whose input is refused: keyed hashes of a person's identifiers, and no address.
CREATE TABLE refused_learners (
    hash TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    refused_at INTEGER NOT NULL,
    until INTEGER NOT NULL,
    inputs INTEGER NOT NULL
) WITHOUT ROWID;
