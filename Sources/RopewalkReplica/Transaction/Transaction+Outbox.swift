import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

/// What an outbox entry waits for: `outbox.state`.
enum OutboxState: Int64 {
  /// Its turn.
  case ready = 0
  /// The log, which has other events under this id, or the same ones cut otherwise.
  case untilLogIsRead = 1
  /// The right to edit in the room.
  case forbidden = 2
  /// A relay that takes larger updates.
  case tooLarge = 3
  /// A document that can be read: this one is damaged.
  case unreadable = 4
}

extension Transaction {
  /// Puts events into the outbox: into the last entry if that was neither fixed nor refused yet and they
  /// continue it.
  func addToOutbox(_ span: EventSpan, of document: Int64) throws {
    outboxGrew = true
    try db.run(
      """
      UPDATE outbox SET "end" = ?
      WHERE document = ? AND replica = ? AND "end" = ? AND cut IS NULL AND state = 0
      """,
      [
        Int64(span.seqs.upperBound), document, span.replica.stored, Int64(span.seqs.lowerBound),
      ])
    if db.changesCount == 0 { try insertIntoOutbox(span, of: document) }
  }

  func insertIntoOutbox(_ span: EventSpan, of document: Int64) throws {
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
    if !rows.isEmpty { state.waiting[document]?.free(span) }
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

  // MARK: Answers

  /// The relay has this cut at `cursor`. The entry stays, lest a relay that is put back to before that cursor
  /// loses it unnoticed, until the log shows it.
  func acknowledge(_ header: EntryHeader, cursor: UInt64, in room: RoomName) throws {
    guard let document = try documentID(header.document, in: room) else { return }
    try db.run(
      """
      UPDATE outbox SET acknowledged = ?, state = CASE WHEN state > 1 THEN 0 ELSE state END
      WHERE document = ? AND replica = ? AND first = ? AND "end" = ? AND cut IS NOT NULL
      """,
      [
        Int64(bitPattern: cursor), document, header.span.replica.stored,
        Int64(header.span.seqs.lowerBound), Int64(header.span.seqs.upperBound),
      ])
  }

  /// The log has some of this cut, or other events under its header, up to `cursor`: nothing of this replica in
  /// this document is pushed until the log has shown what it has. What it has is taken out of the outbox then,
  /// and the rest is cut anew.
  func holdBack(_ header: EntryHeader, through cursor: UInt64, in room: RoomName) throws {
    guard let document = try documentID(header.document, in: room) else { return }
    let span = header.span
    try db.run(
      #"UPDATE outbox SET state = 1 WHERE document = ? AND replica = ? AND first = ? AND "end" = ?"#,
      [document, span.replica.stored, Int64(span.seqs.lowerBound), Int64(span.seqs.upperBound)])
    guard db.changesCount > 0, try roomStatus(room).cursor >= cursor else { return }
    // It was shown before: what the log has under these ids waits here, or is kept aside.
    try makeWay(for: span, of: document)
  }
}
