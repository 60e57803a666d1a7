import Foundation
import GRDB
import RopewalkCore
import RopewalkSync
import RopewalkZstd

/// Checkpoints, and what may be forgotten since they hold it.
extension SQLiteAppender {
  /// The most rows that are forgotten in one transaction; the rest goes with the next occasion.
  private static let mostForgotten = 8192

  func change(_ room: RoomName, _ change: LogChange, _ database: Database) throws {
    let id = try roomID(room, database)
    switch change {
    case .storeParts(let cursor, let first, let parts):
      if first == 0 { try dropUploads(id, database) }
      try store(parts, from: first, at: cursor, id, database)
    case .confirmCheckpoint(let head): try confirm(head, id, room, database)
    case .dropCheckpoint: try dropUploads(id, database)
    case .setRetention(let retention):
      try database.execute(
        sql: "UPDATE rooms SET retention = ? WHERE id = ?",
        arguments: [Int64(bitPattern: retention.wireValue), id])
    case .forget(let time): try forget(before: time, id, room, database)
    }
  }

  // MARK: Checkpoints

  private func dropUploads(_ room: Int64, _ database: Database) throws {
    try delete("digest IS NULL", room, database)
  }

  private func delete(_ condition: String, _ room: Int64, _ database: Database) throws {
    try database.execute(
      sql: """
        DELETE FROM checkpoint_parts WHERE checkpoint IN (SELECT id FROM checkpoints WHERE room = ? AND \(condition));
        DELETE FROM checkpoints WHERE room = ? AND \(condition)
        """, arguments: [room, room])
  }

