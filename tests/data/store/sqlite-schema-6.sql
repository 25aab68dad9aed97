-- Made by the version whose newest schema was 6: one of everything, parked for every reason.
BEGIN TRANSACTION;
CREATE TABLE accepted (
    source TEXT PRIMARY KEY,
    inputs INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO "accepted" VALUES('test',14);
CREATE TABLE attachments (
    sha2 TEXT PRIMARY KEY,
    content_type TEXT NOT NULL,
    content BLOB NOT NULL,
    block INTEGER NOT NULL
);
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    stored_at INTEGER NOT NULL,
    data BLOB NOT NULL
, keys BLOB NOT NULL DEFAULT x'');
INSERT INTO "blocks" VALUES(1,1795927216237964,X'28B52FFD20021100007B7D',X'');
INSERT INTO "blocks" VALUES(2,1795927216246883,X'28B52FFD20021100007B7D',X'');
INSERT INTO "blocks" VALUES(3,1795927216255279,X'28B52FFD20021100007B7D',X'');
INSERT INTO "blocks" VALUES(4,1795927216258966,X'28B52FFD20021100007B7D',X'');
INSERT INTO "blocks" VALUES(5,1795927216262209,X'28B52FFD20021100007B7D',X'');
INSERT INTO "blocks" VALUES(6,1795927216266846,X'28B52FFD20021100007B7D',X'');
INSERT INTO "blocks" VALUES(7,1795927216269930,X'28B52FFD20021100007B7D',X'');
INSERT INTO "blocks" VALUES(8,1795927216274376,X'28B52FFD20021100007B7D',X'');
INSERT INTO "blocks" VALUES(9,1795927216278547,X'28B52FFD20021100007B7D',X'');
INSERT INTO "blocks" VALUES(10,1795927216282870,X'28B52FFD20021100007B7D',X'');
INSERT INTO "blocks" VALUES(11,1795927216292930,X'28B52FFD20063100007B7D7B7D7B7D',X'');
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    origin TEXT NOT NULL,
    reason TEXT NOT NULL,
    statement_id TEXT,
    in_statements INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    body_hash BLOB NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (source, origin, body_hash)
);
INSERT INTO "dead_letters" VALUES(1,'test','HTTP','no JSON',NULL,0,30,X'D839590985278E8FD9EBAF6EB1048C17',X'7B');
CREATE TABLE desired (
    learner TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value NOT NULL,
    version INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    statement_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    since INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    after TEXT NOT NULL,
    attempts TEXT NOT NULL,
    delivered_version INTEGER NOT NULL DEFAULT 0,
    delivered_value,
    delivered_at INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    parked TEXT NOT NULL DEFAULT '',
    urgent INTEGER NOT NULL, read_back TEXT NOT NULL DEFAULT '', audited_at INTEGER, audit TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (learner, kind, key)
) WITHOUT ROWID;
INSERT INTO "desired" VALUES('course','course_status','slug:c','completed',1,5,'00000000-0000-0000-0000-000000000006','a rule',5,5,'[["topic_progress","t"]]','[]',0,NULL,NULL,0,'waits for topic t, which is parked: refused: NOT_FOUND: no topic',1,'course:c',NULL,'');
INSERT INTO "desired" VALUES('dirty','topic_progress','s',33,1,32,'00000000-0000-0000-0000-00000000000d','a rule',32,32,'[]','[]',0,NULL,NULL,0,'',0,'',NULL,'');
INSERT INTO "desired" VALUES('dirty','topic_progress','t',40,1,31,'00000000-0000-0000-0000-00000000000c','a rule',31,31,'[]','[["r1",40,31]]',0,NULL,NULL,0,'',0,'',NULL,'');
INSERT INTO "desired" VALUES('drift','topic_progress','t',100,1,20,'00000000-0000-0000-0000-000000000009','a rule',104,20,'[]','[]',0,100,201,0,'drift: wanted 100, the platform shows not complete at path:p, also after it was sent again',1,'path:p',104,'drift');
INSERT INTO "desired" VALUES('failed','topic_progress','t',50,1,6,'00000000-0000-0000-0000-000000000007','a rule',6,6,'[]','[]',0,NULL,NULL,0,'failed 10 times, the last time with: INTERNAL_SERVER_ERROR',0,'',NULL,'');
INSERT INTO "desired" VALUES('meeting:refused','meeting_attendance','c refused','attended',1,3,'00000000-0000-0000-0000-000000000004','a rule',3,3,'[]','[]',0,NULL,NULL,0,'user: refused by the platform: FORBIDDEN: no',1,'',NULL,'');
INSERT INTO "desired" VALUES('meeting:user','meeting_attendance','c user','attended',1,2,'00000000-0000-0000-0000-000000000003','a rule',2,2,'[]','[]',0,NULL,NULL,0,'user: no user id for user in tokens.toml',1,'',NULL,'');
INSERT INTO "desired" VALUES('odd','topic_progress','t',50,1,7,'00000000-0000-0000-0000-000000000008','a rule',7,7,'[]','[]',0,NULL,NULL,0,'written by hand',0,'',NULL,'');
INSERT INTO "desired" VALUES('refused','topic_progress','t',50,1,1,'00000000-0000-0000-0000-000000000002','a rule',1,1,'[]','[]',0,NULL,NULL,0,'token: refused by the platform: UNAUTHENTICATED: expired',0,'',NULL,'');
INSERT INTO "desired" VALUES('shown','topic_progress','t',100,1,20,'00000000-0000-0000-0000-00000000000a','a rule',20,20,'[]','[]',1,100,102,0,'',1,'course:c',110,'agrees');
INSERT INTO "desired" VALUES('token','topic_progress','t',50,1,0,'00000000-0000-0000-0000-000000000001','a rule',0,0,'[]','[]',0,NULL,NULL,0,'token: no authToken for token in tokens.toml',0,'',NULL,'');
INSERT INTO "desired" VALUES('topic','topic_progress','t',50,1,4,'00000000-0000-0000-0000-000000000005','a rule',4,4,'[]','[]',0,NULL,NULL,0,'refused: NOT_FOUND: no topic (next: see that topic_id of the rule "a rule" names what the platform has; then pointsman parked retry --learner topic)',0,'',NULL,'');
CREATE TABLE documents (
    resource TEXT NOT NULL,
    activity TEXT NOT NULL,
    agent TEXT NOT NULL,
    registration TEXT NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    etag TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    content BLOB NOT NULL,
    UNIQUE (resource, activity, agent, registration, name)
);
INSERT INTO "documents" VALUES('state','http://a','mbox|m','','bookmark','text/plain','e',5,X'706167652033');
CREATE TABLE evidence (
    learner TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (learner, key)
) WITHOUT ROWID;
INSERT INTO "evidence" VALUES('dirty','slides','{"items":["one"]}');
CREATE TABLE forgotten (
    what TEXT PRIMARY KEY,
    inputs INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE learners (
    learner TEXT PRIMARY KEY,
    due INTEGER,
    ready INTEGER NOT NULL DEFAULT 0,
    ready_at INTEGER NOT NULL DEFAULT 0,
    hold INTEGER NOT NULL DEFAULT 0,
    lease_token INTEGER NOT NULL DEFAULT 0
, leased_at INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
INSERT INTO "learners" VALUES('course',NULL,0,101,1,1,100);
INSERT INTO "learners" VALUES('dirty',31,1,1,0,0,0);
INSERT INTO "learners" VALUES('drift',NULL,0,201,1,2,200);
INSERT INTO "learners" VALUES('failed',NULL,0,101,1,1,100);
INSERT INTO "learners" VALUES('meeting:refused',NULL,0,101,1,1,100);
INSERT INTO "learners" VALUES('meeting:user',NULL,0,101,1,1,100);
INSERT INTO "learners" VALUES('odd',NULL,0,101,1,1,100);
INSERT INTO "learners" VALUES('refused',NULL,0,101,1,1,100);
INSERT INTO "learners" VALUES('shown',NULL,0,102,1,1,100);
INSERT INTO "learners" VALUES('token',NULL,0,101,1,1,100);
INSERT INTO "learners" VALUES('topic',NULL,0,101,1,1,100);
CREATE TABLE positions (
    consumer_group TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL, token INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (consumer_group, topic, partition)
) WITHOUT ROWID;
INSERT INTO "positions" VALUES('group','lessons',0,-1,1);
CREATE TABLE quota_window (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    ends_at INTEGER NOT NULL,
    points INTEGER NOT NULL,
    requests INTEGER NOT NULL
);
CREATE TABLE refs (
    target TEXT NOT NULL,
    block INTEGER NOT NULL,
    id TEXT NOT NULL,
    voids INTEGER NOT NULL,
    PRIMARY KEY (target, block, id)
) WITHOUT ROWID;
CREATE TABLE statement_keys (
    key INTEGER NOT NULL,
    block INTEGER NOT NULL,
    ranks TEXT NOT NULL,
    PRIMARY KEY (key, block)
) WITHOUT ROWID;
CREATE TABLE statements (
    id TEXT PRIMARY KEY,
    digest INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    source TEXT NOT NULL,
    stored_at INTEGER NOT NULL,
    block INTEGER NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    item INTEGER
, version TEXT NOT NULL DEFAULT '1.0.0') WITHOUT ROWID;
INSERT INTO "statements" VALUES('00000000-0000-0000-0000-000000000001',1,'applied','test',0,1,0,2,NULL,'1.0.0');
INSERT INTO "statements" VALUES('00000000-0000-0000-0000-000000000002',1,'applied','test',1,2,0,2,NULL,'1.0.0');
INSERT INTO "statements" VALUES('00000000-0000-0000-0000-000000000003',1,'applied','test',2,3,0,2,NULL,'1.0.0');
INSERT INTO "statements" VALUES('00000000-0000-0000-0000-000000000004',1,'applied','test',3,4,0,2,NULL,'1.0.0');
INSERT INTO "statements" VALUES('00000000-0000-0000-0000-000000000005',1,'applied','test',4,5,0,2,NULL,'1.0.0');
INSERT INTO "statements" VALUES('00000000-0000-0000-0000-000000000006',1,'applied','test',5,6,0,2,NULL,'1.0.0');
INSERT INTO "statements" VALUES('00000000-0000-0000-0000-000000000007',1,'applied','test',6,7,0,2,NULL,'1.0.0');
INSERT INTO "statements" VALUES('00000000-0000-0000-0000-000000000008',1,'applied','test',7,8,0,2,NULL,'1.0.0');
INSERT INTO "statements" VALUES('00000000-0000-0000-0000-000000000009',1,'applied','test',20,9,0,2,NULL,'1.0.0');
INSERT INTO "statements" VALUES('00000000-0000-0000-0000-00000000000a',1,'applied','test',20,10,0,2,NULL,'1.0.0');
INSERT INTO "statements" VALUES('00000000-0000-0000-0000-00000000000b',1,'unmatched','test',30,11,0,2,NULL,'1.0.0');
INSERT INTO "statements" VALUES('00000000-0000-0000-0000-00000000000c',1,'applied','test',31,11,2,2,NULL,'1.0.0');
INSERT INTO "statements" VALUES('00000000-0000-0000-0000-00000000000d',1,'applied','test',32,11,4,2,NULL,'1.0.0');
CREATE TABLE tokens (
    learner TEXT PRIMARY KEY,
    sealed BLOB NOT NULL,
    stored_at INTEGER NOT NULL,
    expires_at INTEGER
) WITHOUT ROWID;
INSERT INTO "tokens" VALUES('ana',X'7365616C6564',1,NULL);
CREATE TABLE unmatched (
    activity TEXT PRIMARY KEY,
    inputs INTEGER NOT NULL,
    sample_id TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO "unmatched" VALUES('http://example.com/x',1,'00000000-0000-0000-0000-00000000000b',30,30);
CREATE INDEX desired_undelivered ON desired (kind, parked, since)
    WHERE version > delivered_version;
CREATE INDEX learners_ready ON learners (due) WHERE ready = 1 AND due IS NOT NULL;
CREATE INDEX learners_waiting ON learners (ready_at) WHERE ready = 0 AND due IS NOT NULL;
CREATE INDEX desired_unaudited ON desired (urgent, delivered_at)
    WHERE version = delivered_version AND audited_at IS NULL AND read_back != '';
CREATE INDEX desired_audited ON desired (audited_at)
    WHERE version = delivered_version AND audited_at IS NOT NULL AND read_back != '';
CREATE INDEX statements_block ON statements (block, id);
CREATE INDEX blocks_stored ON blocks (stored_at);
CREATE INDEX refs_block ON refs (block);
CREATE INDEX attachments_block ON attachments (block);
COMMIT;
PRAGMA user_version = 6;
