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
    guard let first = fresh.first, first.cursor == status.cursor + 1, fresh.last?.cursor == cursor else {
      throw ReplicaError.outOfStep(cursor: status.cursor)
    }
    guard fresh.reduce(status.digest, { $1.digest(after: $0) }) == digest else {
      throw ReplicaError.outOfStep(cursor: status.cursor)
    }
    let roomID = try roomIDMakingIt(room)
    var batch = Batch(room: room, roomID: roomID)
    for entry in fresh { try receive(entry, in: &batch) }
    try finish(&batch)
    try db.run(
      "UPDATE rooms SET cursor = ?, digest = ? WHERE id = ?",
      [Int64(bitPattern: cursor), Data(digest.bytes), roomID])
    return batch.result
  }

  /// Entries of one room on their way into documents, which are written once when all are merged.
  private struct Batch {
    let room: RoomName
    let roomID: Int64
    var ids: [DocumentKey: Int64] = [:]
    var open: [Int64: Open] = [:]
    var result = ReceivedEntries()

    struct Open {
      var loaded: LoadedDocument
      /// Whether events waited here before the batch came.
      let hadPending: Bool
      var patches: [TextPatch] = []
      var hasChanged = false

      init(_ loaded: LoadedDocument) {
        self.loaded = loaded
        hadPending = loaded.document.pendingEventCount > 0
      }
    }
  }

  private func receive(_ entry: LogEntry, in batch: inout Batch) throws {
    let key = entry.header.document
    let id: Int64
    if let known = batch.ids[key] {
      id = known
    } else {
      id = try documentID(key, in: batch.room) ?? makeDocument(key, in: batch.room)
      batch.ids[key] = id
      if try currentID(key.name, in: batch.room) != id, !batch.result.lineageClashes.contains(key.name) {
        batch.result.lineageClashes.append(key.name)
      }
    }
    try noteFirstCursor(entry.cursor, of: id)
    do {
      if batch.open[id] == nil { batch.open[id] = Batch.Open(try take(id)) }
      guard var open = batch.open.removeValue(forKey: id) else { return }
      let growth: (inserted: Int, deleted: Int)
      do {
        growth = try merge(entry, into: &open)
      } catch {
        batch.open[id] = open
        throw error
      }
      batch.open[id] = open
      try noteEntry(entry, of: id, roomID: batch.roomID, growth)
      try removeFromOutbox(entry.header.span, of: id)
    } catch let error as ReplicaError {
      guard let reason = error.reasonToHold else { throw error }
      try noteEntry(entry, of: id, roomID: batch.roomID, (0, 0))
      try db.run(
        "INSERT OR REPLACE INTO held (room, cursor, reason, payload) VALUES (?, ?, ?, ?)",
        [batch.roomID, Int64(bitPattern: entry.cursor), reason, Data(entry.payload)])
      try giveUp(entry.header.span, of: id)
      batch.result.held.append(entry.cursor)
    }
  }

  /// Merges one entry into its document; re-authors own events that it shows to be named like someone else's.
  private func merge(_ entry: LogEntry, into open: inout Batch.Open) throws -> (inserted: Int, deleted: Int) {
    let update: Update
    do { update = try Update(bytes: entry.payload) } catch {
      throw ReplicaError.damaged(.init(error, in: "log", row: Int64(bitPattern: entry.cursor)))
    }
    guard update.spans == [entry.header.span], update.lineage == open.loaded.key.lineage else {
      throw ReplicaError.damaged(
        .init(
          place: "log", row: Int64(bitPattern: entry.cursor),
          problem: "the update is not what its header says"))
    }
    let eventsBefore = open.loaded.document.eventCount
    let pendingBefore = open.loaded.document.pendingEventCount
    var patches: [TextPatch] = []
    let place = ("log", Int64(bitPattern: entry.cursor))
    do throws(ApplyError) {
      patches = try open.loaded.document.apply(update)
    } catch .idClash(let event) {
      open.patches += try reauthor(&open.loaded, from: event)
      open.hasChanged = true
      do { patches = try open.loaded.document.apply(update) } catch {
        throw ReplicaError.damaged(.init(error, in: place.0, row: place.1))
      }
    } catch { throw ReplicaError.damaged(.init(error, in: place.0, row: place.1)) }
    let isNews =
      open.loaded.document.eventCount != eventsBefore
      || open.loaded.document.pendingEventCount != pendingBefore
    guard isNews else { return (0, 0) }
    try append(update, to: &open.loaded)
    open.hasChanged = true
    open.patches += patches
    return patches.reduce(into: (0, 0)) { sum, patch in
      sum.0 += TextPatch.scalars(patch.inserted[...])
      sum.1 += patch.deleted
    }
  }

  private func finish(_ batch: inout Batch) throws {
    for id in batch.open.keys.sorted() {
      guard var open = batch.open.removeValue(forKey: id) else { continue }
      if open.hasChanged {
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
  }

  /// Events that had waited for others, and are in the document now, may have come from this device: the log
  /// has them, or the outbox gets them.
  private func offerReleased(of loaded: LoadedDocument, since before: VersionVector) throws {
    let new = SpanSet(from: before, to: loaded.vector)
    let missing = new.subtracting(try logSpans(of: loaded.id)).subtracting(try outboxSpans(of: loaded.id))
    for span in missing.spans { try addToOutbox(span, of: loaded.id) }
  }

  private func noteEntry(
    _ entry: LogEntry, of document: Int64, roomID: Int64, _ growth: (inserted: Int, deleted: Int)
  ) throws {
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
