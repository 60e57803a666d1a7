import RopewalkCore
import RopewalkReplica
import RopewalkSync

// What the relay does not take, and who may push.
extension Client {
  /// The relay gave this role in a room: what it refused before is offered again, or nothing is.
  func given(_ role: Role, in room: RoomName) {
    hub.setRole(role, in: room)
    rooms[room]?.role = role
    rooms[room]?.refusedRows = []
    do throws(ReplicaError) {
      try replica.note(role, in: room)
      if role >= .edit { try replica.retryRefused(in: room) } else { forbid(room) }
    } catch { fail(error) }
  }

  /// Nothing of a room's outbox may be sent, or may be as far as this client knows. Before the log was read, it
  /// may hold what seems to be unsent; of a room that cannot be joined, nobody knows.
  func forbid(_ room: RoomName) {
    guard let state = rooms[room], state.isRead || state.refusal != nil else { return }
    do throws(ReplicaError) {
      for events in try replica.forbid(room) { hub.publish(.pushRefused(events)) }
    } catch { fail(error) }
  }

  /// Tells what was refused before, and still is.
  func tellRefused(in room: RoomName) {
    rooms[room]?.hasToldRefused = true
    do throws(ReplicaError) {
      for events in try replica.refused(in: room.text) { hub.publish(.pushRefused(events)) }
    } catch { fail(error) }
  }

  /// The relay did not take a push.
  func refused(_ header: EntryHeader, _ refusal: Refusal, in room: RoomName) {
    let row = rooms[room]?.refused(header, as: refusal)
    do throws(ReplicaError) {
      switch refusal {
      case .covered(_, let cursor), .idClash(let cursor):
        tell(try replica.holdBack(header, through: cursor, in: room))
      case .ownedByAnother: tell(try replica.disown(header, in: room))
      case .overtaken, .overloaded: break
      case .forbidden: try refused(header, .forbidden, row, in: room)
      case .tooLarge: try refused(header, .tooLarge, row, in: room)
      }
      if refusal != .overtaken { renewPresence(in: room) }
    } catch { fail(error) }
  }

  /// Events that have another id now.
  func tell(_ reauthored: [ReauthoredEvents]) {
    for events in reauthored { hub.publish(.reauthored(events)) }
  }

  private func refused(
    _ header: EntryHeader, _ reason: RefusedEvents.Reason, _ row: Int64?, in room: RoomName
  ) throws(ReplicaError) {
    if let row { rooms[room]?.refusedRows.insert(row) }
    try replica.refuse(header, reason, in: room)
    hub.publish(
      .pushRefused(RefusedEvents(room: room, key: header.document, span: header.span, reason: reason)))
  }
}
