import GRDB
import RopewalkCore
import RopewalkSync

// Which text a presence value belongs to.
extension Transaction {
  /// What is in a room's documents here, for others: how far its log is, and what is on its way there. What the
  /// relay does not take, or may be written anew, is left out: others would wait for it in vain.
  func presenceBasis(of room: RoomName, mostEvents: Int) throws -> PresenceBasis {
    var basis = PresenceBasis(cursor: try roomStatus(room).cursor)
    guard let roomID = try roomID(room) else { return basis }
    let acknowledged = try db.row(
      """
      SELECT max(o.acknowledged) FROM outbox o JOIN documents d ON d.id = o.document WHERE d.room = ?
      """, [roomID])
    basis.cursor = max(
      basis.cursor, UInt64(bitPattern: try acknowledged?.optionalInteger(0) ?? 0))
    let rows = try db.rows(
      """
      SELECT d.name, d.lineage, o.replica, max(o."end") FROM outbox o JOIN documents d ON d.id = o.document
      WHERE d.room = ?1 AND o.acknowledged IS NULL AND NOT EXISTS (
        SELECT 1 FROM outbox p WHERE p.document = o.document AND p.replica = o.replica AND p.state <> 0)
      GROUP BY o.document, o.replica LIMIT ?2
      """, [roomID, mostEvents + 1])
    let refused = try refusedEvents(in: room)
    for row in rows {
      guard let name = DocumentName(try row.string(0)) else { continue }
      let key = DocumentKey(name: name, lineage: Lineage(rawValue: try row.unsigned(1)))
      let (replica, end) = (ReplicaID(rawValue: try row.unsigned(2)), try row.integer(3))
      guard !refused.contains(where: { $0.key == key && $0.span.replica == replica }) else { continue }
      if try !isOwned(replica, in: key, of: room) { basis.isPremature = true }
      basis.events.append(
        PresenceEnvelope.Events(document: key, replica: replica, count: UInt32(clamping: end)))
    }
    return basis
  }

  /// Whether a replica id is known to others by the log. Whoever learns one that is nobody's yet could push under it
  /// first.
  private func isOwned(_ replica: ReplicaID, in key: DocumentKey, of room: RoomName) throws -> Bool {
    guard let document = try documentID(key, in: room) else { return false }
    return try db.row(
      """
      SELECT 1 WHERE EXISTS (SELECT 1 FROM entries WHERE document = ?1 AND replica = ?2)
        OR EXISTS (SELECT 1 FROM checkpoint_spans WHERE document = ?1 AND replica = ?2)
        OR EXISTS (SELECT 1 FROM outbox WHERE document = ?1 AND replica = ?2 AND acknowledged IS NOT NULL)
      """, [document, replica.stored]) != nil
  }

  /// How far a room's log was read, and what is in some of its documents. One that cannot be read has nothing.
  func known(_ documents: Set<DocumentKey>, in room: RoomName) throws -> KnownText {
    var known = KnownText(cursor: try roomStatus(room).cursor)
    for key in documents {
      guard let id = try documentID(key, in: room) else { continue }
      do { known.vectors[key] = try loaded(id).vector } catch ReplicaError.damaged { continue }
    }
    return known
  }
}

/// What a presence value belongs to.
package struct PresenceBasis: Sendable {
  /// How far the room's log is known.
  package var cursor: UInt64
  /// What is on its way there.
  package var events: [PresenceEnvelope.Events] = []
  /// Some of that is under an id that nobody has pushed under yet, and so must not be told.
  package var isPremature = false
}

/// What is in a room's documents.
package struct KnownText: Sendable {
  /// How far the room's log was read.
  package var cursor: UInt64
  /// Which events the documents have.
  package var vectors: [DocumentKey: VersionVector] = [:]
}
