import RopewalkCore

extension ClientSession {
  /// Whether the window has room for a push to this room now: it is joined with a role that may, its log was read to
  /// the end, and not too much is in flight.
  public func canPush(to room: RoomName, now: UInt64) -> Bool {
    guard state == .open, let membership = memberships[room], membership.number != nil else { return false }
    return membership.role >= .edit && membership.isRead && membership.heldUntil <= now && !isWindowFull
  }

  /// How many pushes wait for an answer, in all rooms.
  public var pushesInFlight: Int { inFlight.count }

  /// What the session may do in a room; nil before it is joined.
  public func role(in room: RoomName) -> Role? {
    guard let membership = memberships[room], membership.number != nil else { return nil }
    return membership.role
  }

  /// Sends an update for a room's log. Only after `canPush` has said so.
  ///
  /// The cut must be stored before, and be the same whenever it is pushed again: same header, same bytes.
  /// A header that is in flight must not be pushed a second time in one session.
  public mutating func push(_ header: EntryHeader, payload: [UInt8], to room: RoomName, now: UInt64)
    -> [Effect]
  {
    precondition(canPush(to: room, now: now), "canPush comes first")
    guard let membership = memberships[room], let number = membership.number else { return [] }
    guard payload.count <= Int(limits.largestPayload) else {
      return [.refused(room: room, header: header, .tooLarge)]
    }
    let push = ClientMessage.Push(
      room: number, number: nextPush, refusalsSeen: membership.refusals, header: header, payload: payload)
    inFlight[nextPush] = InFlight(room: room, header: header, bytes: payload.count)
    inFlightBytes += payload.count
    nextPush += 1
    return [send(.push(push), now)]
  }

  /// The relay counts one payload's bytes beyond the window as a fault, so the window is full while the largest
  /// payload would not fit.
  private var isWindowFull: Bool {
    if inFlight.isEmpty { return false }
    if inFlight.count >= min(configuration.pushWindow, Int(limits.pushWindow)) { return true }
    return inFlightBytes + Int(limits.largestPayload) > Int(limits.pushWindowBytes)
  }

  mutating func takeInFlight(_ number: UInt64, of room: RoomName) -> InFlight? {
    guard let push = inFlight[number], push.room == room else { return nil }
    inFlight[number] = nil
    inFlightBytes -= push.bytes
    return push
  }

  /// Runs `change`, and then tells this room, or every room if the window was full, that it may push.
  mutating func answered(
    in room: RoomName, _ now: UInt64,
    _ change: (_ session: inout ClientSession, _ effects: inout [Effect]) -> Void
  ) -> [Effect] {
    let wasFull = isWindowFull
    var effects: [Effect] = []
    change(&self, &effects)
    guard !effects.isEmpty else { return [] }
    guard wasFull else { return effects + readiness(now, of: room) }
    for room in memberships.keys.sorted() { effects += readiness(now, of: room) }
    return effects
  }

  func readiness(_ now: UInt64, of room: RoomName) -> [Effect] {
    canPush(to: room, now: now) ? [.pushReady(room)] : []
  }
}
