import Foundation
import GRDB
import RopewalkCore
import RopewalkSync
import RopewalkZstd

/// When old entries are folded, and into how much at a time.
struct FoldConfiguration: Sendable {
  /// A segment has at most so many entries …
  var entries = 1024
  /// … and about so many bytes of them, decompressed; more only if a single entry has.
  var bytes = 256 << 10
  /// A room is folded when so many segments' worth of entries are not.
  var patience = 2
  /// zstd's level.
  var level: Int32 = 9
}

/// What folds are compressed with, one after another: kept, since zstd's memory for one is some megabytes,
/// which the allocator would keep for each thread that ever freed it.
///
/// `@unchecked Sendable` because one queue uses it.
final class FoldCompressor: @unchecked Sendable {
  private let compressor: ZstdCompressor
  private let level: Int32

  init(level: Int32) {
    compressor = ZstdCompressor(level: level)
    self.level = level
  }

  func frame(_ content: [UInt8]) -> [UInt8] {
    compressor.compress(content) ?? Zstd.compress(content, level: level)
  }
}

/// The oldest entries of one room as a segment, on their way into its table.
struct FoldedEntries: Sendable {
  let room: Int64
  let segment: LogSegment
  /// The newest of the entries' times, milliseconds since 1970.
  let ended: UInt64
  let before: LogDigest
  let digest: LogDigest
  /// The bytes of payload, as `entries.size` counts them.
  let payloadBytes: Int
  /// Whose events of which documents it holds, by row numbers.
  let spans: Set<Span>

  struct Span: Hashable {
    let document: Int64
    let replica: Int64
  }

  /// Reads and compresses. Nil if there is nothing to fold.
  ///
  /// Hashes and digests are computed anew and compared, so that what is damaged is never folded.
  init?(
    oldestOf room: Int64, _ database: Database, configuration: FoldConfiguration, compressor: FoldCompressor
  ) throws {
    let rows = try Row.fetchCursor(
      database.cachedStatement(
        sql: """
          SELECT e.cursor, s.name, e.time, d.name, d.lineage, e.replica, e.first, e.count, e.size, e.codec, e.payload,
            e.document, e.hash, e.digest
          FROM entries e JOIN subjects s ON s.id = e.subject JOIN documents d ON d.id = e.document
          WHERE e.room = ? ORDER BY e.cursor LIMIT ?
          """), arguments: [room, configuration.entries])
    var entries: [LogEntry] = []
    var (bytes, payloadBytes) = (0, 0)
    var spans: Set<Span> = []
    var before: LogDigest?
    var digest = LogDigest.zero
    while let row = try rows.next() {
      let entry = try SQLiteLogReading.entry(row)
      bytes += entry.encodedSizeBound
      if !entries.isEmpty, bytes > configuration.bytes { break }
      payloadBytes += entry.payload.count
      spans.insert(
        Span(
          document: try row.integer(11),
          replica: Int64(bitPattern: entry.header.span.replica.rawValue)))
      if before == nil {
        before = try SQLiteLogReading.digest(database, roomID: room, before: entry.cursor)
        digest = before ?? .zero
      }
      let hash = PayloadHash(of: entry.payload)
      digest = digest.extended(by: entry.header, payloadHash: hash)
      guard before != nil, hash.bytes == (try row.bytes(12)), digest == (try row.digest(13)),
        entry.cursor == (entries.last?.cursor ?? entry.cursor - 1) + 1
      else { throw SQLiteLogReading.damaged }
      entries.append(entry)
    }
    guard let first = entries.first, let before else { return nil }
    let content = LogSegment.content(of: entries)
    self.room = room
    segment = LogSegment(
      first: first.cursor, count: entries.count, size: content.count,
      frame: compressor.frame(content))
    ended = entries.reduce(0) { max($0, $1.time) }
    self.before = before
    self.digest = digest
    self.payloadBytes = payloadBytes
    self.spans = spans
  }

  /// Puts the segment in the entries' place; false if they are not there any more. The caller's transaction
  /// makes it all or nothing.
  func store(_ database: Database) throws -> Bool {
    let range: StatementArguments = [
      room, Int64(bitPattern: segment.first), Int64(bitPattern: segment.last),
    ]
    let there = try Int.fetchOne(
      database, sql: "SELECT count(*) FROM entries WHERE room = ? AND cursor BETWEEN ? AND ?",
      arguments: range)
    guard there == segment.count else { return false }
    try database.execute(
      sql: """
        INSERT INTO segments (room, first, last, ended, before, digest, size, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: range + [
        Int64(bitPattern: ended), Data(before.bytes), Data(digest.bytes), segment.size, Data(segment.frame),
      ])
    let id = database.lastInsertedRowID
    for span in spans {
      try database.execute(
        sql: "INSERT INTO segment_spans (document, replica, segment) VALUES (?, ?, ?)",
        arguments: [span.document, span.replica, id])
    }
    try database.execute(
      sql: "DELETE FROM entries WHERE room = ? AND cursor BETWEEN ? AND ?", arguments: range)
    return true
  }
}
