import RopewalkReplica
import RopewalkSync

// More rooms than the relay allows on one connection take turns.
extension Client {
  /// Joins and leaves rooms as it is their turn.
  func arrange() {
    guard session?.state == .open, ending == nil else { return }
    let now = options.now()
    rotation.pace = isAskedFor ? options.pace : .passing
    for move in rotation.moves(now: now) {
      switch move {
      case .join(let room): joinNow(room)
      case .leave(let room): endTurn(of: room)
      }
    }
    nextMoves = rotation.nextDeadline(now: now)
  }

  private func endTurn(of room: RoomName) {
    guard var session else { return }
    let effects = session.leave(room, now: options.now())
    self.session = session
    rooms[room]?.turnEnded()
    hub.setPresence([], in: room)
    perform(effects)
  }

  /// Whether a room that the relay did not let in, or sent away, only has to wait for another turn.
  func putOff(_ room: RoomName, because error: ProtocolError) -> Bool {
    let now = options.now()
    switch (error.code, error.retry) {
    case (.tooManyRooms, _): rotation.tooMany(room, now: now)
    case (.overloaded, .after(let milliseconds)):
      rotation.refused(room, until: now + max(1, UInt64(milliseconds)), now: now)
      hub.publish(.putOff(room, error))
    default: return false
    }
    rooms[room]?.turnEnded()
    hub.setPresence([], in: room)
    return true
  }

  /// Whether everything of a room is exchanged, as far as this client can know: now, or, where rooms take turns,
  /// at the end of a turn over this connection.
  func isExchanged(_ room: RoomName, _ state: RoomSession, _ outbox: OutboxStanding) -> Bool {
    let isTakenIn = state.isRead && !state.isTakingIn && state.gathering.isEmpty
    rotation.settle(room, isTakenIn && state.inFlight.isEmpty && outbox.waiting == 0)
    return rotation.isDone(room, since: connectedAt)
  }
}
