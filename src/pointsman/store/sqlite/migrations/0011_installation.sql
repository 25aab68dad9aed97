-- The secret that ids of our own statements are made with. Statements that were stored before, and
-- on the day of the upgrade by replicas of the version before, may have the ids that it made.
CREATE TABLE installation (secret BLOB NOT NULL, former_ids_until INTEGER NOT NULL);
INSERT INTO installation (secret, former_ids_until)
SELECT randomblob(32), CASE WHEN EXISTS (SELECT 1 FROM statements)
    THEN (CAST(strftime('%s', 'now') AS INTEGER) + 86400) * 1000000 ELSE 0 END;
