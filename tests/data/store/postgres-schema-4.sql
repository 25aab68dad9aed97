-- Made by the version whose newest schema was 4: one of everything, parked for every reason.
CREATE TABLE public.accepted (
    source text NOT NULL COLLATE pg_catalog."C",
    shard smallint NOT NULL,
    inputs bigint NOT NULL
);
CREATE TABLE public.attachments (
    sha2 text NOT NULL COLLATE pg_catalog."C",
    content_type text NOT NULL,
    content bytea NOT NULL,
    block bigint NOT NULL
);
CREATE TABLE public.blocks (
    id bigint NOT NULL,
    stored_at bigint NOT NULL,
    data bytea NOT NULL,
    keys bigint[] DEFAULT '{}'::bigint[] NOT NULL
);
ALTER TABLE ONLY public.blocks ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE public.blocks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.blocks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.dead_letters (
    id bigint NOT NULL,
    source text NOT NULL,
    origin text NOT NULL,
    reason text NOT NULL,
    statement_id text COLLATE pg_catalog."C",
    in_statements boolean NOT NULL,
    received_at bigint NOT NULL,
    body_hash bytea NOT NULL,
    body bytea NOT NULL
);
ALTER TABLE public.dead_letters ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.dead_letters_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.desired (
    learner text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL,
    version bigint NOT NULL,
    occurred_at bigint NOT NULL,
    statement_id text NOT NULL,
    rule text NOT NULL,
    since bigint NOT NULL,
    changed_at bigint NOT NULL,
    after text NOT NULL,
    attempts text NOT NULL,
    delivered_version bigint DEFAULT 0 NOT NULL,
    delivered_value text,
    delivered_at bigint,
    failures integer DEFAULT 0 NOT NULL,
    parked text DEFAULT ''::text NOT NULL,
    urgent boolean NOT NULL,
    read_back text NOT NULL,
    audited_at bigint,
    audit text DEFAULT ''::text NOT NULL
)
WITH (fillfactor='80');
CREATE TABLE public.documents (
    resource text NOT NULL COLLATE pg_catalog."C",
    activity text NOT NULL COLLATE pg_catalog."C",
    agent text NOT NULL COLLATE pg_catalog."C",
    registration text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    content_type text NOT NULL,
    etag text NOT NULL,
    updated_at bigint NOT NULL,
    content bytea NOT NULL
);
CREATE TABLE public.duties (
    name text NOT NULL,
    holder text NOT NULL,
    until bigint NOT NULL
);
CREATE TABLE public.evidence (
    learner text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    body text NOT NULL
);
CREATE TABLE public.forgotten (
    what text NOT NULL,
    inputs bigint NOT NULL
);
CREATE TABLE public.learners (
    learner text NOT NULL COLLATE pg_catalog."C",
    due bigint,
    ready boolean DEFAULT false NOT NULL,
    ready_at bigint DEFAULT 0 NOT NULL,
    hold smallint DEFAULT 0 NOT NULL,
    lease_token bigint DEFAULT 0 NOT NULL,
    leased_at bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='80');
