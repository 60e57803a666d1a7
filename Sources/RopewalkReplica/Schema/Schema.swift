import GRDB
import RopewalkSQLite

/// The file's tables, as `Spec/replica.md` documents them, and how a file of an earlier release becomes one
/// of this.
enum Schema {
  /// `PRAGMA application_id` of every replica: "Rope".
  static let applicationID: Int32 = 0x526f_7065

  /// `PRAGMA user_version` of a file that this release writes: the number of steps it went through.
  static var current: Int { steps.count }

  /// Step n makes schema n + 1 out of schema n. A released step is never changed.
  static let steps: [String] = [version1]

  /// What a file of each version holds: index n for version n, nothing for 0.
  static let known = Result {
    try DatabaseSchema.all(steps.map { step in { @Sendable in try $0.execute(sql: step) } })
  }

  private static let version1 = """
    CREATE TABLE rooms (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      cursor INTEGER NOT NULL DEFAULT 0,
      digest BLOB NOT NULL DEFAULT x'00000000000000000000000000000000',
      needs_offer INTEGER NOT NULL DEFAULT 0,
      role INTEGER,
      checkpoint INTEGER NOT NULL DEFAULT 0
    ) STRICT;

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

    CREATE TABLE texts (
      document INTEGER PRIMARY KEY REFERENCES documents (id),
      text TEXT NOT NULL
    ) STRICT;

    CREATE TABLE snapshots (
      document INTEGER PRIMARY KEY REFERENCES documents (id),
      snapshot BLOB NOT NULL
    ) STRICT;

    CREATE VIEW document_texts AS
      SELECT r.name AS room, d.name AS document, printf('%016x', d.lineage) AS lineage, d.is_current, t.text
      FROM texts t JOIN documents d ON d.id = t.document JOIN rooms r ON r.id = d.room;

    CREATE TABLE updates (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      document INTEGER NOT NULL REFERENCES documents (id),
      payload BLOB NOT NULL
    ) STRICT;
    CREATE INDEX updates_of_document ON updates (document, id);

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
    CREATE INDEX history_of_replica ON history (document, replica, first);

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
    CREATE INDEX entries_of_replica ON entries (document, replica, first);

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
    CREATE INDEX tips_of_subject ON tips (document, subject) WHERE until IS NULL;

    CREATE TABLE held (
      room INTEGER NOT NULL REFERENCES rooms (id),
      cursor INTEGER NOT NULL,
      kind INTEGER NOT NULL,
      reason TEXT NOT NULL,
      payload BLOB NOT NULL,
      PRIMARY KEY (room, cursor)
    ) STRICT;

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
    CREATE INDEX outbox_of_replica ON outbox (document, replica, first);
    CREATE INDEX outbox_that_waits ON outbox (document) WHERE state <> 0;

    CREATE TABLE authors (
      replica INTEGER PRIMARY KEY,
      since INTEGER NOT NULL,
      is_retired INTEGER NOT NULL DEFAULT 0
    ) STRICT;

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
    """
}
