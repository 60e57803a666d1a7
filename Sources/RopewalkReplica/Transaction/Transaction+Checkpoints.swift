import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

extension Transaction {
  /// Takes in the first of some parts of a checkpoint, which stands in for the room's log up to its cursor: as many as one
  /// transaction may take. With the last of all parts the room is read up to there. Entries that it carries as they are
  /// become entries. Parts that were taken in before, over this connection or another, change nothing.
  func receive(_ parts: inout CheckpointSlices, in room: RoomName) throws -> ReceivedEntries {
    let status = try roomStatus(room)
    // Another process may have read further meanwhile.
    guard status.cursor == 0 else { throw ReplicaError.outOfStep(cursor: status.cursor) }
    let roomID = try roomIDMakingIt(room)
    let checkpoint = try parts.next { try weight(of: $0, in: room) }
    var batch = Batch(room: room, roomID: roomID)
    if checkpoint.first == 0 {
      try forgetParts(of: roomID, unlessAt: checkpoint.head.cursor)
    } else if try hasParts(of: roomID, unlessAt: checkpoint.head.cursor) {
      throw ReplicaError.outOfStep(cursor: 0)
    }
    var rest = checkpoint.parts[...]
    while let first = rest.first {
      let alike = rest.prefix { $0.part.kind == first.part.kind }
      checkpointBeingTaken = first.part.isCarried ? nil : checkpoint.head.cursor
      batch.kind = first.part.kind
      defer { checkpointBeingTaken = nil }
      batch.entries = [:]
      for part in alike {
        try place(part.entry, in: &batch)
        if let id = batch.ids[part.part.header.document] { try noteTip(part, of: id) }
      }
      for id in batch.entries.keys.sorted() {
        guard let entries = batch.entries[id] else { continue }
        do { try receive(entries[...], of: id, in: &batch) } catch let error as ReplicaError {
          // The document itself cannot be read.
          for entry in entries { try hold(entry, of: id, because: error, in: &batch) }
        }
      }
      rest = rest.dropFirst(alike.count)
    }
    if checkpoint.isLast {
      let count = checkpoint.first + UInt64(checkpoint.parts.count)
      if try noteCount(of: roomID) > count {
        // An earlier attempt has left parts that this checkpoint does not have, though it ends at the same cursor.
        try forgetParts(of: roomID, unlessAt: nil)
        batch.result.mustBeginAnew = true
        return batch.result
      }
      let cursor = Int64(bitPattern: checkpoint.head.cursor)
      try db.run(
        "UPDATE rooms SET cursor = ?1, digest = ?2, checkpoint = ?1 WHERE id = ?3",
        [cursor, Data(checkpoint.head.digest.bytes), roomID])
    }
    batch.result.held.sort()
    batch.result.waiting.sort()
    batch.result.reauthored = reauthored
    return batch.result
  }

  /// Forgets what an attempt to read a checkpoint has noted that was not finished, unless that was the checkpoint at a
  /// cursor. What it has taken out of the outbox may be lacking in the log that is read now: it is offered then.
  func forgetParts(of room: Int64, unlessAt cursor: UInt64?) throws {
    guard try hasParts(of: room, unlessAt: cursor) else { return }
    try db.run(
      "DELETE FROM checkpoint_spans WHERE document IN (SELECT id FROM documents WHERE room = ?)", [room])
    try db.run("DELETE FROM entries WHERE room = ?", [room])
    try db.run("DELETE FROM held WHERE room = ?", [room])
    state.waiting = [:]
    try forgetTips(in: room)
    try db.run("UPDATE documents SET first_cursor = -abs(first_cursor) WHERE room = ?", [room])
    try db.run("UPDATE rooms SET needs_offer = 1 WHERE id = ?", [room])
  }

  /// Whether anything was noted of a room that is read to no cursor yet, but of the checkpoint at a cursor. What is
  /// noted is always of one.
  private func hasParts(of room: Int64, unlessAt cursor: UInt64?) throws -> Bool {
    let row = try db.row(
      """
      SELECT s.cursor FROM checkpoint_spans s JOIN documents d ON d.id = s.document WHERE d.room = ? LIMIT 1
      """, [room])
    if let noted = try row?.unsigned(0) { return noted != cursor }
    return try db.row("SELECT 1 FROM entries WHERE room = ? LIMIT 1", [room]) != nil
  }

  /// How many parts were noted.
  private func noteCount(of room: Int64) throws -> UInt64 {
    let row = try db.row(
      """
      SELECT (SELECT count(*) FROM entries WHERE room = ?1)
        + (SELECT count(*) FROM checkpoint_spans s JOIN documents d ON d.id = s.document WHERE d.room = ?1)
      """, [room])
    return UInt64(clamping: try row?.integer(0) ?? 0)
  }

  func noteCheckpointPart(_ part: LogEntry, at cursor: UInt64, of document: Int64) throws {
    try db.run(
      """
      INSERT OR REPLACE INTO checkpoint_spans (document, replica, first, "end", cursor, subject, time)
      VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), ?)
      """,
      [
        document, part.header.span.replica.stored, Int64(part.header.span.seqs.lowerBound),
        Int64(part.header.span.seqs.upperBound), Int64(bitPattern: cursor), Data(part.subject),
        Int64(bitPattern: part.time),
      ])
  }

  /// Keeps a part aside that cannot be merged, though a checkpoint holds only what can: it is not what the log held, or
  /// this file knows others' events under the same ids. It has no place in the log.
  func hold(part: LogEntry, of id: Int64, because reason: String, in batch: inout Batch) throws {
    try noteEntry(part, of: id, roomID: batch.roomID, (0, 0))
    batch.result.held.append(part.cursor)
    let (cursor, isKept) = try placeAside(part.payload, in: batch.roomID)
    if isKept { return }
    try keepAside(
      part.payload, as: part.update == nil ? .noUpdate : .contradicts, at: cursor, in: batch.roomID,
      because: reason)
  }
}
