-- The secret that ids of our own statements are made with. Statements that were stored before, and
-- on the day of the upgrade by replicas of the version before, may have the ids that it made.
CREATE TABLE installation (secret bytea NOT NULL, former_ids_until bigint NOT NULL);
INSERT INTO installation (secret, former_ids_until)
SELECT sha256(convert_to(string_agg(gen_random_uuid()::text, ' '), 'UTF8')),
    CASE WHEN EXISTS (SELECT 1 FROM statements)
        THEN (extract(epoch FROM now())::bigint + 86400) * 1000000 ELSE 0 END
FROM generate_series(1, 4);
