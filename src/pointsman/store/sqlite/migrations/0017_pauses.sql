-- Delivery that an operator has paused, by kind of target; '' for everything.
CREATE TABLE pauses (
    kind TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    reason TEXT NOT NULL
) WITHOUT ROWID;
