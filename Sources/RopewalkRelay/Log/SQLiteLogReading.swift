import Foundation
import GRDB
import RopewalkCore
import RopewalkSync
import RopewalkZstd

/// What is read from `log.sqlite`. Every stored field is checked: the file may be damaged.
enum SQLiteLogReading {
  static func head(_ database: Database, _ room: RoomName) throws -> LogHead {
    let row = try Row.fetchOne(
      database,
      cached: """
        SELECT cursor, digest FROM entries WHERE room = (SELECT id FROM rooms WHERE name = ?)
        ORDER BY cursor DESC LIMIT 1
        """, [room.text])
    if let row { return LogHead(cursor: try row.cursor(0), digest: try row.digest(1)) }
    if let last = try StoredSegment.last(of: room, database) {
      return LogHead(cursor: last.segment.last, digest: last.digest)
    }
    let start = try start(database, room)
    return LogHead(cursor: start.oldest - 1, digest: start.before)
  }

  /// The first entry that is not forgotten, and the digest before it.
  static func start(_ database: Database, _ room: RoomName) throws -> (oldest: UInt64, before: LogDigest) {
    let row = try Row.fetchOne(
      database, cached: "SELECT oldest, before FROM rooms WHERE name = ?", [room.text])
    guard let row else { return (1, .zero) }
    return (try row.cursor(0), try row.digest(1))
  }

  static func state(_ database: Database, _ room: RoomName) throws -> LogState {
    let row = try Row.fetchOne(database, cached: "SELECT retention FROM rooms WHERE name = ?", [room.text])
    guard let retention = Retention(wireValue: try row?.unsigned(0) ?? 0) else { throw damaged }
    let state = LogState(
      head: try head(database, room), oldest: try start(database, room).oldest,
      checkpoint: try StoredCheckpoint.inUse(of: room, database)?.head,
      announced: try StoredCheckpoint.announced(in: room, database), retention: retention)
    // What was forgotten is in the checkpoint, and the checkpoint is of what there was.
    let held = state.checkpoint?.cursor ?? 0
    guard state.oldest <= held + 1, held <= state.head.cursor,
      state.announced.map({ $0.head.cursor > held && $0.head.cursor <= state.head.cursor }) ?? true
    else { throw damaged }
    return state
  }

  /// The digest before an entry that is not folded; nil if that is not known.
  static func digest(_ database: Database, roomID room: Int64, before cursor: UInt64) throws -> LogDigest? {
    if cursor <= 1 { return .zero }
    let row = try Row.fetchOne(
      database, cached: "SELECT digest FROM segments WHERE room = ? AND last = ? ORDER BY first DESC LIMIT 1",
      [room, Int64(bitPattern: cursor - 1)])
    if let row { return try row.digest(0) }
    let start = try Row.fetchOne(
      database, cached: "SELECT before FROM rooms WHERE id = ? AND oldest = ?",
      [room, Int64(bitPattern: cursor)])
    return try start?.digest(0)
  }

  static func digest(_ database: Database, _ room: RoomName, at cursor: UInt64) throws -> LogDigest? {
    let row = try Row.fetchOne(
      database,
      cached: """
        SELECT digest FROM entries WHERE room = (SELECT id FROM rooms WHERE name = ?) AND cursor = ?
        """, [room.text, Int64(bitPattern: cursor)])
    if let row { return try row.digest(0) }
    if let stored = try StoredSegment.holding(cursor, of: room, database) {
      return try stored.digest(at: cursor)
    }
    let start = try start(database, room)
    return start.oldest == cursor &+ 1 ? start.before : nil
  }

