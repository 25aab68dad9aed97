-- What a learner's statements say together, by what it is gathered for: JSON, see store/evidence.py.
-- Whoever changes it has locked the learner.
CREATE TABLE evidence (
    learner text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (learner, key)
);
