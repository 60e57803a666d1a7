import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

/// What became of entries that were received.
package struct ReceivedEntries: Sendable {
  /// What changed in the documents' texts.
  package var changes: [DocumentChange] = []
  /// Names under which the room has another document than the one the name means here.
  package var lineageClashes: [DocumentName] = []
  /// Entries that could not be merged, and were kept aside.
  package var held: [UInt64] = []
  /// Entries that wait for events which the log did not have before them.
  package var waiting: [UInt64] = []
  /// Own events that have another id now, since the log has others' under theirs.
  package var reauthored: [ReauthoredEvents] = []
}

extension Transaction {
  /// Takes in entries that continue the room's log, up to `cursor`, where its digest is `digest`. Entries
  /// that another process has taken in meanwhile are passed over.
  func receive(_ entries: [LogEntry], cursor: UInt64, digest: LogDigest, in room: RoomName) throws
    -> ReceivedEntries
  {
    let status = try roomStatus(room)
    if cursor <= status.cursor { return ReceivedEntries() }
    let fresh = entries.drop { $0.cursor <= status.cursor }
    guard let first = fresh.first, first.cursor == status.cursor &+ 1, fresh.last?.cursor == cursor else {
      throw ReplicaError.outOfStep(cursor: status.cursor)
    }
    guard fresh.reduce(status.digest, { $1.digest(after: $0) }) == digest else {
      throw ReplicaError.outOfStep(cursor: status.cursor)
    }
    let roomID = try roomIDMakingIt(room)
    var batch = Batch(room: room, roomID: roomID)
    for entry in fresh { try place(entry, in: &batch) }
    for id in batch.entries.keys.sorted() {
      guard let entries = batch.entries[id] else { continue }
      do { try receive(entries[...], of: id, in: &batch) } catch let error as ReplicaError {
        // The document itself cannot be read.
        for entry in entries { try hold(entry, of: id, because: error, in: &batch) }
      }
    }
    try db.run(
      "UPDATE rooms SET cursor = ?, digest = ? WHERE id = ?",
      [Int64(bitPattern: cursor), Data(digest.bytes), roomID])
    batch.result.held.sort()
    batch.result.waiting.sort()
    batch.result.reauthored = reauthored
    return batch.result
  }

  /// Entries of one room on their way into documents, which are written once when all are merged.
  struct Batch {
    let room: RoomName
    let roomID: Int64
    var ids: [DocumentKey: Int64] = [:]
    var entries: [Int64: [LogEntry]] = [:]
    var result = ReceivedEntries()
  }

  /// Finds the document of an entry, or makes it.
  func place(_ entry: LogEntry, in batch: inout Batch) throws {
    let key = entry.header.document
    let id: Int64
    if let known = batch.ids[key] {
      id = known
    } else {
      id = try documentID(key, in: batch.room) ?? makeDocument(key, in: batch.room)
      batch.ids[key] = id
      try noteFirstCursor(isTakingCheckpoint ? placeInCheckpoint(of: id) : entry.cursor, of: id)
      try followRoom(to: id, key, in: batch.room)
      if try currentID(key.name, in: batch.room) != id, !batch.result.lineageClashes.contains(key.name) {
        batch.result.lineageClashes.append(key.name)
      }
    }
    batch.entries[id, default: []].append(entry)
  }

  /// Merges the entries of one document, and writes what it has become.
  func receive(_ entries: ArraySlice<LogEntry>, of id: Int64, in batch: inout Batch) throws {
    var open = OpenDocument(try take(id))
    var rest = entries
    while let entry = rest.first {
      try recognize(entry, in: &open)
      let merged = try mergeTogether(rest, into: &open, roomID: batch.roomID)
      rest = rest.dropFirst(merged)
      if merged > 0 { continue }
      rest = rest.dropFirst()
      do {
        let growth = try merge(entry, into: &open)
        try noteEntry(entry, of: id, roomID: batch.roomID, growth)
        try removeFromOutbox(entry.header.span, of: id)
        noteLogged(entry, in: &open)
      } catch is EntryMustWait {
        batch.result.waiting.append(entry.cursor)
        try makeWay(for: entry, in: &open)
        try noteEntry(entry, of: id, roomID: batch.roomID, (0, 0))
        try wait(entry.payload, at: Int64(bitPattern: entry.cursor), in: batch.roomID)
      } catch let error as ReplicaError {
        if error.reasonToHold != nil { try makeWay(for: entry, in: &open) }
        try hold(entry, of: id, because: error, in: &batch)
      }
    }
    try noteWaiting(entries, of: open.loaded, in: &batch)
    try finish(&open, in: &batch)
  }