  static func coverage(
    _ database: Database, _ room: RoomName, _ key: CoverageKey
  ) throws -> LogCoverage {
    let statement = try database.cachedStatement(
      sql: """
        SELECT e.first, e.count, e.cursor, e.hash FROM entries e JOIN documents d ON d.id = e.document
        WHERE d.room = (SELECT id FROM rooms WHERE name = ?) AND d.name = ? AND d.lineage = ? AND e.replica = ?
        ORDER BY e.first
        """)
    let rows = try Row.fetchCursor(
      statement,
      arguments: [
        room.text, key.document.name.text, Int64(bitPattern: key.document.lineage.rawValue),
        Int64(bitPattern: key.replica.rawValue),
      ])
    var found = LogCoverage()
    while let row = try rows.next() {
      guard let hash = PayloadHash(bytes: try row.bytes(3)) else { throw damaged }
      found.ranges.append(
        CoveredRange(seqs: try row.sequenceNumbers(0, 1), cursor: try row.cursor(2), payloadHash: hash))
    }
    found.examined = found.ranges.count
    found.owner = try owner(database, room, of: key.replica)
    try addFolded(to: &found, database, room, key)
    // Here and not on the room's event loop.
    found.ranges.sort { $0.seqs.lowerBound < $1.seqs.lowerBound }
    guard let checkpoint = try StoredCheckpoint.inUse(of: room, database) else { return found }
    let held = try checkpoint.coverage(room, key, database)
    found.examined += held.count
    let rest = uncovered(held, by: found.ranges)
    guard !rest.isEmpty else { return found }
    found.ranges = (found.ranges + rest).sorted { $0.seqs.lowerBound < $1.seqs.lowerBound }
    return found
  }

  private static func owner(_ database: Database, _ room: RoomName, of replica: ReplicaID) throws -> Owner? {
    let row = try Row.fetchOne(
      database,
      cached: """
        SELECT s.name, o.identity FROM owners o JOIN subjects s ON s.id = o.subject
        WHERE o.room = (SELECT id FROM rooms WHERE name = ?) AND o.replica = ?
        """, [room.text, Int64(bitPattern: replica.rawValue)])
    return try row.map { try owner($0, 0) }
  }

  /// A subject's name, and the column after it.
  static func owner(_ row: Row, _ column: Int) throws -> Owner {
    let subject = Array(try row.text(column).utf8)
    if (row[column + 1] as DatabaseValue).isNull { return Owner(subject: subject) }
    guard let identity = PayloadHash(bytes: try row.bytes(column + 1)) else { throw damaged }
    return Owner(subject: subject, identity: identity)
  }

  /// What segments hold of one replica and document. They are few: a replica is one writing session.
  private static func addFolded(
    to found: inout LogCoverage, _ database: Database, _ room: RoomName, _ key: CoverageKey
  ) throws {
    let rows = try Row.fetchCursor(
      try database.cachedStatement(
        sql: """
          SELECT \(StoredSegment.columns) FROM segments WHERE id IN (
            SELECT segment FROM segment_spans WHERE replica = ? AND document = (
              SELECT id FROM documents
              WHERE room = (SELECT id FROM rooms WHERE name = ?) AND name = ? AND lineage = ?))
          """),
      arguments: [
        Int64(bitPattern: key.replica.rawValue), room.text, key.document.name.text,
        Int64(bitPattern: key.document.lineage.rawValue),
      ])
    while let row = try rows.next() {
      let entries = try StoredSegment(row).entries()
      found.examined += entries.count
      for entry in entries where CoverageKey(entry.header) == key {
        found.ranges.append(
          CoveredRange(
            seqs: entry.header.span.seqs, cursor: entry.cursor, payloadHash: PayloadHash(of: entry.payload)))
      }
    }
  }

  /// What a member that lacks everything from a cursor on is sent next.
  static func batch(
    _ database: Database, _ room: RoomName, from cursor: UInt64, maximumBytes: Int
  ) throws -> LogBatch {
    if cursor < (try start(database, room)).oldest { return .forgotten }
    guard let stored = try StoredSegment.holding(cursor, of: room, database) else {
      return .entries(try entries(database, room, from: cursor, maximumBytes: maximumBytes))
    }
    if stored.segment.first == cursor { return .segment(stored.segment) }
    return .entries(try stored.entries().filter { $0.cursor >= cursor })
  }

