import RopewalkCore

extension ClientSession {
  /// When `tick` must be called next; nil for not at all. Ask again after every call.
  public var nextDeadline: UInt64? {
    switch state {
    case .idle, .closed: return nil
    case .greeting: return lastReceived + configuration.patience
    case .open: break
    }
    let silence = UInt64(limits.silence)
    var deadline = min(lastReceived + silence, pingDue)
    for membership in memberships.values {
      if membership.heldUntil > 0 { deadline = min(deadline, membership.heldUntil) }
      if let due = presenceDue(membership) { deadline = min(deadline, due) }
    }
    return deadline
  }

  /// Lets time pass: pings, presence that was held back or must be repeated, pushes that were put off, and the end of a
  /// connection that has gone silent.
  public mutating func tick(now: UInt64) -> [Effect] {
    switch state {
    case .idle, .closed: return []
    case .greeting:
      guard now >= lastReceived + configuration.patience else { return [] }
      return close(.timedOut, retry: .after(milliseconds: 0), "The relay did not answer the hello.")
    case .open: break
    }
    let silence = UInt64(limits.silence)
    guard now < lastReceived + silence else {
      return close(.timedOut, retry: .after(milliseconds: 0), "The relay has gone silent.")
    }
    var effects: [Effect] = []
    let due = memberships.filter { _, membership in
      membership.heldUntil > 0 && membership.heldUntil <= now || presenceDue(membership) ?? .max <= now
    }
    for room in due.keys.sorted() {
      effects += sendPresence(of: room, now)
      guard let heldUntil = memberships[room]?.heldUntil, heldUntil > 0, heldUntil <= now else { continue }
      memberships[room]?.heldUntil = 0
      effects += readiness(now, of: room)
    }
    if now >= pingDue {
      lastPing = now
      effects.append(send(.ping(now), now))
    }
    return effects
  }

  /// Something of the relay's has come, or waits for the caller to work off what came before it.
  public mutating func heard(now: UInt64) { lastReceived = max(lastReceived, now) }

  /// The relay must hear something, and say something: what is sent besides (presence) need not be answered.
  private var pingDue: UInt64 {
    max(min(lastSent, lastReceived), lastPing) + UInt64(limits.silence) / 3
  }

  /// Sends the presence value of a room if it is due.
  mutating func sendPresence(of room: RoomName, _ now: UInt64) -> [Effect] {
    guard state == .open, let membership = memberships[room], let number = membership.number else {
      return []
    }
    guard let due = presenceDue(membership), due <= now else { return [] }
    memberships[room]?.presence.isDirty = false
    memberships[room]?.presence.sentAt = now
    return [send(.presence(room: number, value: membership.presence.value), now)]
  }

  /// When the presence value must be told: changes at most once per interval, an unchanged value often enough not to
  /// expire.
  private func presenceDue(_ membership: Membership) -> UInt64? {
    guard membership.number != nil, welcome?.features.contains(.presence) == true else { return nil }
    let presence = membership.presence
    if presence.isDirty { return presence.sentAt.map { $0 + UInt64(limits.presenceInterval) } ?? 0 }
    guard presence.value != nil, let sentAt = presence.sentAt else { return nil }
    return sentAt + UInt64(limits.presenceLifetime) / 3
  }
}
