import GRDB
import RopewalkCore
import RopewalkSync

// Which text a presence value belongs to.
extension Transaction {
  /// What is in a room's documents here, for others: how far its log is, and what is on its way there. What the
  /// relay does not take, or may be written anew, is left out: others would wait for it in vain.
  func presenceBasis(of room: RoomName, mostEvents: Int) throws -> PresenceEnvelope {
    var basis = PresenceEnvelope(cursor: try roomStatus(room).cursor, events: [], value: [])
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
      basis.events.append(
        PresenceEnvelope.Events(document: key, replica: replica, count: UInt32(clamping: end)))
    }
    return basis
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

/// What is in a room's documents.
package struct KnownText: Sendable {
  /// How far the room's log was read.
  package var cursor: UInt64
  /// Which events the documents have.
  package var vectors: [DocumentKey: VersionVector] = [:]
}