CREATE TABLE public.pace (
    id smallint NOT NULL,
    state text NOT NULL,
    CONSTRAINT pace_id_check CHECK ((id = 1))
);
CREATE TABLE public.positions (
    consumer_group text NOT NULL COLLATE pg_catalog."C",
    topic text NOT NULL COLLATE pg_catalog."C",
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    token bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.refs (
    target text NOT NULL COLLATE pg_catalog."C",
    block bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    voids boolean NOT NULL
);
CREATE TABLE public.schema (
    number integer NOT NULL
);
CREATE TABLE public.statement_keys (
    key bigint NOT NULL,
    block bigint NOT NULL,
    ranks text NOT NULL
);
CREATE TABLE public.statements (
    id text NOT NULL COLLATE pg_catalog."C",
    digest bigint NOT NULL,
    outcome text NOT NULL,
    source text NOT NULL,
    stored_at bigint NOT NULL,
    block bigint NOT NULL,
    start integer NOT NULL,
    length integer NOT NULL,
    item integer,
    version text DEFAULT '1.0.0'::text NOT NULL
);
CREATE TABLE public.tokens (
    learner text NOT NULL COLLATE pg_catalog."C",
    sealed bytea NOT NULL,
    stored_at bigint NOT NULL,
    expires_at bigint
);
CREATE TABLE public.unmatched (
    activity text NOT NULL COLLATE pg_catalog."C",
    inputs bigint NOT NULL,
    sample_id text NOT NULL,
    first_at bigint NOT NULL,
    last_at bigint NOT NULL
);
INSERT INTO public.accepted VALUES ('test', 23, 14);
INSERT INTO public.blocks OVERRIDING SYSTEM VALUE VALUES (1, 1795927221728440, '\x28b52ffd20021100007b7d', '{}');
INSERT INTO public.blocks OVERRIDING SYSTEM VALUE VALUES (2, 1795927221919348, '\x28b52ffd20021100007b7d', '{}');
INSERT INTO public.blocks OVERRIDING SYSTEM VALUE VALUES (3, 1795927221933653, '\x28b52ffd20021100007b7d', '{}');
INSERT INTO public.blocks OVERRIDING SYSTEM VALUE VALUES (4, 1795927221949270, '\x28b52ffd20021100007b7d', '{}');
INSERT INTO public.blocks OVERRIDING SYSTEM VALUE VALUES (5, 1795927221969052, '\x28b52ffd20021100007b7d', '{}');
INSERT INTO public.blocks OVERRIDING SYSTEM VALUE VALUES (6, 1795927221992231, '\x28b52ffd20021100007b7d', '{}');
INSERT INTO public.blocks OVERRIDING SYSTEM VALUE VALUES (7, 1795927222009102, '\x28b52ffd20021100007b7d', '{}');
INSERT INTO public.blocks OVERRIDING SYSTEM VALUE VALUES (8, 1795927222018227, '\x28b52ffd20021100007b7d', '{}');
INSERT INTO public.blocks OVERRIDING SYSTEM VALUE VALUES (9, 1795927222027189, '\x28b52ffd20021100007b7d', '{}');
INSERT INTO public.blocks OVERRIDING SYSTEM VALUE VALUES (10, 1795927222047156, '\x28b52ffd20021100007b7d', '{}');
INSERT INTO public.blocks OVERRIDING SYSTEM VALUE VALUES (11, 1795927222105273, '\x28b52ffd20063100007b7d7b7d7b7d', '{}');
INSERT INTO public.dead_letters OVERRIDING SYSTEM VALUE VALUES (1, 'test', 'HTTP', 'no JSON', NULL, false, 30, '\xd839590985278e8fd9ebaf6eb1048c17', '\x7b');
INSERT INTO public.desired VALUES ('token', 'topic_progress', 't', '50', 1, 0, '00000000-0000-0000-0000-00000000000e', 'a rule', 0, 0, '[]', '[]', 0, NULL, NULL, 0, 'token: no authToken for token in tokens.toml', false, '', NULL, '');
INSERT INTO public.desired VALUES ('refused', 'topic_progress', 't', '50', 1, 1, '00000000-0000-0000-0000-00000000000f', 'a rule', 1, 1, '[]', '[]', 0, NULL, NULL, 0, 'token: refused by the platform: UNAUTHENTICATED: expired', false, '', NULL, '');
INSERT INTO public.desired VALUES ('meeting:user', 'meeting_attendance', 'c user', 'attended', 1, 2, '00000000-0000-0000-0000-000000000010', 'a rule', 2, 2, '[]', '[]', 0, NULL, NULL, 0, 'user: no user id for user in tokens.toml', true, '', NULL, '');
INSERT INTO public.desired VALUES ('meeting:refused', 'meeting_attendance', 'c refused', 'attended', 1, 3, '00000000-0000-0000-0000-000000000011', 'a rule', 3, 3, '[]', '[]', 0, NULL, NULL, 0, 'user: refused by the platform: FORBIDDEN: no', true, '', NULL, '');
INSERT INTO public.desired VALUES ('topic', 'topic_progress', 't', '50', 1, 4, '00000000-0000-0000-0000-000000000012', 'a rule', 4, 4, '[]', '[]', 0, NULL, NULL, 0, 'refused: NOT_FOUND: no topic (next: see that topic_id of the rule "a rule" names what the platform has; then pointsman parked retry --learner topic)', false, '', NULL, '');
INSERT INTO public.desired VALUES ('course', 'course_status', 'slug:c', 'completed', 1, 5, '00000000-0000-0000-0000-000000000013', 'a rule', 5, 5, '[["topic_progress","t"]]', '[]', 0, NULL, NULL, 0, 'waits for topic t, which is parked: refused: NOT_FOUND: no topic', true, 'course:c', NULL, '');
INSERT INTO public.desired VALUES ('failed', 'topic_progress', 't', '50', 1, 6, '00000000-0000-0000-0000-000000000014', 'a rule', 6, 6, '[]', '[]', 0, NULL, NULL, 0, 'failed 10 times, the last time with: INTERNAL_SERVER_ERROR', false, '', NULL, '');
INSERT INTO public.desired VALUES ('odd', 'topic_progress', 't', '50', 1, 7, '00000000-0000-0000-0000-000000000015', 'a rule', 7, 7, '[]', '[]', 0, NULL, NULL, 0, 'written by hand', false, '', NULL, '');
INSERT INTO public.desired VALUES ('drift', 'topic_progress', 't', '100', 1, 20, '00000000-0000-0000-0000-000000000016', 'a rule', 104, 20, '[]', '[]', 0, '100', 201, 0, 'drift: wanted 100, the platform shows not complete at path:p, also after it was sent again', true, 'path:p', 104, 'drift');
INSERT INTO public.desired VALUES ('shown', 'topic_progress', 't', '100', 1, 20, '00000000-0000-0000-0000-000000000017', 'a rule', 20, 20, '[]', '[]', 1, '100', 102, 0, '', true, 'course:c', 110, 'agrees');
INSERT INTO public.desired VALUES ('dirty', 'topic_progress', 't', '40', 1, 31, '00000000-0000-0000-0000-000000000019', 'a rule', 31, 31, '[]', '[["r1",40,31]]', 0, NULL, NULL, 0, '', false, '', NULL, '');
INSERT INTO public.desired VALUES ('dirty', 'topic_progress', 's', '33', 1, 32, '00000000-0000-0000-0000-00000000001a', 'a rule', 32, 32, '[]', '[]', 0, NULL, NULL, 0, '', false, '', NULL, '');
INSERT INTO public.documents VALUES ('state', 'http://a', 'mbox|m', '', 'bookmark', 'text/plain', 'e', 5, '\x706167652033');
INSERT INTO public.evidence VALUES ('dirty', 'slides', '{"items":["one"]}');
INSERT INTO public.learners VALUES ('token', NULL, false, 101, 1, 1, 100);
INSERT INTO public.learners VALUES ('refused', NULL, false, 101, 1, 1, 100);
INSERT INTO public.learners VALUES ('meeting:user', NULL, false, 101, 1, 1, 100);
INSERT INTO public.learners VALUES ('meeting:refused', NULL, false, 101, 1, 1, 100);
INSERT INTO public.learners VALUES ('topic', NULL, false, 101, 1, 1, 100);
INSERT INTO public.learners VALUES ('course', NULL, false, 101, 1, 1, 100);
INSERT INTO public.learners VALUES ('failed', NULL, false, 101, 1, 1, 100);
INSERT INTO public.learners VALUES ('odd', NULL, false, 101, 1, 1, 100);
INSERT INTO public.learners VALUES ('shown', NULL, false, 102, 1, 1, 100);
INSERT INTO public.learners VALUES ('drift', NULL, false, 201, 1, 2, 200);
INSERT INTO public.learners VALUES ('dirty', 31, true, 0, 0, 0, 0);
INSERT INTO public.positions VALUES ('group', 'lessons', 0, -1, 1);
INSERT INTO public.schema VALUES (4);
INSERT INTO public.statements VALUES ('00000000-0000-0000-0000-00000000000e', 1, 'applied', 'test', 0, 1, 0, 2, NULL, '1.0.0');
INSERT INTO public.statements VALUES ('00000000-0000-0000-0000-00000000000f', 1, 'applied', 'test', 1, 2, 0, 2, NULL, '1.0.0');
INSERT INTO public.statements VALUES ('00000000-0000-0000-0000-000000000010', 1, 'applied', 'test', 2, 3, 0, 2, NULL, '1.0.0');
INSERT INTO public.statements VALUES ('00000000-0000-0000-0000-000000000011', 1, 'applied', 'test', 3, 4, 0, 2, NULL, '1.0.0');
INSERT INTO public.statements VALUES ('00000000-0000-0000-0000-000000000012', 1, 'applied', 'test', 4, 5, 0, 2, NULL, '1.0.0');
INSERT INTO public.statements VALUES ('00000000-0000-0000-0000-000000000013', 1, 'applied', 'test', 5, 6, 0, 2, NULL, '1.0.0');
INSERT INTO public.statements VALUES ('00000000-0000-0000-0000-000000000014', 1, 'applied', 'test', 6, 7, 0, 2, NULL, '1.0.0');
INSERT INTO public.statements VALUES ('00000000-0000-0000-0000-000000000015', 1, 'applied', 'test', 7, 8, 0, 2, NULL, '1.0.0');
INSERT INTO public.statements VALUES ('00000000-0000-0000-0000-000000000016', 1, 'applied', 'test', 20, 9, 0, 2, NULL, '1.0.0');
INSERT INTO public.statements VALUES ('00000000-0000-0000-0000-000000000017', 1, 'applied', 'test', 20, 10, 0, 2, NULL, '1.0.0');
INSERT INTO public.statements VALUES ('00000000-0000-0000-0000-000000000018', 1, 'unmatched', 'test', 30, 11, 0, 2, NULL, '1.0.0');
INSERT INTO public.statements VALUES ('00000000-0000-0000-0000-000000000019', 1, 'applied', 'test', 31, 11, 2, 2, NULL, '1.0.0');
INSERT INTO public.statements VALUES ('00000000-0000-0000-0000-00000000001a', 1, 'applied', 'test', 32, 11, 4, 2, NULL, '1.0.0');
INSERT INTO public.tokens VALUES ('ana', '\x7365616c6564', 1, NULL);
INSERT INTO public.unmatched VALUES ('http://example.com/x', 1, '00000000-0000-0000-0000-000000000018', 30, 30);
SELECT pg_catalog.setval('public.blocks_id_seq', 11, true);
SELECT pg_catalog.setval('public.dead_letters_id_seq', 1, true);
ALTER TABLE ONLY public.accepted
    ADD CONSTRAINT accepted_pkey PRIMARY KEY (source, shard);
ALTER TABLE ONLY public.attachments
    ADD CONSTRAINT attachments_pkey PRIMARY KEY (sha2);
ALTER TABLE ONLY public.blocks
    ADD CONSTRAINT blocks_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.desired
    ADD CONSTRAINT desired_pkey PRIMARY KEY (learner, kind, key);
ALTER TABLE ONLY public.duties
    ADD CONSTRAINT duties_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.evidence
    ADD CONSTRAINT evidence_pkey PRIMARY KEY (learner, key);
ALTER TABLE ONLY public.forgotten
    ADD CONSTRAINT forgotten_pkey PRIMARY KEY (what);
ALTER TABLE ONLY public.learners
    ADD CONSTRAINT learners_pkey PRIMARY KEY (learner);
ALTER TABLE ONLY public.pace
    ADD CONSTRAINT pace_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.positions
    ADD CONSTRAINT positions_pkey PRIMARY KEY (consumer_group, topic, partition);
ALTER TABLE ONLY public.refs
    ADD CONSTRAINT refs_pkey PRIMARY KEY (target, block, id);
ALTER TABLE ONLY public.statement_keys
    ADD CONSTRAINT statement_keys_pkey PRIMARY KEY (key, block);
ALTER TABLE ONLY public.statements
    ADD CONSTRAINT statements_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (learner);
ALTER TABLE ONLY public.unmatched
    ADD CONSTRAINT unmatched_pkey PRIMARY KEY (activity);
CREATE INDEX attachments_block ON public.attachments USING btree (block);
CREATE INDEX blocks_stored ON public.blocks USING btree (stored_at);
CREATE UNIQUE INDEX dead_letters_once ON public.dead_letters USING btree (body_hash, md5(((source || chr(10)) || origin)));
CREATE INDEX dead_letters_statement ON public.dead_letters USING btree (statement_id) WHERE in_statements;
CREATE INDEX desired_audited ON public.desired USING btree (audited_at) WHERE ((version = delivered_version) AND (audited_at IS NOT NULL) AND (read_back <> ''::text));
CREATE INDEX desired_parked ON public.desired USING btree (since) WHERE ((version > delivered_version) AND (parked <> ''::text));
CREATE INDEX desired_unaudited ON public.desired USING btree (urgent DESC, delivered_at DESC) WHERE ((version = delivered_version) AND (audited_at IS NULL) AND (read_back <> ''::text));
CREATE INDEX desired_undelivered ON public.desired USING btree (kind, since) WHERE (version > delivered_version);
CREATE UNIQUE INDEX documents_key ON public.documents USING btree (resource, md5(activity), md5(agent), registration, md5(name));
CREATE INDEX learners_ready ON public.learners USING btree (due) WHERE (ready AND (due IS NOT NULL));
CREATE INDEX learners_waiting ON public.learners USING btree (ready_at) WHERE ((NOT ready) AND (due IS NOT NULL));
CREATE INDEX refs_block ON public.refs USING btree (block);
CREATE INDEX statements_block ON public.statements USING btree (block, id);
