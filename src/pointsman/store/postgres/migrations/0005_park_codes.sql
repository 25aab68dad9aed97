-- Why it is parked, as a code (domain/park_codes.py) beside the sentence in `parked`; '' where it is
-- not. Until now the beginning of the sentence was the code.
ALTER TABLE desired ADD COLUMN park_code text NOT NULL DEFAULT '';
UPDATE desired SET park_code = CASE
    WHEN parked LIKE 'token: refused by the platform: %' THEN 'token_refused'
    WHEN parked LIKE 'token: %' THEN 'no_token'
    WHEN parked LIKE 'user: refused by the platform: %' THEN 'user_id_refused'
    WHEN parked LIKE 'user: %' THEN 'no_user_id'
    WHEN parked LIKE 'refused: %' THEN 'refused_by_platform'
    WHEN parked LIKE 'waits for %' THEN 'waits_for'
    WHEN parked LIKE 'failed % times, %' THEN 'failed_too_often'
    WHEN parked LIKE 'drift: %' THEN 'drift'
    ELSE 'unknown'
END
WHERE parked <> '';
