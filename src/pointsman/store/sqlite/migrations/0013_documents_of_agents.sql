-- What one learner keeps is added up when a launched player's document grows: of the index alone, for
-- it has the sizes as the query `document_amounts` counts them. What is old is looked for by its age.
CREATE INDEX documents_of_agent ON documents (
    agent, resource, registration,
    length(content) + length(CAST(activity AS BLOB)) + length(CAST(name AS BLOB))
        + length(CAST(content_type AS BLOB))
) WHERE agent <> '';
CREATE INDEX documents_by_age ON documents (resource, updated_at);
