-- What a learner's statements say together, by what it is gathered for: JSON, see store/evidence.py.
CREATE TABLE evidence (
    learner TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (learner, key)
) WITHOUT ROWID;
