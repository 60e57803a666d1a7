import GRDB
import RopewalkCore
import RopewalkSync
import RopewalkZstd

extension RelayStore {
  /// What a check found.
  public struct Report: Hashable, Sendable {
    /// A room.
    public struct Room: Hashable, Sendable {
      /// Its name.
      public let name: String
      /// The last entry that is sound, with all before it; 0 for none.
      public var soundThrough: UInt64
      /// The last entry there is.
      public var head: UInt64
      /// How many segments hold folded entries.
      public var segments: Int
      /// What is wrong, and where; empty for nothing.
      public var damage: [String]
    }

    /// SQLite's own complaints about the file; empty for none.
    public var fileDamage: [String]
    /// The rooms, by name.
    public var rooms: [Room]

    /// Nothing is damaged.
    public var isSound: Bool { fileDamage.isEmpty && rooms.allSatisfy { $0.damage.isEmpty } }
  }

  /// Reads everything as it was at one moment: whether cursors are dense, every payload is what its hash
  /// says, the digest follows from the entries, and no event is there twice. Changes nothing; takes time in
  /// proportion to the log.
  public func verify() throws(Failure) -> Report {
    try withLog(isReadOnly: true) { queue in
      try queue.read { database in
        let complaints = try String.fetchAll(database, sql: "PRAGMA integrity_check(100)").filter {
          $0 != "ok"
        }
        var report = Report(fileDamage: complaints, rooms: [])
        let hasSegments = try database.tableExists("segments")
        for row in try Row.fetchAll(database, sql: "SELECT id, name FROM rooms ORDER BY name") {
          guard let id = Int64.fromDatabaseValue(row[0]), let name = String.fromDatabaseValue(row[1]) else {
            report.fileDamage.append("a room has no name")
            continue
          }
          var check = RoomCheck(id, name)
          if hasSegments { try check.segments(database) }
          try check.entries(database)
          check.doubles()
          report.rooms.append(check.room)
        }
        return report
      }
    }
  }
}

/// Goes through one room's log in order.
private struct RoomCheck {
  var room: RelayStore.Report.Room
  private let id: Int64
  private var digest = LogDigest.zero
  private var spans: [CoverageKey: [(seqs: Range<UInt32>, cursor: UInt64)]] = [:]

  init(_ id: Int64, _ name: String) {
    self.id = id
    room = RelayStore.Report.Room(name: name, soundThrough: 0, head: 0, segments: 0, damage: [])
  }

  mutating func segments(_ database: Database) throws {
    let rows = try Row.fetchCursor(
      database, sql: "SELECT \(StoredSegment.columns) FROM segments WHERE room = ? ORDER BY first",
      arguments: [id])
    while let row = try rows.next() {
      room.segments += 1
      do {
        let stored = try StoredSegment(row)
        if stored.before != digest {
          complain("the digest before the segment at \(stored.segment.first) is wrong")
        }
        for entry in try stored.entries() { take(entry, hash: nil, digest: nil) }
        if stored.digest != digest {
          complain("the digest of the segment at \(stored.segment.first) is wrong")
        }
        digest = stored.digest
      } catch {
        let first = (try? row.unsigned(0)) ?? 0
        complain("the segment at \(first) cannot be read")
        room.head = (try? row.unsigned(1)) ?? first
        digest = (try? row.digest(5)) ?? digest
      }
    }
  }

  mutating func entries(_ database: Database) throws {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT e.cursor, s.name, e.time, d.name, d.lineage, e.replica, e.first, e.count, e.size, e.codec, e.payload,
          e.hash, e.digest
        FROM entries e LEFT JOIN subjects s ON s.id = e.subject LEFT JOIN documents d ON d.id = e.document
        WHERE e.room = ? ORDER BY e.cursor
        """, arguments: [id])
    while let row = try rows.next() {
      do {
        take(try SQLiteLogReading.entry(row), hash: try row.bytes(11), digest: try row.digest(12))
      } catch {
        let cursor = (try? row.unsigned(0)) ?? room.head + 1
        complain("the entry at \(cursor) cannot be read")
        room.head = cursor
        digest = (try? row.digest(12)) ?? digest
      }
    }
  }

  private mutating func take(_ entry: LogEntry, hash: [UInt8]?, digest stored: LogDigest?) {
    if entry.cursor != room.head + 1 { complain("entries \(room.head + 1) to \(entry.cursor) are not dense") }
    room.head = entry.cursor
    let found = PayloadHash(of: entry.payload)
    if let hash, hash != found.bytes { complain("the payload at \(entry.cursor) is not what was stored") }
    digest = digest.extended(by: entry.header, payloadHash: found)
    if let stored, stored != digest {
      complain("the digest at \(entry.cursor) is wrong")
      digest = stored
    }
    spans[CoverageKey(entry.header), default: []].append((entry.header.span.seqs, entry.cursor))
    if room.damage.isEmpty { room.soundThrough = entry.cursor }
  }

  /// Whether any event is there twice.
  mutating func doubles() {
    for ranges in spans.values {
      let sorted = ranges.sorted { $0.seqs.lowerBound < $1.seqs.lowerBound }
      for (one, next) in zip(sorted, sorted.dropFirst()) where next.seqs.lowerBound < one.seqs.upperBound {
        let cursor = max(one.cursor, next.cursor)
        complain("events of the entry at \(cursor) are there before")
        room.soundThrough = min(room.soundThrough, cursor - 1)
      }
    }
    spans = [:]
  }

  /// The first few are enough to know where to look.
  private mutating func complain(_ sentence: String) {
    if room.damage.count < 20 { room.damage.append(sentence) }
  }
}
