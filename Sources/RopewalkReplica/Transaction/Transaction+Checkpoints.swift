import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

extension Transaction {
  /// Takes in parts of a checkpoint, which stands in for the room's log up to its cursor. With the last of
  /// them the room is read up to there. Entries that it carries as they are become entries.
  func receive(_ checkpoint: CheckpointBatch, in room: RoomName) throws -> ReceivedEntries {
    let status = try roomStatus(room)
    // Another process may have read further meanwhile.
    guard status.cursor == 0 else { throw ReplicaError.outOfStep(cursor: status.cursor) }
    let roomID = try roomIDMakingIt(room)
    var batch = Batch(room: room, roomID: roomID)
    if checkpoint.first == 0 { try forgetParts(of: roomID) }
    var rest = checkpoint.parts[...]
    while let first = rest.first {
      let alike = rest.prefix { $0.part.isCarried == first.part.isCarried }
      checkpointBeingTaken = first.part.isCarried ? nil : checkpoint.head.cursor
      defer { checkpointBeingTaken = nil }
      batch.entries = [:]
      for part in alike { try place(part.entry, in: &batch) }
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

  /// What an earlier attempt has noted is of another checkpoint, or comes again.
  private func forgetParts(of room: Int64) throws {
    try db.run(
      "DELETE FROM checkpoint_spans WHERE document IN (SELECT id FROM documents WHERE room = ?)", [room])
    try db.run("DELETE FROM entries WHERE room = ?", [room])
    try db.run("DELETE FROM held WHERE room = ? AND cursor > 0", [room])
    state.waiting = [:]
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
    let least = try db.row(
      "SELECT min(0, coalesce(min(cursor), 0)) FROM held WHERE room = ?", [batch.roomID])
    try db.run(
      "INSERT INTO held (room, cursor, reason, payload) VALUES (?, ?, ?, ?)",
      [batch.roomID, (try least?.integer(0) ?? 0) &- 1, reason, Data(part.payload)])
    batch.result.held.append(part.cursor)
  }
}
