import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

extension Transaction {
  /// Takes in parts of a checkpoint, which stands in for the room's log up to its cursor. With the last of
  /// them the room is read up to there.
  func receive(_ checkpoint: CheckpointBatch, in room: RoomName) throws -> ReceivedEntries {
    let status = try roomStatus(room)
    // Another process may have read further meanwhile.
    guard status.cursor == 0 else { throw ReplicaError.outOfStep(cursor: status.cursor) }
    isTakingCheckpoint = true
    defer { isTakingCheckpoint = false }
    let roomID = try roomIDMakingIt(room)
    var batch = Batch(room: room, roomID: roomID)
    if checkpoint.first == 0 {
      // What an earlier attempt has noted is of another checkpoint, or comes again.
      try db.run(
        "DELETE FROM checkpoint_spans WHERE document IN (SELECT id FROM documents WHERE room = ?)", [roomID])
    }
    for part in checkpoint.parts { try place(part, in: &batch) }
    for id in batch.entries.keys.sorted() {
      guard let parts = batch.entries[id] else { continue }
      do { try receive(parts[...], of: id, in: &batch) } catch let error as ReplicaError {
        // The document itself cannot be read.
        for part in parts { try hold(part, of: id, because: error, in: &batch) }
      }
    }
    if checkpoint.isLast {
      try db.run(
        "UPDATE rooms SET cursor = ?, digest = ? WHERE id = ?",
        [Int64(bitPattern: checkpoint.head.cursor), Data(checkpoint.head.digest.bytes), roomID])
    }
    batch.result.held.sort()
    return batch.result
  }

  func noteCheckpointPart(_ part: LogEntry, of document: Int64) throws {
    try db.run(
      """
      INSERT OR REPLACE INTO checkpoint_spans (document, replica, first, "end", cursor, subject, time)
      VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), ?)
      """,
      [
        document, part.header.span.replica.stored, Int64(part.header.span.seqs.lowerBound),
        Int64(part.header.span.seqs.upperBound), Int64(bitPattern: part.cursor), Data(part.subject),
        Int64(bitPattern: part.time),
      ])
  }

  /// A checkpoint's documents come in the order of their first entries, and keep it: cursors that are
  /// smaller than those of all documents that follow the checkpoint.
  func placeInCheckpoint(of document: Int64) throws -> UInt64 {
    let row = try db.row(
      """
      SELECT count(*) FROM documents
      WHERE first_cursor > 0 AND id <> ? AND room = (SELECT room FROM documents WHERE id = ?)
      """, [document, document])
    return UInt64(clamping: try row?.integer(0) ?? 0) + 1
  }

  /// The checkpoint of a room at a cursor that was read, as every replica makes it. Nil if this one cannot,
  /// since it lacks some of it: an entry could not be merged, or waits for others.
  func checkpointParts(of room: RoomName, at cursor: UInt64) throws -> [CheckpointPart]? {
    guard let roomID = try roomID(room), try roomStatus(room).cursor >= cursor else { return nil }
    let through = Int64(bitPattern: cursor)
    let held = try db.row("SELECT count(*) FROM held WHERE room = ? AND cursor <= ?", [roomID, through])
    guard try held?.integer(0) == 0 else { return nil }
    var parts: [CheckpointPart] = []
    let documents = try db.rows(
      """
      SELECT id, name, lineage FROM documents WHERE room = ? AND first_cursor BETWEEN 1 AND ?
      ORDER BY first_cursor, id
      """, [roomID, through])
    for row in documents {
      let id = try row.integer(0)
      guard let name = DocumentName(try row.string(1)) else { return nil }
      let key = DocumentKey(name: name, lineage: Lineage(rawValue: try row.unsigned(2)))
      var spans = SpanSet()
      let rows = try db.rows(
        """
        SELECT replica, first, "end" FROM entries WHERE document = ? AND cursor <= ?
        UNION ALL SELECT replica, first, "end" FROM checkpoint_spans WHERE document = ? AND cursor <= ?
        """, [id, through, id, through])
      for row in rows { spans.insert(try row.span(0)) }
      let document = try loaded(id).document
      let ordered = spans.spans.sorted { a, b in
        (a.replica.rawValue, a.seqs.lowerBound) < (b.replica.rawValue, b.seqs.lowerBound)
      }
      for span in ordered {
        for seqs in Checkpoint.cuts(of: span.seqs) {
          let part = EventSpan(replica: span.replica, seqs: seqs)
          guard let update = document.update(of: part), update.spans == [part] else { return nil }
          parts.append(
            CheckpointPart(header: EntryHeader(document: key, span: part), payload: update.bytes))
        }
      }
    }
    return parts
  }
}
