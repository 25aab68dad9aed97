-- What was sent of the quota in the last minute, piece by piece: when, requests, points.
ALTER TABLE quota_window ADD COLUMN sent TEXT NOT NULL DEFAULT '[]';
