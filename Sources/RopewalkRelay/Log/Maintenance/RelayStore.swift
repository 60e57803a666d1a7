import Foundation
import GRDB
import RopewalkSQLite
import RopewalkSync

/// A relay's data directory, to be checked, copied or made smaller, also while the relay runs.
///
/// Every method waits for the disk: not for an event loop.
public struct RelayStore: Sendable {
  let directory: String
  var logPath: String { DataDirectory.logPath(in: directory) }

  /// Names a directory; nothing is opened yet.
  public init(directory: String) { self.directory = directory }

  /// Why something could not be done.
  public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The directory holds no log.
    case noLog(path: String)
    /// The log was written by a later release.
    case tooNew(path: String)
    /// The log cannot be read or written; `code` is SQLite's, nil where the contents are damaged.
    case unusable(path: String, code: Int32?)
    /// The log's tables, or what is beside them, are not what a relay makes; `reason` is the first
    /// difference.
    case altered(path: String, reason: String)
    /// The place to copy to holds a log already.
    case taken(path: String)
    /// The place to copy to cannot be written.
    case notWritable(path: String)

    /// A sentence that says what to do.
    public var description: String {
      switch self {
      case .noLog(let path): "There is no relay log at \(path)."
      case .tooNew(let path): "\(path) was written by a later release; use that one."
      case .unusable(let path, let code?): "\(path) cannot be used (SQLite code \(code))."
      case .unusable(let path, nil): "\(path) is damaged; `ropewalk relay verify` says where."
      case .altered(let path, let reason): "\(path) is not as a relay makes it: \(reason)."
      case .taken(let path): "\(path) is there already; choose another directory."
      case .notWritable(let path): "\(path) cannot be written."
      }
    }
  }

  /// Opens the log as it is, for reading or writing, and does something with it.
  func withLog<Value>(
    isReadOnly: Bool, _ body: (DatabaseQueue) throws -> Value
  ) throws(Failure) -> Value {
    try mustBeOurs()
    do {
      var configuration = SQLiteLogSchema.configuration
      configuration.readonly = isReadOnly
      configuration.busyMode = .timeout(10)
      let queue = try DatabaseQueue(path: logPath, configuration: configuration)
      defer { try? queue.close() }
      try queue.inDatabase { database in
        // Another process may be bringing the file up to date: version and tables are those of one moment.
        try database.inTransaction(.deferred) {
          try check(database)
          return .commit
        }
        if !isReadOnly { try database.execute(sql: "PRAGMA synchronous = FULL") }
      }
      return try body(queue)
    } catch { throw failure(error) }
  }

  /// Throws for a log that is refused, before anything is made beside it.
  func mustBeOurs() throws(Failure) {
    guard FileManager.default.fileExists(atPath: logPath) else { throw .noLog(path: logPath) }
    do { try SQLiteLogSchema.look(logPath) } catch { throw failure(error) }
  }

  func failure(_ error: any Error) -> Failure {
    switch error {
    case let failure as Failure: return failure
    case let difference as SchemaDifference: return .altered(path: logPath, reason: difference.description)
    case let error as DatabaseError: return .unusable(path: logPath, code: error.extendedResultCode.rawValue)
    case let error as DatabaseSchema.LookFailure: return .unusable(path: logPath, code: error.code)
    case let error as RelayLogError where error.act == .open:
      if case .later = error.reason { return .tooNew(path: logPath) }
      return .noLog(path: logPath)
    default: return .unusable(path: logPath, code: nil)
    }
  }

  private func check(_ database: Database) throws {
    let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    let application = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    guard application == SQLiteLogSchema.applicationID, version > 0 else {
      throw Failure.noLog(path: logPath)
    }
    guard version <= SQLiteLogSchema.version else { throw Failure.tooNew(path: logPath) }
    try SQLiteLogSchema.check(database, version: version)
  }
}
