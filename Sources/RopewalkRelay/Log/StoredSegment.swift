import GRDB
import RopewalkCore
import RopewalkSync
import RopewalkZstd

/// A row of `segments`.
struct StoredSegment {
  let segment: LogSegment
  let before: LogDigest
  let digest: LogDigest

  static let columns = "first, last, size, content, before, digest"

  init(_ row: Row) throws {
    let (first, last, size) = (try row.cursor(0), try row.cursor(1), try row.unsigned(2))
    guard first <= last, last - first < 1 << 31, size <= 1 << 30 else {
      throw SQLiteLogReading.damaged
    }
    segment = LogSegment(
      first: first, count: Int(last - first) + 1, size: Int(size), frame: try row.bytes(3))
    before = try row.digest(4)
    digest = try row.digest(5)
  }

  /// The segment that holds an entry, if it was folded.
  static func holding(_ cursor: UInt64, of room: RoomName, _ database: Database) throws -> StoredSegment? {
    let row = try Row.fetchOne(
      try database.cachedStatement(
        sql: """
          SELECT \(columns) FROM segments WHERE room = (SELECT id FROM rooms WHERE name = ?) AND first <= ?
          ORDER BY first DESC LIMIT 1
          """), arguments: [room.text, Int64(bitPattern: cursor)])
    guard let row else { return nil }
    let found = try StoredSegment(row)
    return found.segment.last >= cursor ? found : nil
  }

  /// The newest.
  static func last(of room: RoomName, _ database: Database) throws -> StoredSegment? {
    try Row.fetchOne(
      try database.cachedStatement(
        sql: """
          SELECT \(columns) FROM segments WHERE room = (SELECT id FROM rooms WHERE name = ?)
          ORDER BY first DESC LIMIT 1
          """), arguments: [room.text]
    ).map { try StoredSegment($0) }
  }

  /// The entries.
  func entries() throws -> [LogEntry] {
    let content = try Zstd.decompress(segment.frame, maximumBytes: segment.size)
    guard content.count == segment.size else { throw SQLiteLogReading.damaged }
    return try LogSegment.entries(in: content, from: segment.first, count: segment.count)
  }

  /// The log's digest at one of the entries.
  func digest(at cursor: UInt64) throws -> LogDigest {
    if cursor == segment.last { return digest }
    return try entries().prefix { $0.cursor <= cursor }.reduce(before) { $1.digest(after: $0) }
  }
}
