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
  /// What was noted of a checkpoint is not this one alone: it is read once more, from its beginning.
  var mustBeginAnew = false

  /// Adds what became of later entries.
  mutating func add(_ later: ReceivedEntries) {
    changes += later.changes
    lineageClashes += later.lineageClashes.filter { !lineageClashes.contains($0) }
    held += later.held
    waiting += later.waiting
    reauthored += later.reauthored
  }
}

extension Transaction {
  /// Takes in the first of some entries that continue the room's log, up to `cursor`, where its digest is `digest`: as many
  /// as one transaction may take. Entries that another process has taken in meanwhile are passed over.
  func receive(_ entries: inout EntrySlices, in room: RoomName) throws -> ReceivedEntries {
    let status = try roomStatus(room)
    guard try entries.go(on: status) else { return ReceivedEntries() }
    let roomID = try roomIDMakingIt(room)
    if status.cursor == 0 { try forgetParts(of: roomID, unlessAt: nil) }
    let (slice, digest) = try entries.next { try weight(of: $0, in: room) }
    guard let cursor = slice.last?.cursor else { return ReceivedEntries() }
    var batch = Batch(room: room, roomID: roomID)
    for entry in slice { try place(entry, in: &batch) }
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
    /// What a checkpoint says of them; nil where the log itself goes on.
    var kind: CheckpointPart.Kind?
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
      try noteFirstCursor(entry.cursor, of: id)
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
    while let first = rest.first {
      let (count, failed) = try mergeTogether(rest, into: &open, in: &batch)
      rest = rest.dropFirst(max(1, count))
      if count == 0 { try receive(first, of: id, into: &open, in: &batch) }
      for entry in failed { try receive(entry, of: id, into: &open, in: &batch, isJudged: true) }
    }
    try noteWaiting(entries, of: open.loaded, in: &batch)
    try finish(&open, in: &batch)
  }

  private func receive(
    _ entry: LogEntry, of id: Int64, into open: inout OpenDocument, in batch: inout Batch,
    isJudged: Bool = false
  ) throws {
    if try !isJudged && isInExcess(entry, in: &open, of: batch) {
      return try receiveExcess(entry, of: id, into: &open, in: &batch)
    }
    do {
      try recognize(entry, in: &open)
      let growth = try merge(entry, into: &open)
      try noteEntry(entry, of: id, roomID: batch.roomID, growth)
      try removeFromOutbox(entry.header.span, of: id)
      noteLogged(entry, in: &open)
    } catch is EntryMustWait {
      batch.result.waiting.append(entry.cursor)
      try makeWay(for: entry, in: &open)
      try noteEntry(entry, of: id, roomID: batch.roomID, (0, 0))
      try wait(entry.payload, at: Int64(bitPattern: entry.cursor), of: id, in: batch.roomID)
    } catch let error as ReplicaError {
      if error.reasonToHold != nil { try makeWay(for: entry, in: &open) }
      try hold(entry, of: id, because: error, in: &batch)
    }
  }

  private func isInExcess(_ entry: LogEntry, in open: inout OpenDocument, of batch: Batch) throws -> Bool {
    if let kind = batch.kind { return kind == .inExcess }
    guard let update = entry.update else { return false }
    return try judge(entry, update, in: &open, isNext: true) == .isInExcess
  }

  func receiveExcess(
    _ entry: LogEntry, of id: Int64, into open: inout OpenDocument, in batch: inout Batch
  ) throws {
    // Own events stay, as their author has them. Others' under the same ids go on under other ones.
    let isOwn = entry.update.map { open.loaded.document.has($0) } ?? false
    if !isOwn { try makeWay(for: entry, in: &open) }
    try holdExcess(entry, of: id, in: &batch)
    noteLogged(entry, in: &open)
    if isOwn { open.besides?.insert(entry.header.span) }
  }

  /// Whoever pushed an entry that follows events which the log did not have may be asked why.
  private func noteWaiting(
    _ entries: ArraySlice<LogEntry>, of loaded: LoadedDocument, in batch: inout Batch
  ) throws {
    // The parts of a checkpoint come in no causal order.
    guard !isTakingCheckpoint, loaded.document.waitingUpdateCount > 0 else { return }
    let told = Set(batch.result.waiting + batch.result.held)
    for entry in entries where !told.contains(entry.cursor) {
      let span = entry.header.span
      if loaded.document.eventCount(of: span.replica) < span.seqs.upperBound {
        batch.result.waiting.append(entry.cursor)
      }
    }
  }

  /// An entry that cannot be merged, or not yet, still holds its ids: what is here under them goes on under others, since
  /// nobody could have it from the log.
  private func makeWay(for entry: LogEntry, in open: inout OpenDocument) throws {
    let span = entry.header.span
    try retire(span.replica)
    // What the log lacks is looked up anew after this, which costs as much as there is of it.
    if open.loaded.document.eventCount(of: span.replica) > span.seqs.lowerBound { open.forgetWhatLogLacks() }
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
    if isTakingCheckpoint { return try hold(part: entry, of: id, because: reason, in: &batch) }
    try noteEntry(entry, of: id, roomID: batch.roomID, (0, 0))
    try keepAside(
      entry.payload, as: entry.update == nil ? .noUpdate : .contradicts, at: Int64(bitPattern: entry.cursor),
      in: batch.roomID, because: reason)
    batch.result.held.append(entry.cursor)
  }

  /// Merges what waits no more for what was merged before; false if nothing does.
  func release(_ open: inout OpenDocument) throws -> Bool {
    let settled = try settleRefused(&open.loaded, reauthoring: true)
    open.patches += settled.patches
    open.held += settled.held
    let released = try releaseWaiting(into: &open.loaded)
    open.patches += released ?? []
    guard settled.hasChanged || released != nil else { return false }
    open.hasChanged = true
    open.forgetWhatLogLacks()
    return true
  }

  private func finish(_ open: inout OpenDocument, in batch: inout Batch) throws {
    _ = try release(&open)
    batch.result.held += open.held
    if open.hasChanged { try deleteTwins(in: &open) }
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

  /// Events that had waited for others, and are in the document now, may have come from this device: the log
  /// has them, or the outbox gets them.
  private func offerReleased(of loaded: LoadedDocument, since before: VersionVector) throws {
    for span in SpanSet(from: before, to: loaded.vector).spans {
      var missing = SpanSet()
      missing.insert(span)
      for known in try logSpans(of: loaded.id, overlapping: span) { missing.remove(known) }
      if missing.isEmpty { continue }
      for span in missing.subtracting(try outboxSpans(of: loaded.id)).spans {
        try addToOutbox(span, of: loaded.id)
      }
    }
  }

  func noteEntry(
    _ entry: LogEntry, of document: Int64, roomID: Int64, _ growth: (inserted: Int, deleted: Int)
  ) throws {
    if let cursor = checkpointBeingTaken { return try noteCheckpointPart(entry, at: cursor, of: document) }
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
