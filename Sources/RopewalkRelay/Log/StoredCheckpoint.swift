import Foundation
import GRDB
import RopewalkCore
import RopewalkSync
import RopewalkZstd

/// A row of `checkpoints` that is in use.
struct StoredCheckpoint {
  let id: Int64
  let head: LogHead

  static func inUse(of room: RoomName, _ database: Database) throws -> StoredCheckpoint? {
    let row = try Row.fetchOne(
      try database.cachedStatement(
        sql: """
          SELECT id, cursor, digest FROM checkpoints
          WHERE room = (SELECT id FROM rooms WHERE name = ?) AND is_used = 1 ORDER BY cursor DESC LIMIT 1
          """), arguments: [room.text])
    return try row.map {
      StoredCheckpoint(
        id: try $0.integer(0),
        head: LogHead(cursor: try $0.cursor(1), digest: try $0.digest(2)))
    }
  }

  static func announced(in room: RoomName, _ database: Database) throws -> AnnouncedCheckpoint? {
    let row = try Row.fetchOne(
      try database.cachedStatement(
        sql: """
          SELECT cursor, digest, parts, announced FROM checkpoints
          WHERE room = (SELECT id FROM rooms WHERE name = ?) AND is_used = 0 AND digest IS NOT NULL
          ORDER BY cursor DESC LIMIT 1
          """), arguments: [room.text])
    return try row.map {
      AnnouncedCheckpoint(
        head: LogHead(cursor: try $0.cursor(0), digest: try $0.digest(1)), parts: try $0.digest(2),
        // No clock goes that far, and it can be counted on from there.
        time: min(try $0.unsigned(3), 1 << 62))
    }
  }

  /// Parts from a number on, each with the owner of its replica id: it is by that subject, whoever made the checkpoint.
  func batch(from first: UInt64, maximumBytes: Int, _ database: Database) throws -> CheckpointBatch {
    let rows = try Row.fetchCursor(
      try database.cachedStatement(
        sql: """
          SELECT p.place, coalesce(s.name, ''), p.time, d.name, d.lineage, p.replica, p.first, p.count, p.size,
            p.codec, p.payload, p.kind, p.tip
          FROM checkpoint_parts p JOIN documents d ON d.id = p.document
          LEFT JOIN owners o ON o.room = d.room AND o.replica = p.replica LEFT JOIN subjects s ON s.id = o.subject
          WHERE p.checkpoint = ? AND p.number >= ? ORDER BY p.number
          """), arguments: [id, Int64(bitPattern: first)])
    var parts: [AttributedPart] = []
    var bytes = 0
    while let row = try rows.next() {
      let entry = try SQLiteLogReading.entry(row)
      let (number, tip) = (try row.integer(11), try row.unsigned(12))
      guard entry.cursor <= head.cursor, tip <= head.cursor,
        let kind = UInt8(exactly: number).flatMap({ CheckpointPart.Kind(rawValue: $0) })
      else { throw SQLiteLogReading.damaged }
      let part = AttributedPart(
        part: CheckpointPart(
          cursor: entry.cursor, kind: kind, tip: tip, header: entry.header,
          payload: entry.payload),
        subject: entry.subject, time: entry.time)
      bytes += entry.encodedSizeBound
      if !parts.isEmpty, bytes > maximumBytes {
        return CheckpointBatch(head: head, first: first, parts: parts, isLast: false)
      }
      parts.append(part)
    }
    return CheckpointBatch(head: head, first: first, parts: parts, isLast: true)
  }

  /// What the parts hold of one replica and document.
  func coverage(_ room: RoomName, _ key: CoverageKey, _ database: Database) throws -> [CoveredRange] {
    try Row.fetchAll(
      try database.cachedStatement(
        sql: """
          SELECT first, count FROM checkpoint_parts WHERE checkpoint = ? AND replica = ? AND document = (
            SELECT id FROM documents WHERE room = (SELECT id FROM rooms WHERE name = ?) AND name = ? AND lineage = ?)
          ORDER BY first
          """),
      arguments: [
        id, Int64(bitPattern: key.replica.rawValue), room.text, key.document.name.text,
        Int64(bitPattern: key.document.lineage.rawValue),
      ]
    ).map { CoveredRange(seqs: try $0.sequenceNumbers(0, 1), cursor: head.cursor, payloadHash: nil) }
  }
}

/// What ranges hold besides others; both are ascending.
func uncovered(_ ranges: [CoveredRange], by others: [CoveredRange]) -> [CoveredRange] {
  var left: [CoveredRange] = []
  var first = 0
  for range in ranges {
    var start = range.seqs.lowerBound
    while first < others.count, others[first].seqs.upperBound <= start { first += 1 }
    var next = first
    while next < others.count, others[next].seqs.lowerBound < range.seqs.upperBound {
      let known = others[next].seqs
      if start < known.lowerBound {
        left.append(CoveredRange(seqs: start..<known.lowerBound, cursor: range.cursor, payloadHash: nil))
      }
      start = max(start, min(known.upperBound, range.seqs.upperBound))
      next += 1
    }
    if start < range.seqs.upperBound {
      left.append(CoveredRange(seqs: start..<range.seqs.upperBound, cursor: range.cursor, payloadHash: nil))
    }
  }
  return left
}
