import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

/// An update that is fixed in the outbox, and is pushed as it is until the relay answers.
package struct OutboxCut: Sendable {
  /// The outbox row. A row whose events or bytes change gets another number.
  package let id: Int64
  /// What it carries.
  package let header: EntryHeader
  /// The update.
  package let payload: [UInt8]
}

/// What an outbox entry waits for: `outbox.state`.
enum OutboxState: Int64 {
  /// Its turn.
  case ready = 0
  /// The log, which has other events under this id, or the same ones cut otherwise.
  case untilLogIsRead = 1
  /// Nothing: what the log has instead could not be merged.
  case givenUp = 2
}

extension Transaction {
  /// Puts events into the outbox: into the last entry if that was not fixed yet and they continue it.
  func addToOutbox(_ span: EventSpan, of document: Int64) throws {
    outboxGrew = true
    try db.run(
      """
      UPDATE outbox SET "end" = ? WHERE document = ? AND replica = ? AND "end" = ? AND cut IS NULL
      """,
      [
        Int64(span.seqs.upperBound), document, span.replica.stored, Int64(span.seqs.lowerBound),
      ])
    if db.changesCount == 0 { try insertIntoOutbox(span, of: document) }
  }

  private func insertIntoOutbox(_ span: EventSpan, of document: Int64) throws {
    try db.run(
      #"INSERT INTO outbox (document, replica, first, "end") VALUES (?, ?, ?, ?)"#,
      [
        document, span.replica.stored, Int64(span.seqs.lowerBound), Int64(span.seqs.upperBound),
      ])
  }

  /// Takes events out of the outbox that are in the log; what an entry has besides is cut anew.
  func removeFromOutbox(_ span: EventSpan, of document: Int64) throws {
    let rows = try db.rows(
      """
      SELECT id, replica, first, "end", state FROM outbox
      WHERE document = ? AND replica = ? AND first < ? AND "end" > ?
      """,
      [
        document, span.replica.stored, Int64(span.seqs.upperBound), Int64(span.seqs.lowerBound),
      ])
    for row in rows {
      let entry = try row.span(1)
      try db.run("DELETE FROM outbox WHERE id = ?", [try row.integer(0)])
      // What is left, or waited for this, may go now.
      if try entry != span || row.integer(4) != OutboxState.ready.rawValue { outboxGrew = true }
      if entry.seqs.lowerBound < span.seqs.lowerBound {
        try insertIntoOutbox(
          EventSpan(replica: span.replica, seqs: entry.seqs.lowerBound..<span.seqs.lowerBound), of: document)
      }
      if entry.seqs.upperBound > span.seqs.upperBound {
        try insertIntoOutbox(
          EventSpan(replica: span.replica, seqs: span.seqs.upperBound..<entry.seqs.upperBound), of: document)
      }
    }
  }

