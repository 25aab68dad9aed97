-- What one learner keeps is added up with each document that a launched player writes, and what is
-- old is looked for by its age.
CREATE INDEX documents_of_agent ON documents (agent, registration) WHERE agent <> '';
CREATE INDEX documents_by_age ON documents (resource, updated_at);
