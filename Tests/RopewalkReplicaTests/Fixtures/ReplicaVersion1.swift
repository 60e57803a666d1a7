/// A replica file of schema 1: a document with a snapshot and a tail, a seeded one, an entry that is held, an
/// outbox, and a local value.
let replicaVersion1 = """
  PRAGMA foreign_keys = OFF;
  PRAGMA application_id = 1383034981;
  PRAGMA user_version = 1;
  CREATE TABLE rooms (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    cursor INTEGER NOT NULL DEFAULT 0,
    digest BLOB NOT NULL DEFAULT x'00000000000000000000000000000000',
    needs_offer INTEGER NOT NULL DEFAULT 0,
    role INTEGER,
    checkpoint INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO rooms VALUES(1,'team',2,X'c3a53cd30823e1f78ddf3b7def9fe6d1',0,2,0);
  CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    room INTEGER NOT NULL REFERENCES rooms (id),
    name TEXT NOT NULL,
    lineage INTEGER NOT NULL,
    is_current INTEGER NOT NULL,
    first_cursor INTEGER,
    version BLOB NOT NULL DEFAULT x'00',
    events INTEGER NOT NULL DEFAULT 0,
    scalars INTEGER NOT NULL DEFAULT 0,
    waiting INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL DEFAULT 0,
    text_update INTEGER NOT NULL DEFAULT 0,
    snapshot_update INTEGER NOT NULL DEFAULT 0,
    UNIQUE (room, name, lineage)
  ) STRICT;
  INSERT INTO documents VALUES(1,1,'notes.md',0,1,1,X'0105000000000000000d',14,14,0,0,6,3);
  INSERT INTO documents VALUES(2,1,'seeded.md',-8171780314253812136,1,NULL,X'01581e5fa21901988e16',23,2\
  3,0,0,5,0);
  CREATE TABLE texts (
    document INTEGER PRIMARY KEY REFERENCES documents (id),
    text TEXT NOT NULL
  ) STRICT;
  INSERT INTO texts VALUES(1,'?漢Hello world!');
  INSERT INTO texts VALUES(2,replace('A text that was there.\\n','\\n',char(10)));
  CREATE TABLE snapshots (
    document INTEGER PRIMARY KEY REFERENCES documents (id),
    snapshot BLOB NOT NULL
  ) STRICT;
  INSERT INTO snapshots VALUES(1,X'28b52ffd2051cd0100b4025302000a0105000b0c0c48656c6c6f20776f726c6421003628\
  8a9d5201000c000101000130010096e12dfd04004a1d34a8c22efb0ec008');
  CREATE TABLE updates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents (id),
    payload BLOB NOT NULL
  ) STRICT;
  INSERT INTO updates VALUES(4,1,X'52010105000000000000000c01000101000104010003e6bca24a58e747');
  INSERT INTO updates VALUES(5,2,X'5281581e5fa21901988e01581e5fa21901988e001700010100015c010017412074657874\
  2074686174207761732074686572652e0ab18f8106');
  INSERT INTO updates VALUES(6,1,X'52010105000000000000000d010001010001040100013fa3468dbb');
  CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES documents (id),
    replica INTEGER NOT NULL,
    first INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    began INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    inserted INTEGER NOT NULL,
    deleted INTEGER NOT NULL
  ) STRICT;
  INSERT INTO history VALUES(1,1,5,0,14,0,1700000000000,1700000000000,14,0);
  INSERT INTO history VALUES(2,2,-8171780314253812136,0,23,3,1700000000000,1700000000000,23,0);
  CREATE TABLE entries (
    room INTEGER NOT NULL REFERENCES rooms (id),
    cursor INTEGER NOT NULL,
    document INTEGER NOT NULL REFERENCES documents (id),
    replica INTEGER NOT NULL,
    first INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    subject TEXT,
    time INTEGER,
    inserted INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (room, cursor)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO entries VALUES(1,1,1,5,0,13,'ann',1700000000500,0,0);
  INSERT INTO entries VALUES(1,2,1,9,0,2,'bob',1700000000600,0,0);
  CREATE TABLE checkpoint_spans (
    document INTEGER NOT NULL REFERENCES documents (id),
    replica INTEGER NOT NULL,
    first INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    cursor INTEGER NOT NULL,
    subject TEXT,
    time INTEGER,
    PRIMARY KEY (document, replica, first)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE tips (
    document INTEGER NOT NULL REFERENCES documents (id),
    replica INTEGER NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER,
    subject TEXT NOT NULL,
    PRIMARY KEY (document, replica, since)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO tips VALUES(1,5,1,NULL,'ann');
  CREATE TABLE held (
    room INTEGER NOT NULL REFERENCES rooms (id),
    cursor INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    reason TEXT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (room, cursor)
  ) STRICT;
  INSERT INTO held VALUES(1,2,0,'log, row 2: truncated at byte 3, update.header',X'010203');
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents (id),
    replica INTEGER NOT NULL,
    first INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    acknowledged INTEGER,
    state INTEGER NOT NULL DEFAULT 0,
    cut BLOB
  ) STRICT;
  INSERT INTO outbox VALUES(2,2,-8171780314253812136,0,23,NULL,0,NULL);
  INSERT INTO outbox VALUES(3,1,5,13,14,NULL,0,NULL);
  CREATE TABLE authors (
    replica INTEGER PRIMARY KEY,
    since INTEGER NOT NULL,
    is_retired INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO authors VALUES(-8171780314253812136,1700000000000,0);
  INSERT INTO authors VALUES(5,1700000000000,0);
  CREATE TABLE identity (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    secret BLOB NOT NULL
  ) STRICT;
  CREATE TABLE renamings (
    document INTEGER NOT NULL REFERENCES documents (id),
    replica INTEGER NOT NULL,
    first INTEGER NOT NULL,
    fresh INTEGER NOT NULL,
    PRIMARY KEY (document, replica, first)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE local_values (
    document INTEGER NOT NULL REFERENCES documents (id),
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (document, key)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO local_values VALUES(1,'key',X'0102');
  DELETE FROM sqlite_sequence;
  INSERT INTO sqlite_sequence VALUES('documents',2);
  INSERT INTO sqlite_sequence VALUES('updates',6);
  INSERT INTO sqlite_sequence VALUES('outbox',3);
  CREATE VIEW document_texts AS
    SELECT r.name AS room, d.name AS document, printf('%016x', d.lineage) AS lineage, d.is_current, t.t\
  ext
    FROM texts t JOIN documents d ON d.id = t.document JOIN rooms r ON r.id = d.room;
  CREATE INDEX updates_of_document ON updates (document, id);
  CREATE INDEX history_of_replica ON history (document, replica, first);
  CREATE INDEX entries_of_replica ON entries (document, replica, first);
  CREATE INDEX tips_of_subject ON tips (document, subject) WHERE until IS NULL;
  CREATE INDEX outbox_of_replica ON outbox (document, replica, first);
  CREATE INDEX outbox_that_waits ON outbox (document) WHERE state <> 0;
  """