  private static func entries(
    _ database: Database, _ room: RoomName, from cursor: UInt64, maximumBytes: Int
  ) throws -> [LogEntry] {
    let statement = try database.cachedStatement(
      sql: """
        SELECT e.cursor, s.name, e.time, d.name, d.lineage, e.replica, e.first, e.count, e.size, e.codec, e.payload
        FROM entries e JOIN subjects s ON s.id = e.subject JOIN documents d ON d.id = e.document
        WHERE e.room = (SELECT id FROM rooms WHERE name = ?) AND e.cursor >= ? ORDER BY e.cursor
        """)
    let rows = try Row.fetchCursor(statement, arguments: [room.text, Int64(bitPattern: cursor)])
    var entries: [LogEntry] = []
    var bytes = 0
    while let row = try rows.next() {
      let entry = try entry(row)
      bytes += entry.encodedSizeBound
      if !entries.isEmpty, bytes > maximumBytes { break }
      entries.append(entry)
    }
    return entries
  }

  static func entry(_ row: Row) throws -> LogEntry {
    guard let name = DocumentName(utf8: Array(try row.text(3).utf8)) else { throw damaged }
    let key = DocumentKey(name: name, lineage: Lineage(rawValue: try row.unsigned(4)))
    let span = EventSpan(
      replica: ReplicaID(rawValue: try row.unsigned(5)), seqs: try row.sequenceNumbers(6, 7))
    let size = try row.unsigned(8)
    let stored = try row.bytes(10)
    let payload: [UInt8]
    switch try row.unsigned(9) {
    case 0: payload = stored
    case 1:
      guard size <= 1 << 30 else { throw damaged }
      payload = try Zstd.decompress(stored, maximumBytes: Int(size))
    default: throw damaged
    }
    guard payload.count == size else { throw damaged }
    return LogEntry(
      cursor: try row.cursor(0), subject: Array(try row.text(1).utf8), time: try row.unsigned(2),
      header: EntryHeader(document: key, span: span), payload: payload)
  }

  static let largestCursor: UInt64 = 1 << 62

  static let damaged = RelayLogError(act: .read, reason: .damaged)
}

extension Row {
  fileprivate static func fetchOne(
    _ database: Database, cached sql: String, _ arguments: StatementArguments
  ) throws -> Row? {
    try fetchOne(try database.cachedStatement(sql: sql), arguments: arguments)
  }

  func integer(_ column: Int) throws -> Int64 {
    guard let value = Int64.fromDatabaseValue(self[column] as DatabaseValue) else {
      throw SQLiteLogReading.damaged
    }
    return value
  }

  func unsigned(_ column: Int) throws -> UInt64 { UInt64(bitPattern: try integer(column)) }

  /// A place in a log, from 1, which no log will ever exceed: so whatever a damaged file says, it can be
  /// counted on from there.
  func cursor(_ column: Int) throws -> UInt64 {
    let cursor = try unsigned(column)
    guard cursor > 0, cursor <= SQLiteLogReading.largestCursor else { throw SQLiteLogReading.damaged }
    return cursor
  }

  func bytes(_ column: Int) throws -> [UInt8] {
    guard let value = Data.fromDatabaseValue(self[column] as DatabaseValue) else {
      throw SQLiteLogReading.damaged
    }
    return [UInt8](value)
  }

  func text(_ column: Int) throws -> String {
    guard let value = String.fromDatabaseValue(self[column] as DatabaseValue) else {
      throw SQLiteLogReading.damaged
    }
    return value
  }

  func digest(_ column: Int) throws -> LogDigest {
    guard let digest = LogDigest(bytes: try bytes(column)) else { throw SQLiteLogReading.damaged }
    return digest
  }

  func sequenceNumbers(_ first: Int, _ count: Int) throws -> Range<UInt32> {
    let (first, count) = (try unsigned(first), try unsigned(count))
    guard first < 1 << 31, count > 0, count <= 1 << 31 - first else { throw SQLiteLogReading.damaged }
    return UInt32(first)..<UInt32(first + count)
  }
}
