import RopewalkCore

extension ClientSession {
  /// Takes in one message, out of its envelope.
  public mutating func received(_ bytes: [UInt8], now: UInt64) -> [Effect] {
    guard state != .closed, state != .idle else { return [] }
    lastReceived = now
    let message: RelayMessage
    do { message = try RelayMessage(decoding: bytes) } catch {
      return close(.protocolViolation, retry: .after(milliseconds: 5000), "The relay sent a damaged message.")
    }
    switch message {
    case .welcome(let welcome): return receivedWelcome(welcome, now)
    case .error(nil, let error):
      disconnected()
      return [.close(error)]
    default: break
    }
    guard state == .open else {
      return close(
        .protocolViolation, retry: .after(milliseconds: 5000), "The relay spoke before its welcome.")
    }
    return receivedInOpenState(message, now)
  }

  private mutating func receivedInOpenState(_ message: RelayMessage, _ now: UInt64) -> [Effect] {
    switch message {
    case .welcome, .pong: return []
    case .tokenAccepted(let expires):
      isRefreshing = false
      guard let next = nextToken else { return [.tokenAccepted(expires: expires)] }
      nextToken = nil
      return [.tokenAccepted(expires: expires)] + refreshToken(next, now: now)
    case .joined(let joined): return receivedJoined(joined, now)
    case .entries(let number, let entries): return receivedEntries(entries, of: number)
    case .checkpoint(let number, let batch): return receivedCheckpoint(batch, of: number)
    case .checkpointWanted(let number, let cursor, let isWhole):
      guard let room = namesByNumber[number], cursor <= memberships[room]?.cursor ?? 0 else { return [] }
      return [.checkpointWanted(room: room, cursor: cursor, isWhole: isWhole)]
    case .checkpointAnnounced(let number, let cursor, let digest):
      guard let room = namesByNumber[number], cursor <= memberships[room]?.cursor ?? 0 else { return [] }
      return [.checkpointAnnounced(room: room, cursor: cursor, digest: digest)]
    case .retention(let retention):
      guard let room = namesByNumber[retention.room] else { return [] }
      return [.retention(room: room, retention)]
    case .caughtUp(let number, let cursor, let digest): return receivedCaughtUp(number, cursor, digest, now)
    case .acknowledged(let number, let acknowledgements):
      guard let room = namesByNumber[number] else { return [] }
      return answered(in: room, now) { session, effects in
        for acknowledgement in acknowledgements {
          guard let push = session.takeInFlight(acknowledgement.push, of: room) else { continue }
          effects.append(.acknowledged(room: room, header: push.header, cursor: acknowledgement.cursor))
        }
      }
    case .refused(let number, let push, let refusal):
      guard let room = namesByNumber[number] else { return [] }
      return answered(in: room, now) { session, effects in
        guard let push = session.takeInFlight(push, of: room) else { return }
        switch refusal {
        case .overloaded(let wait): session.memberships[room]?.heldUntil = now + UInt64(wait)
        case .covered, .idClash, .overtaken, .forbidden, .tooLarge, .ownedByAnother: break
        }
        if refusal != .overtaken { session.memberships[room]?.refusals += 1 }
        effects.append(.refused(room: room, header: push.header, refusal))
      }
    case .presence(let number, let isComplete, let values):
      guard let room = namesByNumber[number] else { return [] }
      let session = welcome?.session
      return [.presence(room: room, isComplete: isComplete, values.filter { $0.session != session })]
    case .role(let number, let role):
      guard let room = namesByNumber[number] else { return [] }
      memberships[room]?.role = role
      return [.roleChanged(room: room, role)] + readiness(now, of: room)
    case .error(let room, let error):
      guard let room, let membership = memberships[room] else {
        if let room { unansweredJoins.remove(room) }
        return []
      }
      unansweredJoins.remove(room)
      // The answer to a join that was taken back.
      if membership.isDeferred { return sendJoin(room, now) }
      _ = forget(room)
      return [.left(room, error)]
    }
  }

  private mutating func receivedWelcome(_ welcome: RelayMessage.Welcome, _ now: UInt64) -> [Effect] {
    guard state == .greeting, WireProtocol.versions.contains(welcome.version) else {
      return close(.protocolViolation, retry: .never, "The relay's welcome does not fit.")
    }
    self.welcome = welcome
    state = .open
    var effects: [Effect] = [.welcomed(welcome)]
    for room in memberships.keys.sorted() { effects += sendJoin(room, now) }
    return effects
  }

  private mutating func receivedJoined(_ joined: RelayMessage.Joined, _ now: UInt64) -> [Effect] {
    unansweredJoins.remove(joined.room)
    guard let membership = memberships[joined.room], !membership.isDeferred else {
      // It was left meanwhile, and perhaps joined again.
      return [send(.leave(joined.number), now)] + sendJoin(joined.room, now)
    }
    namesByNumber[joined.number] = joined.room
    memberships[joined.room]?.number = joined.number
    memberships[joined.room]?.role = joined.role
    var effects: [Effect] = [.joined(joined)]
    if joined.isRestart {
      memberships[joined.room]?.nextPart = 0
      memberships[joined.room]?.cursor = 0
      memberships[joined.room]?.digest = .zero
      memberships[joined.room]?.isRead = false
      effects.append(.restart(joined.room))
    }
    return effects + sendPresence(of: joined.room, now)
  }

  private mutating func receivedEntries(_ entries: [LogEntry], of number: RoomNumber) -> [Effect] {
    guard let room = namesByNumber[number], var membership = memberships[room] else { return [] }
    guard let first = entries.first, first.cursor == membership.cursor + 1 else {
      return close(.protocolViolation, retry: .after(milliseconds: 5000), "The relay left out part of a log.")
    }
    for entry in entries {
      membership.digest = entry.digest(after: membership.digest)
      membership.cursor = entry.cursor
    }
    memberships[room] = membership
    return [.deliver(room: room, entries: entries, cursor: membership.cursor, digest: membership.digest)]
  }

  private mutating func receivedCheckpoint(_ batch: CheckpointBatch, of number: RoomNumber) -> [Effect] {
    guard let room = namesByNumber[number], var membership = memberships[room] else { return [] }
    if batch.first == 0 { membership.nextPart = 0 }
    guard membership.cursor == 0, batch.first == membership.nextPart, batch.isLast || !batch.parts.isEmpty
    else {
      return close(
        .protocolViolation, retry: .after(milliseconds: 5000), "The relay left out part of a checkpoint.")
    }
    membership.nextPart += UInt64(batch.parts.count)
    if batch.isLast {
      membership.cursor = batch.head.cursor
      membership.digest = batch.head.digest
    }
    memberships[room] = membership
    return [.checkpoint(room: room, batch)]
  }

  private mutating func receivedCaughtUp(
    _ number: RoomNumber, _ cursor: UInt64, _ digest: LogDigest, _ now: UInt64
  ) -> [Effect] {
    guard let room = namesByNumber[number], let membership = memberships[room] else { return [] }
    guard membership.cursor == cursor, membership.digest == digest else {
      _ = forget(room)
      let error = ProtocolError(
        .digestMismatch, retry: .after(milliseconds: 60_000),
        "The log that arrived is not the log that was promised.")
      return [send(.leave(number), now), .left(room, error)]
    }
    memberships[room]?.isRead = true
    return [.caughtUp(room: room, cursor: cursor)] + readiness(now, of: room)
  }
}
