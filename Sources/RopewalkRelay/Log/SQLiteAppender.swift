import Foundation
import GRDB
import RopewalkCore
import RopewalkSync
import RopewalkZstd

/// Writes what has gathered in one transaction. Used by one queue alone.
///
/// A class because it keeps row numbers and a zstd context between transactions; `@unchecked Sendable`
/// because the log's serial queue is the only one that touches it.
final class SQLiteAppender: @unchecked Sendable {
  private struct RoomRow {
    var id: Int64?
    var head: UInt64
  }

  private var rooms: [RoomName: RoomRow] = [:]
  private var subjects: [[UInt8]: Int64] = [:]
  private var documents: [RoomDocument: Int64] = [:]
  /// Replica ids whose owners are stored.
  private var owned: Set<RoomReplica> = []
  let compressor = ZstdCompressor()
  private let commits: CommitMeter

  private let folding: FoldConfiguration
  /// Per room, what is not folded.
  private var unfolded: [Int64: (entries: Int, bytes: Int)] = [:]
  /// Rooms that are being folded, or cannot be since they are damaged.
  private var inFolding: Set<Int64> = []

  private let writeAheadLog: WriteAheadLog

  init(commits: CommitMeter, folding: FoldConfiguration, writeAheadLog: WriteAheadLog) {
    self.commits = commits
    self.folding = folding
    self.writeAheadLog = writeAheadLog
  }

  private struct RoomDocument: Hashable {
    let room: Int64
    let document: DocumentKey
  }

  private struct RoomReplica: Hashable {
    let room: Int64
    let replica: ReplicaID
  }

  /// Entries are compressed from this size on.
  private static let leastCompressed = 64
  /// Row numbers are forgotten when there are more than so many.
  private static let cacheBound = 1 << 16

  /// Performs `work` in order and calls its completions. If the transaction fails, all of it has failed; but
  /// if that may be for what the file holds of one room, the others do not fail with it.
  func perform(_ work: [SQLiteLog.Work], in pool: DatabasePool) {
    let parts = Parts(work)
    if !parts.together.isEmpty { commit(parts.together, in: pool) }
    // Nobody waits for these, and what was pushed waits for none of them.
    for fold in parts.folds { commit([fold], in: pool) }
    for moved in parts.moves { pool.writeWithoutTransaction { writeAheadLog.finish(after: moved, $0) } }
    if rooms.count + subjects.count + documents.count + owned.count + unfolded.count > Self.cacheBound {
      forget()
    }
  }

  private struct Parts {
    /// What goes into one transaction.
    var together: [SQLiteLog.Work] = []
    /// What has one each.
    var folds: [SQLiteLog.Work] = []
    /// What cannot be in one.
    var moves: [Int?] = []

    init(_ work: [SQLiteLog.Work]) {
      for item in work {
        switch item {
        case .fold: folds.append(item)
        case .finishMoving(let moved): moves.append(moved)
        default: together.append(item)
        }
      }
    }
  }

  private func commit(_ work: [SQLiteLog.Work], in pool: DatabasePool) {
    var done: [() -> Void] = []
    let start = ContinuousClock.now
    var written = start
    do {
      try pool.writeWithoutTransaction { database in
        try database.inTransaction {
          for item in work { done.append(try perform(item, database)) }
          written = .now
          return .commit
        }
      }
      commits.succeeded(after: .now - start, syncing: .now - written)
      for completion in done { completion() }
    } catch {
      forget()
      if work.count > 1, Self.mayBeOfOneRoom(error) {
        for item in work { commit([item], in: pool) }
        return
      }
      commits.failed()
      Self.fail(work, RelayLogError(error, during: .append))
    }
  }

  /// Whether an error may come from a damaged room; false if the disk takes nothing.
  private static func mayBeOfOneRoom(_ error: any Error) -> Bool {
    guard let code = (error as? DatabaseError)?.resultCode else { return true }
    return [.SQLITE_CORRUPT, .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG, .SQLITE_ERROR]
      .contains(code)
  }

  static func fail(_ work: [SQLiteLog.Work], _ error: RelayLogError) {
    for item in work {
      switch item {
      case .open(_, let completion): completion(.failure(error))
      case .append(_, _, let completion): completion(.failure(error))
      case .change(_, _, let completion): completion(.failure(error))
      case .flush(let completion): completion()
      case .probe(let completion): completion(.failure(error))
      case .fold, .finishMoving: break
      }
    }
  }

  private func forget() {
    rooms = [:]
    subjects = [:]
    documents = [:]
    owned = []
    unfolded = [:]
    inFolding = []
  }

  /// Rooms with much that is not folded; each is named once until that has been done.
  func takeLong() -> [Int64] {
    let long = unfolded.filter { room, tail in
      let isLong =
        tail.entries >= folding.patience * folding.entries || tail.bytes >= folding.patience * folding.bytes
      return isLong && !inFolding.contains(room)
    }
    inFolding.formUnion(long.keys)
    return long.keys.sorted()
  }

  private func fold(_ folded: FoldedEntries, _ database: Database) throws -> () -> Void {
    let isStored = try folded.store(database)
    return { [self] in
      inFolding.remove(folded.room)
      guard isStored else { return unfolded[folded.room] = nil }
      unfolded[folded.room]?.entries -= folded.segment.count
      unfolded[folded.room]?.bytes -= folded.payloadBytes
    }
  }

  /// What is not folded of a room has changed otherwise.
  func recount(_ room: Int64) { unfolded[room] = nil }

  func roomID(_ room: RoomName, _ database: Database) throws -> Int64 {
    try row(of: room, database).id ?? insert(database, "INSERT INTO rooms (name) VALUES (?)", [room.text])
  }

