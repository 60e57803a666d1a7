import GRDB
import RopewalkCore
import RopewalkSync

extension Transaction {
  /// The way out of an id clash: own events from `event` on, which nobody else has, go on under a fresh id.
  ///
  /// Throws `idClash` if the log has acknowledged the event, so that others may have it. Returns what changes
  /// in the text: events at one place are ordered by id.
  func reauthor(_ loaded: inout LoadedDocument, from event: EventID) throws -> [TextPatch] {
    let count = loaded.document.versionVector[event.replica]
    guard event.seq < count, try isUnsent(event, in: loaded.id) else { throw ReplicaError.idClash(event) }
    let fresh = try drawAuthor()
    let old = loaded.document.utf8
    loaded.document = loaded.document.reauthoring(event.replica, from: event.seq, as: fresh)
    loaded.generation += 1
    try retire(event.replica)
    try moveOutbox(from: event, to: fresh, count: count - event.seq, of: loaded.id)
    try moveHistory(from: event, to: fresh, of: loaded.id)
    try saveSnapshot(&loaded)
    return TextPatch.difference(from: old, to: loaded.document.utf8).map { [$0] } ?? []
  }

  private func isUnsent(_ event: EventID, in document: Int64) throws -> Bool {
    try db.row(
      """
      SELECT 1 FROM outbox
      WHERE document = ? AND replica = ? AND first <= ? AND "end" > ? AND acknowledged IS NULL
      """,
      [document, event.replica.stored, Int64(event.seq), Int64(event.seq)]) != nil
  }

  private func moveOutbox(from event: EventID, to fresh: ReplicaID, count: UInt32, of document: Int64) throws
  {
    try removeFromOutbox(EventSpan(replica: event.replica, seqs: event.seq..<event.seq + count), of: document)
    try db.run(
      "UPDATE outbox SET state = 0 WHERE document = ? AND replica = ?", [document, event.replica.stored])
    try addToOutbox(EventSpan(replica: fresh, seqs: 0..<count), of: document)
  }

  private func moveHistory(from event: EventID, to fresh: ReplicaID, of document: Int64) throws {
    let (replica, seq) = (event.replica.stored, Int64(event.seq))
    // A stretch that begins before the event is split; the figures stay with its first part.
    try db.run(
      """
      INSERT INTO history (document, replica, first, "end", origin, began, ended, inserted, deleted)
      SELECT document, ?, 0, "end" - ?, origin, ended, ended, 0, 0 FROM history
      WHERE document = ? AND replica = ? AND first < ? AND "end" > ?
      """, [fresh.stored, seq, document, replica, seq, seq])
    try db.run(
      #"UPDATE history SET "end" = ? WHERE document = ? AND replica = ? AND first < ? AND "end" > ?"#,
      [seq, document, replica, seq, seq])
    try db.run(
      """
      UPDATE history SET replica = ?, first = first - ?, "end" = "end" - ?
      WHERE document = ? AND replica = ? AND first >= ?
      """, [fresh.stored, seq, seq, document, replica, seq])
  }
}
