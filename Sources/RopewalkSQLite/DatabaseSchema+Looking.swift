import Foundation
import GRDBSQLite

extension DatabaseSchema {
  /// Why a schema could not be looked at: SQLite's code and its message.
  package struct LookFailure: Error, Hashable, Sendable {
    package let code: Int32
    package let message: String
  }

  /// The schema of a file, read without changing a byte of it or making a file beside it; nil where that cannot be
  /// done, since a writer was killed in a transaction that SQLite has to take back first.
  ///
  /// A file that nobody has open is read as it is. One with a write-ahead log is read with it: beside the
  /// programs that have it open, or, where the index of the log is missing, in a copy.
  package static func looking(at path: String) throws -> DatabaseSchema? {
    for attempt in 1... {
      let before = Surroundings(path)
      do { return try before.schema(path) } catch {
        // Somebody was writing meanwhile.
        if attempt < 4, Surroundings(path) != before { continue }
        throw error
      }
    }
    return nil
  }

  /// The files of a database, which change while somebody writes.
  private struct Surroundings: Equatable {
    private struct State: Equatable {
      let size: Int
      let modified: Date
      let inode: UInt64
    }

    private var states: [State?]

    init(_ path: String) {
      states = ["", "-wal", "-shm", "-journal"].map { suffix in
        guard let found = try? FileManager.default.attributesOfItem(atPath: path + suffix),
          let size = found[.size] as? NSNumber, let modified = found[.modificationDate] as? Date,
          let inode = found[.systemFileNumber] as? NSNumber
        else { return nil }
        return State(size: size.intValue, modified: modified, inode: inode.uint64Value)
      }
    }

    private var hasLog: Bool { states[1].map { $0.size > 0 } ?? false }
    private var hasIndex: Bool { states[2] != nil }
    private var isInterrupted: Bool { states[3].map { $0.size > 0 } ?? false }

    func schema(_ path: String) throws -> DatabaseSchema? {
      if isInterrupted { return nil }
      guard hasLog else { return try DatabaseSchema(uri: Self.uri(path) + "?immutable=1") }
      if hasIndex { return try DatabaseSchema(uri: Self.uri(path)) }
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "ropewalk-\(UInt64.random(in: 0 ... .max))")
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
      defer { try? FileManager.default.removeItem(at: folder) }
      let copy = folder.appendingPathComponent("copy").path
      for suffix in ["", "-wal"] {
        try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
      }
      return try DatabaseSchema(uri: Self.uri(copy))
    }

    private static func uri(_ path: String) -> String {
      let full = path.utf8.first == 0x2f ? path : FileManager.default.currentDirectoryPath + "/" + path
      let escaped = full.utf8.map { byte -> String in
        switch byte {
        case 0x2d...0x39, 0x41...0x5a, 0x5f, 0x61...0x7a: String(Character(Unicode.Scalar(byte)))
        default: "%" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
        }
      }
      return "file:" + escaped.joined()
    }
  }

  /// Reads the schema through a connection that cannot write.
  private init(uri: String) throws {
    var connection: OpaquePointer?
    defer { sqlite3_close_v2(connection) }
    let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX
    try Self.check(sqlite3_open_v2(uri, &connection, flags, nil), connection)
    sqlite3_busy_timeout(connection, 1000)
    var statement: OpaquePointer?
    defer { sqlite3_finalize(statement) }
    try Self.check(sqlite3_prepare_v2(connection, Self.query, -1, &statement, nil), connection)
    func text(_ column: Int32) -> String? {
      guard sqlite3_column_type(statement, column) == SQLITE_TEXT,
        let text = sqlite3_column_text(statement, column)
      else { return nil }
      let count = Int(sqlite3_column_bytes(statement, column))
      return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
    }
    var rows: [Row] = []
    while true {
      let result = sqlite3_step(statement)
      if result == SQLITE_DONE { break }
      guard result == SQLITE_ROW else {
        throw LookFailure(code: result, message: String(cString: sqlite3_errmsg(connection)))
      }
      rows.append(
        Row(
          kind: text(0), name: text(1), table: text(2), statement: text(3),
          hasNoStatement: sqlite3_column_type(statement, 3) == SQLITE_NULL))
    }
    self.init(rows: rows)
  }

  private static func check(_ code: Int32, _ connection: OpaquePointer?) throws {
    guard code != SQLITE_OK else { return }
    let message = connection.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) }
    throw LookFailure(code: code, message: message ?? "no message")
  }
}
