import Foundation
import GRDB
import RopewalkSQLite

/// Opens replica files: as a database that is surely a replica of this release's schema, or not at all.
enum ReplicaFile {
  /// Opens for reading and writing, and makes the file if there is none.
  static func queue(_ path: String, _ options: ReplicaOptions) throws(ReplicaError) -> DatabaseQueue {
    try ReplicaError.mapping { try open(path, options) }
  }

  /// Opens a file that exists, without changing it.
  static func queueForReading(_ path: String, _ options: ReplicaOptions) throws(ReplicaError) -> DatabaseQueue
  {
    try ReplicaError.mapping { try openReadOnly(path, options) }
  }

  /// Throws for a file that would be refused, and changes neither the file nor its folder. A file that is not
  /// there is not refused.
  static func look(_ path: String) throws(ReplicaError) { try ReplicaError.mapping { try mustBeOurs(path) } }

  /// Opening makes files beside the database, and closing moves its write-ahead log into it: so what is refused
  /// is refused before it is opened.
  private static func mustBeOurs(_ path: String) throws {
    switch DatabaseLook(path: path) {
    case .nothing, .empty: return
    case .foreign: throw ReplicaError.notAReplica
    case .database(let application, let version):
      try check(application: application, version: version)
      guard let schema = try DatabaseSchema.looking(at: path) else { return }
      try check(schema, application: application, version: version)
    }
  }

  private static func open(_ path: String, _ options: ReplicaOptions) throws -> DatabaseQueue {
    try mustBeOurs(path)
    let queue = try DatabaseQueue(path: path, configuration: configuration(options, isReadOnly: false))
    try queue.writeWithoutTransaction { db in
      if try checkAtOnce(db) < Schema.current {
        try db.inTransaction(.immediate) {
          // Another process may have been faster.
          let found = try check(db)
          for step in Schema.steps.dropFirst(found) { try db.execute(sql: step) }
          try db.execute(
            sql: "PRAGMA application_id = \(Schema.applicationID); PRAGMA user_version = \(Schema.current)")
          return .commit
        }
      }
      try useWriteAheadLog(db)
    }
    return queue
  }

  private static func openReadOnly(_ path: String, _ options: ReplicaOptions) throws -> DatabaseQueue {
    try mustBeOurs(path)
    let queue = try DatabaseQueue(path: path, configuration: configuration(options, isReadOnly: true))
    let found = try queue.writeWithoutTransaction(checkAtOnce)
    guard found == Schema.current else {
      if found == 0 { throw ReplicaError.notAReplica }
      throw ReplicaError.olderSchema(found: found, current: Schema.current)
    }
    return queue
  }

  private static func configuration(_ options: ReplicaOptions, isReadOnly: Bool) -> Configuration {
    var configuration = Configuration()
    configuration.readonly = isReadOnly
    configuration.label = "ropewalk.replica"
    configuration.busyMode = .timeout(Double(options.busyTimeout) / 1000)
    configuration.prepareDatabase { db in
      // A damaged schema must not run functions, and damaged pages are found before they are used.
      try db.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
    }
    return configuration
  }

  /// The schema's number; 0 for an empty database. Throws if the file is something else or newer, and if
  /// there is anything in its schema but what the releases made: nothing of it may run.
  private static func check(_ db: Database) throws -> Int {
    let application = Int32(truncatingIfNeeded: try integer(db, "PRAGMA application_id"))
    let version = Int32(truncatingIfNeeded: try integer(db, "PRAGMA user_version"))
    try check(application: application, version: version)
    try check(DatabaseSchema(of: db), application: application, version: version)
    return Int(version)
  }

  /// The numbers of a replica that this release knows, or of an empty database.
  private static func check(application: Int32, version: Int32) throws {
    if application == 0, version == 0 { return }
    guard application == Schema.applicationID, version >= 1 else { throw ReplicaError.notAReplica }
    guard Int(version) <= Schema.current else {
      throw ReplicaError.newerSchema(found: Int(version), supported: Schema.current)
    }
  }

  /// The schema that belongs to the numbers.
  private static func check(_ schema: DatabaseSchema, application: Int32, version: Int32) throws {
    guard let difference = schema.difference(from: try Schema.known.get()[Int(version)]) else { return }
    if application == 0 { throw ReplicaError.notAReplica }
    throw ReplicaError.damaged(.init(place: "schema", problem: difference.description))
  }

  /// Checks in a transaction of its own: another process may be bringing the file up to date.
  private static func checkAtOnce(_ db: Database) throws -> Int {
    var found = 0
    try db.inTransaction(.deferred) {
      found = try check(db)
      return .commit
    }
    return found
  }

  private static func integer(_ db: Database, _ sql: String) throws -> Int64 {
    try Row.fetchOne(db, sql: sql)?.integer(0) ?? 0
  }

  /// A file keeps its journal mode, so this is work once. SQLite does not wait for others here: waiting for a
  /// transaction does.
  private static func useWriteAheadLog(_ db: Database) throws {
    for _ in 0..<100 {
      do {
        _ = try Row.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
        return
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
        try db.inTransaction(.immediate) { .commit }
      }
    }
    throw ReplicaError.busy
  }
}
