import Foundation
import GRDB
import RopewalkCore
import RopewalkSync
import RopewalkZstd

/// Checkpoints on their way: uploaded, announced, in use.
extension SQLiteAppender {
  /// Throws away what was uploaded and never announced.
  func dropUploads(_ room: Int64, _ database: Database) throws {
    try delete("digest IS NULL", room, database)
  }

  /// Throws away a checkpoint that is not in use.
  func drop(_ cursor: UInt64, _ room: Int64, _ database: Database) throws {
    try delete("is_used = 0 AND cursor = \(Int64(bitPattern: cursor))", room, database)
  }

  private func delete(_ condition: String, _ room: Int64, _ database: Database) throws {
    try database.execute(
      sql: """
        DELETE FROM checkpoint_parts WHERE checkpoint IN (SELECT id FROM checkpoints WHERE room = ? AND \(condition));
        DELETE FROM checkpoints WHERE room = ? AND \(condition)
        """, arguments: [room, room])
  }

  func store(
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
      // What came before was thrown away, and what follows is worth nothing.
      guard first == 0 else { return }
      try database.execute(sql: "INSERT INTO checkpoints (room, cursor) VALUES (?, ?)", arguments: place)
      id = database.lastInsertedRowID
    }
    for (index, part) in parts.enumerated() {
      // No log holds it, whatever else is in the checkpoint; and nothing stays of what somebody makes up.
      guard let document = try knownDocumentID(part.header.document, in: room, database) else {
        return try dropUploads(room, database)
      }
      let packed = compressor.compress(part.payload)
      let span = part.header.span
      try database.cachedStatement(
        sql: """
          INSERT INTO checkpoint_parts
            (checkpoint, number, place, kind, tip, document, replica, first, count, size, codec, payload)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          """
      ).execute(arguments: [
        id, Int64(bitPattern: first &+ UInt64(index)), Int64(bitPattern: part.cursor),
        Int64(part.kind.rawValue), Int64(bitPattern: part.tip), document,
        Int64(bitPattern: span.replica.rawValue), Int64(span.seqs.lowerBound), Int64(span.seqs.count),
        part.payload.count, packed == nil ? 0 : 1,
        Data(packed ?? part.payload),
      ])
    }
  }

  // MARK: Announcing

  /// Announces what was uploaded, with the relay's word on when what was pushed; or throws it away, if its headers alone
  /// show that it is not what the log holds.
  func announce(_ checkpoint: AnnouncedCheckpoint, _ room: Int64, _ name: RoomName, _ database: Database)
    throws
  {
    guard
      let id = try Int64.fetchOne(
        database, sql: "SELECT id FROM checkpoints WHERE room = ? AND cursor = ? AND digest IS NULL",
        arguments: [room, Int64(bitPattern: checkpoint.head.cursor)])
    else { return }
    var parts = HeldEvents()
    var times = PartTimes()
    for row in try Row.fetchAll(
      database,
      sql: "SELECT document, replica, first, count, number FROM checkpoint_parts WHERE checkpoint = ?",
      arguments: [id])
    {
      let (document, replica) = (try row.integer(0), try row.integer(1))
      let (first, count) = (try row.integer(2), try row.integer(3))
      parts.insert(document: document, replica: replica, first: first, count: count)
      times.insert(
        number: try row.integer(4), document: document, replica: replica, first: first, count: count)
    }
    guard times.sort() else { return try dropUploads(room, database) }
    var carried = try CarriedEntries(of: id, database)
    var log = HeldEvents()
    try forEachEntry(of: name, room, through: checkpoint.head.cursor, database) { entry, document in
      let span = entry.header.span
      let (replica, first, count) = (
        Int64(bitPattern: span.replica.rawValue), Int64(span.seqs.lowerBound), Int64(span.seqs.count)
      )
      log.insert(document: document, replica: replica, first: first, count: count)
      carried.note(entry)
      times.note(
        Int64(bitPattern: entry.time), document: document, replica: replica, events: first..<first + count)
    }
    guard parts.areSame(as: log), carried.areAllThere else { return try dropUploads(room, database) }
    for (number, time) in times.all {
      try database.cachedStatement(
        sql: "UPDATE checkpoint_parts SET time = ? WHERE checkpoint = ? AND number = ?"
      ).execute(arguments: [time, id, number])
    }
    try database.execute(
      sql: "UPDATE checkpoints SET digest = ?, parts = ?, announced = ? WHERE id = ?",
      arguments: [
        Data(checkpoint.head.digest.bytes), Data(checkpoint.parts.bytes), Int64(bitPattern: checkpoint.time),
        id,
      ])
  }

  /// What the log holds up to a cursor: the parts of the checkpoint in use, as entries, and the entries after it, each with
  /// its document's row number. In no order.
  private func forEachEntry(
    of name: RoomName, _ room: Int64, through cursor: UInt64, _ database: Database,
    _ body: (LogEntry, Int64) throws -> Void
  ) throws {
    let previous = try StoredCheckpoint.inUse(of: name, database)
    var next: UInt64 = 0
    while let previous {
      let batch = try previous.batch(from: next, maximumBytes: 1 << 20, database)
      for part in batch.parts {
        try body(part.entry, try documentID(part.part.header.document, in: room, database))
      }
      next += UInt64(batch.parts.count)
      if batch.isLast { break }
    }
    let since = Int64(bitPattern: previous?.head.cursor ?? 0)
    let range: StatementArguments = [room, since, Int64(bitPattern: cursor)]
    let segments = try Row.fetchCursor(
      database,
      sql:
        "SELECT \(StoredSegment.columns) FROM segments WHERE room = ? AND last > ? AND first <= ? ORDER BY first",
      arguments: range)
    while let row = try segments.next() {
      for entry in try StoredSegment(row).entries()
      where entry.cursor > UInt64(bitPattern: since) && entry.cursor <= cursor {
        try body(entry, try documentID(entry.header.document, in: room, database))
      }
    }
    let entries = try Row.fetchCursor(
      database,
      sql: """
        SELECT e.cursor, s.name, e.time, d.name, d.lineage, e.replica, e.first, e.count, e.size, e.codec, e.payload,
          e.document
        FROM entries e JOIN subjects s ON s.id = e.subject JOIN documents d ON d.id = e.document
        WHERE e.room = ? AND e.cursor > ? AND e.cursor <= ? ORDER BY e.cursor
        """, arguments: range)
    while let row = try entries.next() { try body(try SQLiteLogReading.entry(row), try row.integer(11)) }
  }

  // MARK: Using

  /// Puts what is announced in the place of the checkpoint in use.
  func use(_ cursor: UInt64, _ room: Int64, _ database: Database) throws {
    try database.execute(
      sql: "UPDATE checkpoints SET is_used = 1 WHERE room = ? AND cursor = ? AND digest IS NOT NULL",
      arguments: [room, Int64(bitPattern: cursor)])
    guard database.changesCount > 0 else { return }
    try delete("cursor <> \(Int64(bitPattern: cursor))", room, database)
  }
}

/// The entries that an uploaded checkpoint says to carry as they are, which can be compared with the log.
private struct CarriedEntries {
  private struct Content: Hashable {
    let header: EntryHeader
    let hash: PayloadHash
  }

  /// By cursor, what was not found yet.
  private var missing: [UInt64: Content] = [:]

  init(of checkpoint: Int64, _ database: Database) throws {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT p.place, '', 0, d.name, d.lineage, p.replica, p.first, p.count, p.size, p.codec, p.payload
        FROM checkpoint_parts p JOIN documents d ON d.id = p.document WHERE p.checkpoint = ? AND p.kind <> 0
        """, arguments: [checkpoint])
    while let row = try rows.next() {
      let entry = try SQLiteLogReading.entry(row)
      missing[entry.cursor] = Content(header: entry.header, hash: PayloadHash(of: entry.payload))
    }
  }

  mutating func note(_ entry: LogEntry) {
    guard let content = missing[entry.cursor], content.header == entry.header,
      content.hash == PayloadHash(of: entry.payload)
    else { return }
    missing[entry.cursor] = nil
  }

  var areAllThere: Bool { missing.isEmpty }
}
