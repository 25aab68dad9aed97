-- What operators did: who, what, when, from where, about whom, and how it ended.
CREATE TABLE operator_actions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    origin TEXT NOT NULL,
    learner TEXT NOT NULL,
    -- a JSON object
    details TEXT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX operator_actions_by_time ON operator_actions (at);
CREATE INDEX operator_actions_of_learner ON operator_actions (learner) WHERE learner <> '';