  /// The events of a document that wait in the outbox.
  func outboxSpans(of document: Int64) throws -> SpanSet {
    var spans = SpanSet()
    let rows = try db.rows(#"SELECT replica, first, "end" FROM outbox WHERE document = ?"#, [document])
    for row in rows { spans.insert(try row.span(0)) }
    return spans
  }

  // MARK: Cutting

  /// The oldest outbox entries that may be pushed, fixed: their bytes do not change from now on.
  ///
  /// Entries that the relay has acknowledged are left out, and so is all of a replica's in a document in
  /// which one of its waits for the log.
  func cuts(in room: RoomName, maximumBytes: Int, limit: Int, excluding: Set<Int64>) throws -> [OutboxCut] {
    guard let roomID = try roomID(room) else { return [] }
    let rows = try db.rows(
      """
      SELECT o.id, o.document, o.replica, o.first, o."end", o.cut, d.name, d.lineage
      FROM outbox o JOIN documents d ON d.id = o.document
      WHERE d.room = ? AND o.acknowledged IS NULL AND NOT EXISTS
        (SELECT 1 FROM outbox c WHERE c.document = o.document AND c.replica = o.replica AND c.state > 0)
      ORDER BY o.id LIMIT ?
      """, [roomID, limit + excluding.count])
    var cuts: [OutboxCut] = []
    for row in rows {
      let id = try row.integer(0)
      if excluding.contains(id) { continue }
      if cuts.count == limit { break }
      guard let name = DocumentName(try row.string(6)) else { continue }
      let key = DocumentKey(name: name, lineage: Lineage(rawValue: try row.unsigned(7)))
      let span = try row.span(2)
      if let payload = try row.optionalBytes(5) {
        cuts.append(OutboxCut(id: id, header: EntryHeader(document: key, span: span), payload: payload))
        continue
      }
      let documentID = try row.integer(1)
      guard let update = try fix(id, span, of: documentID, maximumBytes: maximumBytes) else { continue }
      cuts.append(
        OutboxCut(
          id: id, header: EntryHeader(document: key, span: update.spans[0]), payload: update.bytes))
    }
    return cuts
  }

  /// Fixes an entry; what does not fit becomes another entry. Nil if the document cannot be read or lacks the
  /// events.
  private func fix(_ id: Int64, _ span: EventSpan, of documentID: Int64, maximumBytes: Int) throws -> Update?
  {
    let document: TextDocument
    do { document = try loaded(documentID).document } catch ReplicaError.damaged { return nil }
    guard let update = Self.cut(span, of: document, maximumBytes: maximumBytes) else { return nil }
    let end = update.spans[0].seqs.upperBound
    try db.run(
      #"UPDATE outbox SET "end" = ?, cut = ? WHERE id = ?"#, [Int64(end), Data(update.bytes), id])
    if end < span.seqs.upperBound {
      try insertIntoOutbox(
        EventSpan(replica: span.replica, seqs: end..<span.seqs.upperBound), of: documentID)
    }
    return update
  }

  /// How many outbox rows each room has that the log has not shown yet and that are not given up.
  func outboxCounts() throws -> [RoomName: Int] {
    let rows = try db.rows(
      """
      SELECT r.name, count(*) FROM outbox o JOIN documents d ON d.id = o.document JOIN rooms r ON r.id = d.room
      WHERE o.state < 2 GROUP BY r.id
      """)
    var counts: [RoomName: Int] = [:]
    for row in rows {
      if let room = RoomName(try row.string(0)) { counts[room] = Int(try row.integer(1)) }
    }
    return counts
  }

  /// Whether anything is there that the log has not shown yet, is not excluded and not given up.
  func hasUnsent(in room: RoomName, excluding: Set<Int64>) throws -> Bool {
    guard let roomID = try roomID(room) else { return false }
    let rows = try db.rows(
      """
      SELECT o.id FROM outbox o JOIN documents d ON d.id = o.document
      WHERE d.room = ? AND o.state < 2 ORDER BY o.id LIMIT ?
      """, [roomID, excluding.count + 1])
    return try rows.contains { !excluding.contains(try $0.integer(0)) }
  }

  /// The first events of a span, as many as about fill an update of a size. Nil if the document lacks them.
  private static func cut(_ span: EventSpan, of document: TextDocument, maximumBytes: Int) -> Update? {
    let first = span.seqs.lowerBound
    // An event that was typed takes about a byte; what takes less is found by doubling, what takes more by
    // its share.
    var count = min(UInt32(span.seqs.count), UInt32(clamping: max(1, maximumBytes)))
    var best: Update?
    while true {
      guard
        let update = document.update(of: EventSpan(replica: span.replica, seqs: first..<first + count)),
        update.spans.count == 1
      else { return best }
      if update.bytes.count > maximumBytes, count > 1 {
        if best != nil { return best }
        let fitting = Double(count) * Double(maximumBytes) / Double(update.bytes.count) * 0.95
        count = min(max(1, UInt32(fitting)), count - 1)
      } else {
        if count == span.seqs.count || update.bytes.count > maximumBytes / 2 { return update }
        best = update
        count = min(UInt32(span.seqs.count), count * 2)
      }
    }
  }

  // MARK: Answers

  /// The relay has this cut at `cursor`. The entry stays, lest a relay that is put back to before that cursor
  /// loses it unnoticed, until the log shows it.
  func acknowledge(_ header: EntryHeader, cursor: UInt64, in room: RoomName) throws {
    guard let document = try documentID(header.document, in: room) else { return }
    try db.run(
      """
      UPDATE outbox SET acknowledged = ?
      WHERE document = ? AND replica = ? AND first = ? AND "end" = ? AND cut IS NOT NULL
      """,
      [
        Int64(bitPattern: cursor), document, header.span.replica.stored,
        Int64(header.span.seqs.lowerBound), Int64(header.span.seqs.upperBound),
      ])
  }

  /// The log has some of this cut, or other events under its header: nothing of this replica in this document
  /// is pushed until the log has shown what it has. What it has is taken out of the outbox then, and the rest
  /// is cut anew.
  func holdBack(_ header: EntryHeader, in room: RoomName) throws {
    guard let document = try documentID(header.document, in: room) else { return }
    try db.run(
      #"UPDATE outbox SET state = 1 WHERE document = ? AND replica = ? AND first = ? AND "end" = ?"#,
      [
        document, header.span.replica.stored, Int64(header.span.seqs.lowerBound),
        Int64(header.span.seqs.upperBound),
      ])
  }

  /// What the log has instead of these events could not be merged: they are not pushed any more.
  func giveUp(_ span: EventSpan, of document: Int64) throws {
    try db.run(
      """
      UPDATE outbox SET state = 2 WHERE document = ? AND replica = ? AND first < ? AND "end" > ?
      """,
      [
        document, span.replica.stored, Int64(span.seqs.upperBound), Int64(span.seqs.lowerBound),
      ])
  }
}