  /// Whoever pushed an entry that follows events which the log did not have may be asked why.
  private func noteWaiting(
    _ entries: ArraySlice<LogEntry>, of loaded: LoadedDocument, in batch: inout Batch
  ) throws {
    // The parts of a checkpoint come in no causal order.
    guard !isTakingCheckpoint, loaded.document.pendingEventCount > 0 else { return }
    let waiting = Set(loaded.document.waitingUpdates.flatMap(\.spans))
    batch.result.waiting += entries.filter { waiting.contains($0.header.span) }.map(\.cursor)
  }

  /// An entry that cannot be merged, or not yet, still holds its ids: what is here under them goes on under others, since
  /// nobody could have it from the log.
  private func makeWay(for entry: LogEntry, in open: inout OpenDocument) throws {
    let span = entry.header.span
    try retire(span.replica)
    open.derived = nil
    do {
      open.patches += try makeWay(for: span, in: &open.loaded)
      open.hasChanged = true
    } catch ReplicaError.idClash { return }
  }

  /// Keeps an entry aside, if the trouble is with the entry or its document; rethrows other trouble.
  func hold(_ entry: LogEntry, of id: Int64, because error: ReplicaError, in batch: inout Batch)
    throws
  {
    guard let reason = error.reasonToHold else { throw error }
    try noteEntry(entry, of: id, roomID: batch.roomID, (0, 0))
    try db.run(
      "INSERT OR REPLACE INTO held (room, cursor, reason, payload) VALUES (?, ?, ?, ?)",
      [batch.roomID, Int64(bitPattern: entry.cursor), reason, Data(entry.payload)])
    batch.result.held.append(entry.cursor)
  }

  private func finish(_ open: inout OpenDocument, in batch: inout Batch) throws {
    let settled = try settleRefused(&open.loaded, reauthoring: true)
    open.patches += settled.patches
    batch.result.held += settled.held
    let released = try releaseWaiting(into: &open.loaded)
    open.patches += released ?? []
    if open.hasChanged || settled.hasChanged || released != nil {
      let before = open.loaded.vector
      open.loaded.vector = open.loaded.document.versionVector
      if open.hadPending { try offerReleased(of: open.loaded, since: before) }
      try save(&open.loaded)
      note(open.patches, of: open.loaded, from: .relay)
      if !open.patches.isEmpty {
        batch.result.changes.append(
          DocumentChange(
            origin: .relay, room: open.loaded.room, key: open.loaded.key, patches: open.patches))
      }
    }
    put(open.loaded)
  }

  /// Events that had waited for others, and are in the document now, may have come from this device: the log
  /// has them, or the outbox gets them.
  private func offerReleased(of loaded: LoadedDocument, since before: VersionVector) throws {
    let new = SpanSet(from: before, to: loaded.vector)
    let missing = new.subtracting(try logSpans(of: loaded.id)).subtracting(try outboxSpans(of: loaded.id))
    for span in missing.spans { try addToOutbox(span, of: loaded.id) }
  }

  func noteEntry(
    _ entry: LogEntry, of document: Int64, roomID: Int64, _ growth: (inserted: Int, deleted: Int)
  ) throws {
    if isTakingCheckpoint { return try noteCheckpointPart(entry, of: document) }
    try db.run(
      """
      INSERT OR REPLACE INTO entries
        (room, cursor, document, replica, first, "end", subject, time, inserted, deleted)
      VALUES (?, ?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?)
      """,
      [
        roomID, Int64(bitPattern: entry.cursor), document, entry.header.span.replica.stored,
        Int64(entry.header.span.seqs.lowerBound), Int64(entry.header.span.seqs.upperBound),
        Data(entry.subject), Int64(bitPattern: entry.time), growth.inserted, growth.deleted,
      ])
  }
}

extension ReplicaError {
  /// Why an entry is kept aside, if this is a reason: the trouble is with the entry or its document, not with
  /// the file or the disk.
  fileprivate var reasonToHold: String? {
    switch self {
    case .damaged(let damage) where damage.place != "file": damage.description
    case .idClash: description
    default: nil
    }
  }
}
