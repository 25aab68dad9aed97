-- The key that only this installation has; pseudonyms of learners are made with it.
CREATE TABLE installation (
    id smallint PRIMARY KEY CHECK (id = 1),
    secret bytea NOT NULL
);
INSERT INTO installation (id, secret)
VALUES (1, decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

-- Whose input is refused: keyed hashes of a person's identifiers, and no address.
CREATE TABLE refused_learners (
    hash text COLLATE "C" PRIMARY KEY,
    person text NOT NULL,
    refused_at bigint NOT NULL,
    until bigint NOT NULL,
    inputs bigint NOT NULL
);
