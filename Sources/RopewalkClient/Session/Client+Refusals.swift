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
      case .ownedByAnother:
        if try replica.hasWritten(as: header.span.replica) || !carry(header, row, in: room) {
          tell(try replica.disown(header, in: room))
        }
      case .overtaken, .overloaded: break
      case .forbidden: try refused(header, .forbidden, row, in: room)
      case .tooLarge: try refused(header, .tooLarge, row, in: room)
      }
      if refusal != .overtaken { renewPresence(in: room) }
    } catch { fail(error) }
  }

  /// Events that came from somebody else, by a file or from a log that is gone, are theirs to push, or they would be
  /// there twice: they get as long for that as it takes to connect again.
  ///
  /// - Returns: whether to wait. After that time there is no waiting for a while, whatever follows.
  private func carry(_ header: EntryHeader, _ row: Int64?, in room: RoomName) -> Bool {
    guard let row else { return false }
    let (now, patience) = (options.now(), options.longestPause)
    if rooms[room]?.carriedUntil.map({ now >= $0 + patience }) ?? true {
      rooms[room]?.carriedUntil = now + patience
    }
    guard let until = rooms[room]?.carriedUntil, now < until else { return false }
    if rooms[room]?.carried.isEmpty ?? false {
      hub.publish(.waitsForAuthor(room, milliseconds: until - now))
    }
    rooms[room]?.carried[row] = header
    return true
  }

  /// Whoever's they are has brought events: what follows them may go.
  func brought(_ entries: [LogEntry], in room: RoomName) {
    guard let carried = rooms[room]?.carried, !carried.isEmpty else { return }
    let rest = carried.filter { row in
      !entries.contains {
        $0.header.document == row.value.document && $0.header.span.replica == row.value.span.replica
      }
    }
    guard rest.count < carried.count else { return }
    rooms[room]?.carried = rest
    push([room])
  }

  /// When the next room's time is over for those whose events it has.
  var nextDisowning: UInt64? {
    rooms.values.compactMap { $0.carried.isEmpty ? nil : $0.carriedUntil }.min()
  }

  /// Gives other ids to what nobody else has brought in time.
  func disownCarried() {
    let now = options.now()
    for (room, state) in rooms where !state.carried.isEmpty && state.carriedUntil ?? 0 <= now {
      rooms[room]?.carried = [:]
      do throws(ReplicaError) {
        for (_, header) in state.carried.sorted(by: { $0.key < $1.key }) {
          tell(try replica.disown(header, in: room))
        }
      } catch { return fail(error) }
      push([room])
    }
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
