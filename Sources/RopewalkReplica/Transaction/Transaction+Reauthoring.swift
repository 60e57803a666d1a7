import GRDB
import RopewalkCore
import RopewalkSync

extension Transaction {
  /// The way out of an id clash: the events from `event` on that are known here, and that the room's log
  /// has not got, go on under another id, which is the same for everybody who has them.
  ///
  /// Throws `idClash`, and changes nothing, if others may know the event from the room's log. Returns what
  /// changes in the text: events at one place are ordered by id.
  ///
  /// - Parameter isLogs: whether what contradicts them is in the log, which counts for everybody. Else they
  /// must not have
  ///   left this device.
  func reauthor(_ loaded: inout LoadedDocument, from event: EventID, isLogs: Bool) throws -> [TextPatch] {
    let count = loaded.document.versionVector[event.replica]
    guard event.seq < count, try mayMakeWay(event, in: loaded.id, isLogs: isLogs) else {
      throw ReplicaError.idClash(event)
    }
    let fresh = try anotherID(for: event, in: loaded.document)
    let old = loaded.document.utf8
    loaded.document = loaded.document.reauthoring(event.replica, from: event.seq, as: fresh)
    try retire(event.replica)
    try moveOutbox(from: event, to: fresh, count: count - event.seq, of: loaded.id)
    try moveHistory(from: event, to: fresh, of: loaded.id)
    try saveAnew(&loaded)
    return TextPatch.difference(from: old, to: loaded.document.utf8).map { [$0] } ?? []
  }

  /// An id that follows from the first event under the old one: whoever else has that event, of another
  /// file or from a log that is gone, arrives at the same, so that what both have is not there twice.
  private func anotherID(for event: EventID, in document: TextDocument) throws -> ReplicaID {
    let isOwn = try db.row("SELECT 1 FROM authors WHERE replica = ?", [event.replica.stored]) != nil
    let first = EventSpan(replica: event.replica, seqs: event.seq..<event.seq + 1)
    guard let update = document.update(of: first) else { throw ReplicaError.idClash(event) }
    let number = PayloadHash(of: update.bytes).bytes.prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    let derived = ReplicaID(rawValue: number)
    let isUsed = try db.row("SELECT 1 FROM authors WHERE replica = ?", [derived.stored]) != nil
    guard !isUsed, document.versionVector[derived] == 0 else { return try drawAuthor() }
    if isOwn { try recordForeignAuthor(derived) }
    return derived
  }

  private func mayMakeWay(_ event: EventID, in document: Int64, isLogs: Bool) throws -> Bool {
    if try isUnsent(event, in: document) { return true }
    guard isLogs else { return false }
    return try db.row(
      #"SELECT 1 FROM entries WHERE document = ? AND replica = ? AND first <= ? AND "end" > ?"#,
      [document, event.replica.stored, Int64(event.seq), Int64(event.seq)]) == nil
  }

  /// Whether an event is in the outbox, and the relay has not acknowledged it.
  func isUnsent(_ event: EventID, in document: Int64) throws -> Bool {
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
