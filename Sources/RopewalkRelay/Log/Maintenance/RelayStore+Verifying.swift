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
      /// The first entry that was not forgotten.
      public var oldest: UInt64 = 1
      /// The cursor of the confirmed checkpoint, 0 for none.
      public var checkpoint: UInt64 = 0
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
  /// says, the digest follows from the entries, each is of the owner of its replica id, and no event is there twice. Changes nothing; takes time in
  /// proportion to the log.
  public func verify() throws(Failure) -> Report {
    try withLog(isReadOnly: true) { queue in
      try queue.read { database in
        let complaints = try String.fetchAll(database, sql: "PRAGMA integrity_check(100)").filter {
          $0 != "ok"
        }
        var report = Report(fileDamage: complaints, rooms: [])
        for row in try Row.fetchAll(database, sql: "SELECT id, name FROM rooms ORDER BY name") {
          guard let id = Int64.fromDatabaseValue(row[0]), let name = String.fromDatabaseValue(row[1]) else {
            report.fileDamage.append("a room has no name")
            continue
          }
          var check = RoomCheck(id, name)
          try check.start(database)
          try check.owners(database)
          try check.segments(database)
          try check.entries(database)
          check.checkpoint(database)
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
  private var owners: [ReplicaID: (owner: Owner, since: UInt64)] = [:]
  private var seen: Set<ReplicaID> = []

  init(_ id: Int64, _ name: String) {
    self.id = id
    room = RelayStore.Report.Room(name: name, soundThrough: 0, head: 0, segments: 0, damage: [])
  }

  /// What was forgotten is not there to be checked.
  mutating func start(_ database: Database) throws {
    guard
      let row = try Row.fetchOne(
        database, sql: "SELECT oldest, before FROM rooms WHERE id = ?", arguments: [id])
    else { return }
    do {
      let oldest = try row.cursor(0)
      digest = try row.digest(1)
      room.oldest = oldest
      (room.head, room.soundThrough) = (oldest - 1, oldest - 1)
    } catch { complain("where the log begins cannot be read") }
  }

  /// Whose the replica ids are.
  mutating func owners(_ database: Database) throws {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT s.name, o.identity, o.replica, o.since FROM owners o LEFT JOIN subjects s ON s.id = o.subject
        WHERE o.room = ?
        """, arguments: [id])
    while let row = try rows.next() {
      do {
        owners[ReplicaID(rawValue: try row.unsigned(2))] = (
          try SQLiteLogReading.owner(row, 0), try row.cursor(3)
        )
      } catch { complain("whose a replica id is cannot be read") }
    }
  }

  /// An entry is of the owner of its replica id, who has it since the first entry under it.
  private mutating func checkOwner(of entry: LogEntry) {
    let replica = entry.header.span.replica
    guard let known = owners[replica] else {
      return complain("the replica id of the entry at \(entry.cursor) is nobody's")
    }
    if known.owner.subject != entry.subject {
      complain("the entry at \(entry.cursor) is not of the owner of its replica id")
    }
    guard seen.insert(replica).inserted, known.since >= room.oldest || known.since > entry.cursor else {
      return
    }
    if known.since != entry.cursor {
      complain("the owner of the replica id of the entry at \(entry.cursor) has it since another one")
    }
  }

  /// The checkpoint in use can be read, and holds what was forgotten and what is still there.
  mutating func checkpoint(_ database: Database) {
    let found: StoredCheckpoint?
    do { found = try RoomName(room.name).flatMap { try .inUse(of: $0, database) } } catch {
      return complain("the checkpoint cannot be read")
    }
    guard let stored = found else {
      if room.oldest > 1 { complain("entries were forgotten and no checkpoint holds them") }
      return
    }
    room.checkpoint = stored.head.cursor
    if room.oldest > stored.head.cursor + 1 { complain("more was forgotten than the checkpoint holds") }
    var held: [CoverageKey: [Range<UInt32>]] = [:]
    var next: UInt64 = 0
    do {
      while true {
        let batch = try stored.batch(from: next, maximumBytes: 1 << 20, database)
        for part in batch.parts {
          if owners[part.part.header.span.replica] == nil {
            complain("the replica id of part \(next) of the checkpoint, or of one after it, is nobody's")
          }
          held[CoverageKey(part.part.header), default: []].append(part.part.header.span.seqs)
        }
        next += UInt64(batch.parts.count)
        if batch.isLast { break }
      }
    } catch { return complain("the checkpoint at \(stored.head.cursor) cannot be read after part \(next)") }
    for (key, spans) in spans {
      for span in spans where span.cursor <= stored.head.cursor {
        let parts = held[key, default: []]
        let count = parts.reduce(0) { $0 + $1.clamped(to: span.seqs).count }
        if count != span.seqs.count { complain("the checkpoint lacks events of the entry at \(span.cursor)") }
      }
    }
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
        let first = (try? row.cursor(0)) ?? 0
        complain("the segment at \(first) cannot be read")
        room.head = (try? row.cursor(1)) ?? first
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
        let cursor = (try? row.cursor(0)) ?? room.head + 1
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
    checkOwner(of: entry)
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
