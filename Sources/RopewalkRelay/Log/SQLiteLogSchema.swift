import GRDB

/// The tables of `log.sqlite`. `Spec/protocol.md` documents them for readers of the file.
enum SQLiteLogSchema {
  /// "RWLG".
  static let applicationID: Int32 = 0x5257_4c47
  static let version = 1

  /// Opens the file, creates the tables in an empty one, and checks that it is a log of this version.
  static func openPool(path: String) throws -> DatabasePool {
    var configuration = Configuration()
    configuration.busyMode = .timeout(5)
    configuration.maximumReaderCount = 4
    configuration.label = "ropewalk.log"
    let pool = try DatabasePool(path: path, configuration: configuration)
    try pool.writeWithoutTransaction { database in
      // GRDB sets NORMAL in WAL mode, which loses the last commits when the machine loses power.
      try database.execute(sql: "PRAGMA synchronous = FULL")
      try database.inTransaction {
        let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let application = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        switch (found, application) {
        case (0, 0):
          try database.execute(sql: tables)
          try database.execute(sql: "PRAGMA application_id = \(applicationID)")
          try database.execute(sql: "PRAGMA user_version = \(version)")
        case (version, applicationID): break
        default: throw RelayLogError(act: .open, reason: .damaged)
        }
        return .commit
      }
    }
    return pool
  }

  /// Numbers of 64 bits without sign are stored with the same bits.
  private static let tables = """
    CREATE TABLE rooms (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE subjects (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE documents (
      id INTEGER PRIMARY KEY,
      room INTEGER NOT NULL REFERENCES rooms,
      name TEXT NOT NULL,
      lineage INTEGER NOT NULL,
      UNIQUE (room, name, lineage)
    ) STRICT;
    CREATE TABLE entries (
      room INTEGER NOT NULL REFERENCES rooms,
      cursor INTEGER NOT NULL,
      subject INTEGER NOT NULL REFERENCES subjects,
      time INTEGER NOT NULL,
      document INTEGER NOT NULL REFERENCES documents,
      replica INTEGER NOT NULL,
      first INTEGER NOT NULL,
      count INTEGER NOT NULL,
      hash BLOB NOT NULL,
      digest BLOB NOT NULL,
      size INTEGER NOT NULL,
      codec INTEGER NOT NULL,
      payload BLOB NOT NULL,
      PRIMARY KEY (room, cursor)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX entries_by_span ON entries (document, replica, first);
    """
}
