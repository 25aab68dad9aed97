-- Delivery that an operator has paused, by kind of target; '' for everything.
CREATE TABLE pauses (
    kind text COLLATE "C" PRIMARY KEY,
    since bigint NOT NULL,
    reason text NOT NULL
);
