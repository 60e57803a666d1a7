import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

extension Transaction {
  /// What is known of a room's log; of an unknown room, nothing.
  func roomStatus(_ room: RoomName) throws -> RoomStatus {
    guard let id = try roomID(room),
      let row = try db.row("SELECT cursor, digest, needs_offer, role FROM rooms WHERE id = ?", [id])
    else {
      return RoomStatus(
        room: room, cursor: 0, digest: .zero, needsOffer: false, unsentEventCount: 0, role: nil)
    }
    guard let digest = LogDigest(bytes: try row.bytes(1)) else {
      throw ReplicaError.damaged(.init(place: "rooms", row: id, problem: "the digest is not 16 bytes long"))
    }
    let unsent = try db.row(
      """
      SELECT coalesce(sum(o."end" - o.first), 0) FROM outbox o JOIN documents d ON d.id = o.document
      WHERE d.room = ? AND o.acknowledged IS NULL AND NOT (d.is_current = 0 AND \(Self.isHeldBack))
      """, [id])
    return RoomStatus(
      room: room, cursor: try row.unsigned(0), digest: digest, needsOffer: try row.flag(2),
      unsentEventCount: Int(try unsent?.integer(0) ?? 0),
      role: try row.optionalInteger(3).flatMap { Role(rawValue: UInt8(clamping: $0)) })
  }

  /// The relay gave this role in a room; nil for none.
  func note(_ role: Role?, in room: RoomName) throws {
    let id = try roomIDMakingIt(room)
    try db.run("UPDATE rooms SET role = ? WHERE id = ?", [role.map { Int64($0.rawValue) }, id])
  }

  func rooms() throws -> [RoomName] {
    try db.rows("SELECT name FROM rooms ORDER BY name").compactMap { RoomName(try $0.string(0)) }
  }

  /// The room's log is another one than was known: it is read from its beginning, and then what it lacks is
  /// offered.
  func restart(_ room: RoomName) throws {
    let id = try roomIDMakingIt(room)
    try db.run(
      "UPDATE rooms SET cursor = 0, digest = ?, needs_offer = 1, checkpoint = 0 WHERE id = ?",
      [Data(LogDigest.zero.bytes), id])
    // Who wrote what, by the word of the log that is gone, stays known.
    try db.run(
      """
      INSERT INTO history (document, replica, first, "end", origin, began, ended, inserted, deleted)
      SELECT e.document, e.replica, e.first, e."end", 1, e.time, e.time, e.inserted, e.deleted FROM entries e
      WHERE e.room = ? AND e.time IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM history h WHERE h.document = e.document AND h.replica = e.replica
          AND h.first < e."end" AND h."end" > e.first)
      """, [id])
    try db.run(
      """
      INSERT INTO history (document, replica, first, "end", origin, began, ended, inserted, deleted)
      SELECT e.document, e.replica, e.first, e."end", 1, e.time, e.time, 0, 0 FROM checkpoint_spans e
      JOIN documents d ON d.id = e.document
      WHERE d.room = ? AND e.time IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM history h WHERE h.document = e.document AND h.replica = e.replica
          AND h.first < e."end" AND h."end" > e.first)
      """, [id])
    try db.run(
      "DELETE FROM checkpoint_spans WHERE document IN (SELECT id FROM documents WHERE room = ?)", [id])
    try db.run("DELETE FROM entries WHERE room = ?", [id])
    try db.run("DELETE FROM held WHERE room = ?", [id])
    state.waiting = [:]
    try forgetTips(in: id)
    try db.run(
      """
      UPDATE outbox SET acknowledged = NULL, state = CASE WHEN state > 1 THEN state ELSE 0 END
      WHERE document IN (SELECT id FROM documents WHERE room = ?)
      """, [id])
    try db.run("UPDATE documents SET first_cursor = -abs(first_cursor) WHERE room = ?", [id])
  }

  /// The log was read up to `cursor`, which is its end: entries of the outbox that the relay has
  /// acknowledged, or that waited for the log, and that it did not show, are pushed again. After a restart,
  /// all that it lacks goes into the outbox.
  ///
  /// Does nothing if another process has changed the place meanwhile. Returns the names that mean another
  /// document here than in the room.
  func settle(_ room: RoomName, at cursor: UInt64) throws -> [DocumentName] {
    let status = try roomStatus(room)
    guard let id = try roomID(room) else { return [] }
    let clashes = try lineageClashes(in: id)
    guard status.cursor == cursor else { return clashes }
    try db.run(
      """
      UPDATE outbox SET acknowledged = NULL, state = 0
      WHERE document IN (SELECT id FROM documents WHERE room = ?)
        AND (acknowledged IS NOT NULL OR state = 1)
      """, [id])
    guard status.needsOffer else { return clashes }
    for row in try db.rows("SELECT id FROM documents WHERE room = ?", [id]) {
      let document = try row.integer(0)
      do { try offerWhatLogLacks(of: document) } catch ReplicaError.damaged { continue }
    }
    try db.run("UPDATE rooms SET needs_offer = 0 WHERE id = ?", [id])
    return clashes
  }

  /// The events of one document that are neither in the log nor in the outbox go into the outbox.
  func offerWhatLogLacks(of document: Int64) throws {
    let known = SpanSet(try loaded(document).vector)
    let missing = known.subtracting(try logSpans(of: document)).subtracting(try outboxSpans(of: document))
    for span in missing.spans { try addToOutbox(span, of: document) }
  }

  /// The events of a document that the room's log holds, as far as it was read.
  func logSpans(of document: Int64) throws -> SpanSet {
    var spans = SpanSet()
    let rows = try db.rows(#"SELECT replica, first, "end" FROM entries WHERE document = ?"#, [document])
    for row in rows { spans.insert(try row.span(0)) }
    let held = try db.rows(
      #"SELECT replica, first, "end" FROM checkpoint_spans WHERE document = ?"#, [document])
    for row in held { spans.insert(try row.span(0)) }
    return spans
  }

  /// The room's lineage of a name is that of the name's first entry.
  func noteFirstCursor(_ cursor: UInt64, of document: Int64) throws {
    try db.run(
      """
      UPDATE documents SET first_cursor = ?1
      WHERE id = ?2 AND (first_cursor IS NULL OR first_cursor <= 0 OR first_cursor > ?1)
      """,
      [Int64(bitPattern: cursor), document])
  }
}
