-- What operators did: who, what, when, from where, about whom, and how it ended.
CREATE TABLE operator_actions (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at bigint NOT NULL,
    kind text NOT NULL,
    who text NOT NULL,
    origin text NOT NULL,
    learner text NOT NULL,
    -- a JSON object
    details text NOT NULL,
    outcome text NOT NULL
);
CREATE INDEX operator_actions_by_time ON operator_actions (at);
CREATE INDEX operator_actions_of_learner ON operator_actions (md5(learner)) WHERE learner <> '';
