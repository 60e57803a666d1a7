import GRDB
import RopewalkSQLite

/// The tables of `log.sqlite`. `Spec/protocol.md` documents them for readers of the file.
enum SQLiteLogSchema {
  /// Takes a file from one version to the next, inside the transaction that takes it to the newest.
  typealias Step = @Sendable (Database) throws -> Void

  /// "RWLG".
  static let applicationID: Int32 = 0x5257_4c47
  /// The step at index n makes version n + 1 of version n; version 0 is an empty file. A step that was
  /// released is never changed: what comes later is a further step.
  static let steps: [Step] = [{ try $0.execute(sql: version1) }]
  /// The version that is written here, kept in the file as `user_version`.
  static var version: Int { steps.count }

  /// What a file of each version holds: index n for version n, nothing for 0.
  private static let known = Result { try DatabaseSchema.all(steps) }

  /// Opens the file. An empty one gets its tables and an older one is brought up to date, in one
  /// transaction; a later one, or another database, is an error and stays as it is.
  ///
  /// - Parameter steps: others than those of this release, in tests.
  static func openPool(path: String, steps: [Step]? = nil) throws -> DatabasePool {
    try look(path, steps)
    var configuration = configuration
    configuration.busyMode = .timeout(5)
    configuration.maximumReaderCount = 4
    configuration.label = "ropewalk.log"
    let pool = try DatabasePool(path: path, configuration: configuration)
    try pool.writeWithoutTransaction { database in
      // GRDB sets NORMAL in WAL mode, which loses the last commits when the machine loses power.
      try database.execute(sql: "PRAGMA synchronous = FULL")
      try database.inTransaction {
        try update(database, steps)
        return .commit
      }
    }
    return pool
  }

  /// Throws for a file that would be refused, and changes neither the file nor its folder: opening makes files
  /// beside the database, and closing moves its write-ahead log into it.
  static func look(_ path: String, _ steps: [Step]? = nil) throws {
    switch DatabaseLook(path: path) {
    case .nothing, .empty: return
    case .foreign: throw RelayLogError(act: .open, reason: .damaged)
    case .database(let application, let version):
      let version = Int(version)
      try check(application: application, version: version, latest: steps?.count ?? self.version)
      guard let schema = try DatabaseSchema.looking(at: path) else { return }
      try check(schema, version: version, steps)
    }
  }

  /// For every connection: what stands in a file's schema must not run functions, and damaged pages are
  /// found before they are used.
  static var configuration: Configuration {
    var configuration = Configuration()
    configuration.prepareDatabase {
      try $0.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
    }
    return configuration
  }

  /// Throws a `SchemaDifference` unless a file of this version has that version's tables and nothing besides.
  static func check(_ database: Database, version: Int) throws {
    try check(DatabaseSchema(of: database), version: version, nil)
  }

  private static func check(_ schema: DatabaseSchema, version: Int, _ steps: [Step]?) throws {
    let expected =
      try steps.map { try DatabaseSchema(after: $0.prefix(version)) } ?? known.get()[version]
    if let difference = schema.difference(from: expected) { throw difference }
  }

  /// The numbers of a log, or of an empty database.
  private static func check(application: Int32, version: Int, latest: Int) throws {
    guard application == (version == 0 ? 0 : applicationID), version >= 0 else {
      throw RelayLogError(act: .open, reason: .damaged)
    }
    guard version <= latest else { throw RelayLogError(act: .open, reason: .later(version: version)) }
  }

  private static func update(_ database: Database, _ steps: [Step]?) throws {
    let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    let application = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    let all = steps ?? self.steps
    try check(application: application, version: found, latest: all.count)
    try check(DatabaseSchema(of: database), version: found, steps)
    guard found < all.count else { return }
    for step in all[found...] { try step(database) }
    try database.execute(sql: "PRAGMA application_id = \(applicationID)")
    try database.execute(sql: "PRAGMA user_version = \(all.count)")
  }

  /// Numbers of 64 bits without sign are stored with the same bits.
  private static let version1 = """
    CREATE TABLE rooms (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      oldest INTEGER NOT NULL DEFAULT 1,
      before BLOB NOT NULL DEFAULT x'00000000000000000000000000000000',
      retention INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE subjects (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE owners (
      room INTEGER NOT NULL REFERENCES rooms,
      replica INTEGER NOT NULL,
      subject INTEGER NOT NULL REFERENCES subjects,
      identity BLOB,
      since INTEGER NOT NULL,
      PRIMARY KEY (room, replica)
    ) STRICT, WITHOUT ROWID;
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
    CREATE TABLE segments (
      id INTEGER PRIMARY KEY,
      room INTEGER NOT NULL REFERENCES rooms,
      first INTEGER NOT NULL,
      last INTEGER NOT NULL,
      ended INTEGER NOT NULL,
      before BLOB NOT NULL,
      digest BLOB NOT NULL,
      size INTEGER NOT NULL,
      content BLOB NOT NULL,
      UNIQUE (room, first)
    ) STRICT;
    CREATE TABLE segment_spans (
      document INTEGER NOT NULL REFERENCES documents,
      replica INTEGER NOT NULL,
      segment INTEGER NOT NULL REFERENCES segments,
      PRIMARY KEY (document, replica, segment)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE checkpoints (
      id INTEGER PRIMARY KEY,
      room INTEGER NOT NULL REFERENCES rooms,
      cursor INTEGER NOT NULL,
      digest BLOB,
      parts BLOB,
      announced INTEGER,
      is_used INTEGER NOT NULL DEFAULT 0,
      UNIQUE (room, cursor)
    ) STRICT;
    CREATE TABLE checkpoint_parts (
      checkpoint INTEGER NOT NULL REFERENCES checkpoints,
      number INTEGER NOT NULL,
      place INTEGER NOT NULL,
      kind INTEGER NOT NULL,
      tip INTEGER NOT NULL,
      time INTEGER NOT NULL DEFAULT 0,
      document INTEGER NOT NULL REFERENCES documents,
      replica INTEGER NOT NULL,
      first INTEGER NOT NULL,
      count INTEGER NOT NULL,
      size INTEGER NOT NULL,
      codec INTEGER NOT NULL,
      payload BLOB NOT NULL,
      PRIMARY KEY (checkpoint, number)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX checkpoint_parts_by_span ON checkpoint_parts (document, replica, first);
    """
}
