-- One row: the quota window of all replicas. `state` is the budget's own text; the rest is for
-- commands and pages. What was dealt in the last minute counts as sent.
CREATE TABLE quota_window (
    id smallint PRIMARY KEY CHECK (id = 1),
    ends_at bigint NOT NULL,
    points bigint NOT NULL,
    requests bigint NOT NULL,
    state text NOT NULL
);
INSERT INTO quota_window (id, ends_at, points, requests, state)
SELECT 1, 0, 0, 0, json_build_object('sent', (
    SELECT json_agg(json_build_array((piece ->> 0)::numeric / 1000000, piece -> 1, piece -> 2))
    FROM json_array_elements(state::json -> 'dealt') AS piece
))::text
FROM pace WHERE state <> '';

-- A replica of the version before goes by the table of then, which says that the platform wants to
-- be left alone: it waits for an hour, and by then it is replaced.
INSERT INTO pace (id, state) VALUES (1, json_build_object(
    'blocked_until', (extract(epoch FROM now()) * 1000000)::bigint + 3600000000,
    'dealt', json_build_array()
)::text)
ON CONFLICT (id) DO UPDATE SET state = excluded.state;