  private func grow(_ room: Int64, by entries: [RelayRoom.NewEntry], _ database: Database) throws {
    guard let tail = unfolded[room] else {
      let row = try Row.fetchOne(
        database, sql: "SELECT count(*), coalesce(sum(size), 0) FROM entries WHERE room = ?",
        arguments: [room])
      // However large a damaged file says that its payloads are, it can be counted on from there.
      let bytes = min(try row?.unsigned(1) ?? 0, 1 << 48)
      unfolded[room] = (Int(clamping: try row?.unsigned(0) ?? 0), Int(bytes))
      return
    }
    unfolded[room] = (
      tail.entries + entries.count, entries.reduce(tail.bytes) { $0 + $1.entry.payload.count }
    )
  }

  /// Does one thing, and returns what is to be called after the commit.
  private func perform(_ work: SQLiteLog.Work, _ database: Database) throws -> () -> Void {
    switch work {
    case .flush(let completion): return completion
    case .finishMoving: return {}
    case .fold(let folded): return try fold(folded, database)
    case .probe(let completion):
      // Rewrites the file's first page as it is.
      try database.execute(sql: "PRAGMA user_version = \(SQLiteLogSchema.version)")
      return { completion(.success(())) }
    case .open(let room, let completion):
      let state = try SQLiteLogReading.state(database, room)
      return { completion(.success(state)) }
    case .change(let room, let change, let completion):
      try self.change(room, change, database)
      let state = try SQLiteLogReading.state(database, room)
      return { completion(.success(state)) }
    case .append(let entries, let room, let completion):
      var row = try row(of: room, database)
      let isDense = entries.enumerated().allSatisfy { $1.entry.cursor == row.head + UInt64($0) + 1 }
      guard isDense, let last = entries.last else {
        return { completion(.failure(RelayLogError(act: .append, reason: .notDense))) }
      }
      let id = try row.id ?? insert(database, "INSERT INTO rooms (name) VALUES (?)", [room.text])
      for entry in entries { try insert(entry, into: id, database) }
      try grow(id, by: entries, database)
      row = RoomRow(id: id, head: last.entry.cursor)
      rooms[room] = row
      return { completion(.success(())) }
    }
  }

  private func row(of room: RoomName, _ database: Database) throws -> RoomRow {
    if let row = rooms[room] { return row }
    let id = try Int64.fetchOne(database, sql: "SELECT id FROM rooms WHERE name = ?", arguments: [room.text])
    return RoomRow(id: id, head: try SQLiteLogReading.head(database, room).cursor)
  }

  private func insert(_ new: RelayRoom.NewEntry, into room: Int64, _ database: Database) throws {
    let entry = new.entry
    let packed = entry.payload.count < Self.leastCompressed ? nil : compressor.compress(entry.payload)
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO entries (room, cursor, subject, time, document, replica, first, count, hash, digest, size, codec,
          payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    let span = entry.header.span
    try statement.execute(arguments: [
      room, Int64(bitPattern: entry.cursor), try subjectID(entry.subject, database),
      Int64(bitPattern: entry.time), try documentID(entry.header.document, in: room, database),
      Int64(bitPattern: span.replica.rawValue), Int64(span.seqs.lowerBound), Int64(span.seqs.count),
      Data(new.payloadHash.bytes), Data(new.digest.bytes), Int64(entry.payload.count),
      packed == nil ? 0 : 1, Data(packed ?? entry.payload),
    ])
    try noteOwner(of: new, in: room, database)
  }

  /// The first entry under a replica id says whose that is.
  private func noteOwner(of new: RelayRoom.NewEntry, in room: Int64, _ database: Database) throws {
    let replica = new.entry.header.span.replica
    guard owned.insert(RoomReplica(room: room, replica: replica)).inserted else { return }
    try database.cachedStatement(
      sql: """
        INSERT INTO owners (room, replica, subject, identity, since) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
        """
    ).execute(arguments: [
      room, Int64(bitPattern: replica.rawValue), try subjectID(new.owner.subject, database),
      new.owner.identity.map { Data($0.bytes) }, Int64(bitPattern: new.entry.cursor),
    ])
  }

  func subjectID(_ name: [UInt8], _ database: Database) throws -> Int64 {
    if let id = subjects[name] { return id }
    let text = String(decoding: name, as: UTF8.self)
    let found = try Int64.fetchOne(database, sql: "SELECT id FROM subjects WHERE name = ?", arguments: [text])
    let id = try found ?? insert(database, "INSERT INTO subjects (name) VALUES (?)", [text])
    subjects[name] = id
    return id
  }

  func documentID(_ key: DocumentKey, in room: Int64, _ database: Database) throws -> Int64 {
    if let id = try knownDocumentID(key, in: room, database) { return id }
    let id = try insert(
      database, "INSERT INTO documents (room, name, lineage) VALUES (?, ?, ?)",
      [room, key.name.text, Int64(bitPattern: key.lineage.rawValue)])
    documents[RoomDocument(room: room, document: key)] = id
    return id
  }

  /// Nil for a document that the room has nothing of.
  func knownDocumentID(_ key: DocumentKey, in room: Int64, _ database: Database) throws -> Int64? {
    if let id = documents[RoomDocument(room: room, document: key)] { return id }
    let id = try Int64.fetchOne(
      database, sql: "SELECT id FROM documents WHERE room = ? AND name = ? AND lineage = ?",
      arguments: [room, key.name.text, Int64(bitPattern: key.lineage.rawValue)])
    documents[RoomDocument(room: room, document: key)] = id
    return id
  }

  private func insert(_ database: Database, _ sql: String, _ arguments: StatementArguments) throws -> Int64 {
    try database.execute(sql: sql, arguments: arguments)
    return database.lastInsertedRowID
  }
}
