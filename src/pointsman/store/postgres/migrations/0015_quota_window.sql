-- The pace of all replicas becomes their quota window: what was dealt in the last minute counts as
-- sent. A replica of before finds no table any more, and sends nothing until it is replaced.
ALTER TABLE pace RENAME TO quota_window;
ALTER TABLE quota_window
    ADD COLUMN ends_at bigint NOT NULL DEFAULT 0,
    ADD COLUMN points bigint NOT NULL DEFAULT 0,
    ADD COLUMN requests bigint NOT NULL DEFAULT 0;
UPDATE quota_window SET state = json_build_object('sent', (
    SELECT json_agg(json_build_array((piece ->> 0)::numeric / 1000000, piece -> 1, piece -> 2))
    FROM json_array_elements(state::json -> 'dealt') AS piece
))::text
WHERE state <> '';
