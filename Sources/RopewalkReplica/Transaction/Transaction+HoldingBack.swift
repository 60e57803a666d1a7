import GRDB
import RopewalkCore
import RopewalkSync

// What the relay did not take, and what must wait for it.
extension Transaction {
  // MARK: Marking

  /// The relay did not take an entry.
  func refuse(_ header: EntryHeader, _ state: OutboxState, in room: RoomName) throws {
    guard let document = try documentID(header.document, in: room) else { return }
    try db.run(
      """
      UPDATE outbox SET state = ?
      WHERE document = ? AND replica = ? AND first = ? AND "end" = ? AND acknowledged IS NULL AND state = 0
      """,
      [
        state.rawValue, document, header.span.replica.stored, Int64(header.span.seqs.lowerBound),
        Int64(header.span.seqs.upperBound),
      ])
  }

  /// Nothing may be pushed to the room. Returns what was not marked so before.
  func forbid(_ room: RoomName) throws -> [RefusedEvents] {
    guard let roomID = try roomID(room) else { return [] }
    let rows = try db.rows(
      """
      SELECT o.id, o.document, o.replica, o.first, o."end", d.name, d.lineage
      FROM outbox o JOIN documents d ON d.id = o.document
      WHERE d.room = ? AND o.acknowledged IS NULL AND o.state = 0 AND NOT \(Self.isHeldBack) ORDER BY o.id
      """, [roomID])
    var refused: [RefusedEvents] = []
    for row in rows {
      let (id, document, span) = (try row.integer(0), try row.integer(1), try row.span(2))
      guard let name = DocumentName(try row.string(5)) else { continue }
      let key = DocumentKey(name: name, lineage: Lineage(rawValue: try row.unsigned(6)))
      refused.append(RefusedEvents(room: room, key: key, span: span, reason: .forbidden))
      if try !joinForbidden(id, span, of: document) {
        try db.run("UPDATE outbox SET state = ? WHERE id = ?", [OutboxState.forbidden.rawValue, id])
      }
    }
    return refused
  }

  /// Adds an entry that was not fixed yet to the one before it, lest every keystroke that is refused stays an
  /// entry of its own.
  private func joinForbidden(_ id: Int64, _ span: EventSpan, of document: Int64) throws -> Bool {
    guard try db.row("SELECT 1 FROM outbox WHERE id = ? AND cut IS NULL", [id]) != nil else { return false }
    try db.run(
      """
      UPDATE outbox SET "end" = ?
      WHERE document = ? AND replica = ? AND "end" = ? AND cut IS NULL AND acknowledged IS NULL AND state = ?
      """,
      [
        Int64(span.seqs.upperBound), document, span.replica.stored, Int64(span.seqs.lowerBound),
        OutboxState.forbidden.rawValue,
      ])
    guard db.changesCount > 0 else { return false }
    try db.run("DELETE FROM outbox WHERE id = ?", [id])
    return true
  }

  /// A relay may take now what was refused: it has given the right to edit, or is another one.
  func retryRefused(in room: RoomName) throws {
    guard let roomID = try roomID(room) else { return }
    try db.run(
      """
      UPDATE outbox SET state = 0
      WHERE state <> 0 AND state > ? AND document IN (SELECT id FROM documents WHERE room = ?)
      """, [OutboxState.untilLogIsRead.rawValue, roomID])
  }

  // MARK: Reports

  /// What each room's outbox holds.
  func outboxStandings() throws -> [RoomName: OutboxStanding] {
    let rows = try db.rows(
      """
      SELECT r.name, coalesce(sum(o.state < 2 AND NOT \(Self.isHeldBack)), 0),
        coalesce(sum(o.state > 1 OR \(Self.isHeldBack)), 0)
      FROM outbox o JOIN documents d ON d.id = o.document JOIN rooms r ON r.id = d.room GROUP BY r.id
      """)
    var standings: [RoomName: OutboxStanding] = [:]
    for row in rows {
      guard let room = RoomName(try row.string(0)) else { continue }
      var standing = OutboxStanding(waiting: Int(try row.integer(1)))
      if try row.integer(2) > 0 {
        standing.refused = try refusedRows(in: room)
        standing.waiting -= standing.refused.filter { $0.reason == .followsRefused }.count
      }
      standings[room] = standing
    }
    return standings
  }

  /// What is not sent, by room and document, in the order of the outbox; stretches that follow each other are
  /// one.
  func refusedEvents(in room: RoomName?) throws -> [RefusedEvents] {
    var result: [RefusedEvents] = []
    for events in try refusedRows(in: room) {
      if let last = result.last, last.room == events.room, last.key == events.key,
        last.reason == events.reason, last.span.replica == events.span.replica,
        last.span.seqs.upperBound == events.span.seqs.lowerBound
      {
        let seqs = last.span.seqs.lowerBound..<events.span.seqs.upperBound
        result[result.count - 1].span = EventSpan(replica: events.span.replica, seqs: seqs)
      } else {
        result.append(events)
      }
    }
    return result
  }

  /// An element for each outbox row that is not sent.
  private func refusedRows(in room: RoomName?) throws -> [RefusedEvents] {
    let documents = try db.rows(
      """
      SELECT DISTINCT o.document, r.name, d.name, d.lineage
      FROM outbox o JOIN documents d ON d.id = o.document JOIN rooms r ON r.id = d.room
      WHERE (o.state > 1 OR \(Self.isHeldBack)) AND (?1 IS NULL OR r.name = ?1)
      ORDER BY r.name, d.name, d.lineage
      """, [room?.text])
    return try documents.flatMap { row in
      guard let room = RoomName(try row.string(1)), let name = DocumentName(try row.string(2)) else {
        throw ReplicaError.damaged(.init(place: "documents", problem: "a name breaks the rule"))
      }
      let key = DocumentKey(name: name, lineage: Lineage(rawValue: try row.unsigned(3)))
      return try refusedSpans(of: try row.integer(0)).map {
        RefusedEvents(room: room, key: key, span: $0.span, reason: $0.reason)
      }
    }
  }

  /// What is not sent of a document, an element for each outbox row.
  func refusedSpans(of document: Int64) throws -> [(span: EventSpan, reason: RefusedEvents.Reason)] {
    if let isCurrent = try heldBack(document) {
      // What was not adopted stays on the device, as somebody has decided.
      return isCurrent ? try outboxSpans(of: document).spans.map { ($0, .anotherLineage) } : []
    }
    let rows = try db.rows(
      """
      SELECT replica, first, "end", state FROM outbox WHERE document = ? AND acknowledged IS NULL ORDER BY id
      """, [document])
    let reasons = try rows.map { row in
      // A number that does not exist is damage.
      RefusedEvents.Reason(OutboxState(rawValue: try row.integer(3)) ?? .unreadable)
    }
    let spans = try rows.map { try $0.span(0) }
    let refused = zip(spans, reasons).filter { $1 != nil }.map { $0.0 }
    if refused.isEmpty { return [] }
    var sent: VersionVector?
    do { sent = try loaded(document).document.versionVector(without: refused) } catch ReplicaError.damaged {}
    return zip(spans, reasons).compactMap { span, reason in
      if let reason { return (span, reason) }
      return sent?[span.replica] ?? 0 < span.seqs.upperBound ? (span, .followsRefused) : nil
    }
  }
}
