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

  private static func open(_ path: String, _ options: ReplicaOptions) throws -> DatabaseQueue {
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
    let application = try integer(db, "PRAGMA application_id")
    let version = try integer(db, "PRAGMA user_version")
    let schema = try DatabaseSchema(of: db)
    let known = try Schema.known.get()
    guard application == Int64(Schema.applicationID) else {
      guard application == 0, version == 0, schema.difference(from: known[0]) == nil else {
        throw ReplicaError.notAReplica
      }
      return 0
    }
    guard version <= Int64(Schema.current) else {
      throw ReplicaError.newerSchema(found: Int(version), supported: Schema.current)
    }
    guard version >= 1 else { throw ReplicaError.notAReplica }
    if let difference = schema.difference(from: known[Int(version)]) {
      throw ReplicaError.damaged(.init(place: "schema", problem: difference.description))
    }
    return Int(version)
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