  private func store(
    _ parts: [CheckpointPart], from first: UInt64, at cursor: UInt64, _ room: Int64, _ database: Database
  ) throws {
    let place: StatementArguments = [room, Int64(bitPattern: cursor)]
    let found = try Int64.fetchOne(
      database, sql: "SELECT id FROM checkpoints WHERE room = ? AND cursor = ? AND digest IS NULL",
      arguments: place)
    let id: Int64
    if let found {
      id = found
    } else {
      try database.execute(sql: "INSERT INTO checkpoints (room, cursor) VALUES (?, ?)", arguments: place)
      id = database.lastInsertedRowID
    }
    for (index, part) in parts.enumerated() {
      let packed = compressor.compress(part.payload)
      let span = part.header.span
      try database.execute(
        sql: """
          INSERT INTO checkpoint_parts (checkpoint, number, document, replica, first, count, size, codec, payload)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          id, Int64(bitPattern: first &+ UInt64(index)),
          try documentID(part.header.document, in: room, database), Int64(bitPattern: span.replica.rawValue),
          Int64(span.seqs.lowerBound), Int64(span.seqs.count), part.payload.count, packed == nil ? 0 : 1,
          Data(packed ?? part.payload),
        ])
    }
  }

  /// Makes the uploaded checkpoint the room's, in place of the one before, with the relay's word on who
  /// pushed what.
  private func confirm(_ head: LogHead, _ room: Int64, _ name: RoomName, _ database: Database) throws {
    let previous = try StoredCheckpoint.confirmed(of: name, database)
    guard
      let id = try Int64.fetchOne(
        database, sql: "SELECT id FROM checkpoints WHERE room = ? AND cursor = ? AND digest IS NULL",
        arguments: [room, Int64(bitPattern: head.cursor)])
    else { return }
    if let previous {
      try sign(
        id,
        from: """
          SELECT subject, time, document, replica, first FROM checkpoint_parts WHERE checkpoint = \(previous.id)
          ORDER BY time
          """, database)
    }
    let since = Int64(bitPattern: previous?.head.cursor ?? 0)
    let segments = try Row.fetchCursor(
      database,
      sql:
        "SELECT \(StoredSegment.columns) FROM segments WHERE room = ? AND last > ? AND first <= ? ORDER BY first",
      arguments: [room, since, Int64(bitPattern: head.cursor)])
    while let row = try segments.next() {
      for entry in try StoredSegment(row).entries() where entry.cursor <= head.cursor {
        try sign(
          id, subject: try subjectID(entry.subject, database), time: Int64(bitPattern: entry.time),
          document: try documentID(entry.header.document, in: room, database),
          replica: Int64(bitPattern: entry.header.span.replica.rawValue),
          first: Int64(entry.header.span.seqs.lowerBound), database)
      }
    }
    try sign(
      id,
      from: """
        SELECT subject, time, document, replica, first FROM entries
        WHERE room = \(room) AND cursor > \(since) AND cursor <= \(Int64(bitPattern: head.cursor)) ORDER BY cursor
        """, database)
    try database.execute(
      sql: "UPDATE checkpoints SET digest = ? WHERE id = ?", arguments: [Data(head.digest.bytes), id])
    try delete("id <> \(id)", room, database)
  }

  private func sign(_ checkpoint: Int64, from sql: String, _ database: Database) throws {
    for row in try Row.fetchAll(database, sql: sql) {
      try sign(
        checkpoint, subject: try (row[0] as DatabaseValue).isNull ? nil : row.integer(0),
        time: row.integer(1),
        document: row.integer(2), replica: row.integer(3), first: row.integer(4), database)
    }
  }

  private func sign(
    _ checkpoint: Int64, subject: Int64?, time: Int64, document: Int64, replica: Int64, first: Int64,
    _ database: Database
  ) throws {
    try database.cachedStatement(
      sql: """
        UPDATE checkpoint_parts SET subject = ?, time = ?
        WHERE checkpoint = ? AND document = ? AND replica = ? AND first <= ? AND first + count > ?
        """
    ).execute(arguments: [subject, time, checkpoint, document, replica, first, first])
  }

  // MARK: Forgetting

  /// Forgets the oldest entries as far as the checkpoint holds them and all of them are older than a time.
  private func forget(before time: UInt64, _ room: Int64, _ name: RoomName, _ database: Database) throws {
    guard let checkpoint = try StoredCheckpoint.confirmed(of: name, database) else { return }
    let (held, limit) = (Int64(bitPattern: checkpoint.head.cursor), Int64(clamping: time))
    var end: (cursor: Int64, digest: Data)?
    var isWhole = true
    for row in try Row.fetchAll(
      database, sql: "SELECT id, last, ended, digest FROM segments WHERE room = ? ORDER BY first",
      arguments: [room])
    {
      let (id, last, ended) = (try row.integer(0), Int64(bitPattern: try row.cursor(1)), try row.integer(2))
      guard last <= held, ended < limit else {
        isWhole = false
        break
      }
      try database.execute(
        sql: "DELETE FROM segment_spans WHERE segment = ?; DELETE FROM segments WHERE id = ?",
        arguments: [id, id])
      end = (last, Data(try row.digest(3).bytes))
    }
    if isWhole {
      let kept = try Int64.fetchOne(
        database, sql: "SELECT min(cursor) FROM entries WHERE room = ? AND (cursor > ? OR time >= ?)",
        arguments: [room, held, limit])
      let oldest = try Row.fetchAll(
        database,
        sql: "SELECT cursor, digest FROM entries WHERE room = ? AND cursor < ? ORDER BY cursor LIMIT ?",
        arguments: [room, kept ?? held + 1, Self.mostForgotten])
      if let last = oldest.last {
        let cursor = Int64(bitPattern: try last.cursor(0))
        end = (cursor, Data(try last.digest(1).bytes))
        try database.execute(
          sql: "DELETE FROM entries WHERE room = ? AND cursor <= ?", arguments: [room, cursor])
      }
    }
    guard let end else { return }
    try database.execute(
      sql: "UPDATE rooms SET oldest = ?, before = ? WHERE id = ?",
      arguments: [end.cursor + 1, end.digest, room])
    recount(room)
  }
}
