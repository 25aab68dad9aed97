-- Whose input is refused: keyed hashes of a person's identifiers, and no address.
CREATE TABLE refused_learners (
    hash text COLLATE "C" PRIMARY KEY,
    person text NOT NULL,
    refused_at bigint NOT NULL,
    until bigint NOT NULL,
    inputs bigint NOT NULL
);
