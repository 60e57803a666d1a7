import GRDB
import RopewalkCore
import RopewalkSQLite
import RopewalkZstd

extension ReplicaError {
  /// Says in this module's words what a lower layer threw.
  init(_ error: any Error) {
    switch error {
    case let error as ReplicaError: self = error
    case let error as DatabaseError: self.init(error)
    case let error as DatabaseSchema.LookFailure: self.init(code: error.code, message: error.message)
    case is RowDecodingError:
      self = .damaged(Damage(place: "file", problem: "a column holds a value of another type"))
    default: self = .damaged(Damage(place: "file", problem: "\(type(of: error))"))
    }
  }

  private init(_ error: DatabaseError) {
    self.init(code: error.extendedResultCode.rawValue, message: error.message ?? "no message")
  }

  /// - Parameter code: SQLite's extended result code.
  private init(code: Int32, message: String) {
    switch ResultCode(rawValue: code).primaryResultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy
    case .SQLITE_NOTADB: self = .notAReplica
    case .SQLITE_CORRUPT: self = .damaged(Damage(place: "file", problem: message))
    case .SQLITE_MISUSE: self = .closed
    default: self = .storage(code: code, message: message)
    }
  }

  /// Runs what may throw anything, and throws this module's errors only.
  static func mapping<Result>(_ body: () throws -> Result) throws(ReplicaError) -> Result {
    do { return try body() } catch { throw ReplicaError(error) }
  }
}

extension ReplicaError.Damage {
  /// Bytes that should have been a well-formed update or snapshot.
  init(_ error: FormatError, in place: String, row: Int64?) {
    self.init(place: place, row: row, problem: "\(error.code) at byte \(error.offset), \(error.field)")
  }

  /// An update that does not fit its document.
  init(_ error: ApplyError, in place: String, row: Int64?) {
    switch error {
    case .malformed(let error): self.init(error, in: place, row: row)
    case .lineageMismatch: self.init(place: place, row: row, problem: "the update is of another lineage")
    case .idClash(let event):
      self.init(place: place, row: row, problem: "event \(event.seq) is there already with other content")
    case .tooLarge: self.init(place: place, row: row, problem: "the document becomes too large")
    }
  }
}
