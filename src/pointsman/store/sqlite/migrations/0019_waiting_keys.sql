-- Keys of the newest commits, which are not among `statement_keys` yet: many commits' are added to it
-- at once, in order. `ranks` is a JSON object of ranks by key; `keys_until` counts the keys that wait,
-- up to this commit's.
CREATE TABLE waiting_keys (
    block INTEGER PRIMARY KEY,
    keys_until INTEGER NOT NULL,
    ranks TEXT NOT NULL
);
