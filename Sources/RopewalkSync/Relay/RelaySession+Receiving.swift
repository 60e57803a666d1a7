import RopewalkCore

extension RelaySession {
  /// Takes in one message, out of its envelope.
  ///
  /// - Parameter others: what becomes of it by what the subject's connections may do together.
  public mutating func received(
    _ bytes: [UInt8], now: UInt64, others: FloodBudget.Verdict = .fine
  ) -> [Effect] {
    guard state != .closed else { return [] }
    lastHeard = now
    let verdict = flood.charge(bytes: bytes.count, now: now).and(others)
    if case .hopeless(let wait) = verdict { return close(overload(wait)) }
    if state == .awaitingHello, bytes.count > configuration.largestHello {
      return close(ProtocolError(.tooLarge, "The hello is too large."))
    }
    let message: ClientMessage
    do { message = try ClientMessage(decoding: bytes) } catch {
      return close(ProtocolError(.protocolViolation, "A message is damaged."))
    }
    if state == .open, case .over(let wait) = verdict, let effects = putOff(message, wait) { return effects }
    switch (state, message) {
    case (.awaitingHello, .hello(let hello)): return receivedHello(hello)
    case (.open, .hello), (.awaitingHello, _), (.verifying, _):
      return close(ProtocolError(.protocolViolation, "Hello comes first and once, and then the welcome."))
    case (.open, .token(let token)):
      guard !isRefreshing else {
        return close(ProtocolError(.protocolViolation, "A token is being checked already."))
      }
      isRefreshing = true
      return [.verify(token: token)]
    case (.open, .join(let join)): return receivedJoin(join)
    case (.open, .leave(let number)): return rooms.removeValue(forKey: number) == nil ? [] : [.leave(number)]
    case (.open, .push(let push)): return receivedPush(push, now)
    case (.open, .presence(let number, let value)):
      guard rooms[number] != nil else { return [] }
      guard (value?.count ?? 0) <= Int(configuration.limits.largestPresence) else {
        return close(ProtocolError(.tooLarge, "A presence value is too large."))
      }
      return [.presence(number, value: value)]
    case (.open, .checkpoint(let checkpoint)):
      guard let membership = rooms[checkpoint.room], membership.role >= .edit else { return [] }
      return [.checkpoint(checkpoint)]
    case (.open, .checkpointDigest(let number, let cursor, let digest)):
      guard let membership = rooms[number], membership.role >= .edit else { return [] }
      return [.checkpointDigest(number, cursor: cursor, digest: digest)]
    case (.open, .objection(let number, let cursor)):
      guard let membership = rooms[number], membership.role >= .edit else { return [] }
      return [.objection(number, cursor: cursor)]
    case (.open, .retention(let number, let retention)):
      guard let membership = rooms[number] else { return [] }
      guard retention == nil || membership.role >= .own else {
        rooms[number] = nil
        return [.leave(number)]
          + refuse(membership.room, ProtocolError(.forbidden, "Only an owner sets what is forgotten."))
      }
      return [.retention(number, retention)]
    case (.open, .ping(let number)): return [.send(RelayMessage.pong(number).encoded)]
    case (.closed, _): return []
    }
  }

  /// The token holds.
  public mutating func verified(_ access: Access, now: UInt64) -> [Effect] {
    if let expires = access.expires, expires <= now {
      return close(ProtocolError(.tokenExpired, "The token has expired."))
    }
    switch state {
    case .verifying: return welcome(access, now)
    case .open: return refresh(access)
    case .awaitingHello, .closed: return []
    }
  }

  /// The token does not hold.
  public mutating func rejected(_ error: ProtocolError) -> [Effect] { close(error) }

  private mutating func receivedHello(_ hello: ClientMessage.Hello) -> [Effect] {
    guard hello.versions.overlaps(WireProtocol.versions) else {
      return close(ProtocolError(.unsupportedVersion, "The relay speaks no version that the client speaks."))
    }
    self.hello = hello
    codecs = hello.codecs.intersection(configuration.codecs)
    features = hello.features.intersection(.all)
    state = .verifying
    return [.verify(token: hello.token)]
  }

  private mutating func welcome(_ access: Access, _ now: UInt64) -> [Effect] {
    guard let hello else { return [] }
    self.access = access
    owner =
      access.isAnonymous
      ? Owner(anonymous: access.subject, secret: hello.identity, session: id)
      : Owner(subject: access.subject)
    state = .open
    let version = min(hello.versions.upperBound, WireProtocol.versions.upperBound)
    let welcome = RelayMessage.Welcome(
      version: version, features: features, codecs: codecs, session: id,
      subject: access.subject, expires: access.expires, time: now, limits: configuration.limits)
    return [.send(RelayMessage.welcome(welcome).encoded)]
  }

  private mutating func refresh(_ access: Access) -> [Effect] {
    isRefreshing = false
    guard access.subject == self.access?.subject, access.isAnonymous == self.access?.isAnonymous else {
      return close(ProtocolError(.forbidden, "A new token must be of the same subject."))
    }
    self.access = access
    var effects: [Effect] = [.send(RelayMessage.tokenAccepted(expires: access.expires).encoded)]
    for (number, membership) in rooms.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      guard let role = access.role(in: membership.room) else {
        rooms[number] = nil
        let error = ProtocolError(.forbidden, "The new token does not allow this room.")
        effects.append(.leave(number))
        effects.append(.send(RelayMessage.error(room: membership.room, error).encoded))
        continue
      }
      guard role != membership.role else { continue }
      rooms[number]?.role = role
      effects.append(.send(RelayMessage.role(room: number, role).encoded))
      effects.append(.role(number, role))
    }
    return effects
  }

  private mutating func receivedJoin(_ join: ClientMessage.Join) -> [Effect] {
    let isMember = entering[join.room] != nil || rooms.values.contains { $0.room == join.room }
    if isMember { return close(ProtocolError(.protocolViolation, "A room is joined once.")) }
    guard let access, let owner, let role = access.role(in: join.room) else {
      return refuse(join.room, ProtocolError(.forbidden, "The token does not allow this room."))
    }
    guard rooms.count + entering.count < Int(configuration.limits.rooms) else {
      return refuse(join.room, ProtocolError(.tooManyRooms, "One connection cannot join more rooms."))
    }
    entering[join.room] = role
    return [.join(join, owner: owner, role: role)]
  }

  /// What a client is told that sends more than it may; nil for what is taken all the same.
  private func putOff(_ message: ClientMessage, _ wait: UInt32) -> [Effect]? {
    switch message {
    case .push(let push):
      rooms[push.room] == nil ? [] : refuse(push, .overloaded(retryAfter: wait), .overloaded)
    case .join(let join): refuse(join.room, overload(wait))
    // The newest value comes again; and whoever sends so much is alive.
    case .presence, .ping: [.refused(nil, .overloaded)]
    case .hello, .token, .leave, .checkpoint, .checkpointDigest, .objection, .retention: nil
    }
  }

  private func refuse(_ room: RoomName, _ error: ProtocolError) -> [Effect] {
    [.send(RelayMessage.error(room: room, error).encoded), .refused(room, error.code)]
  }

  private mutating func receivedPush(_ push: ClientMessage.Push, _ now: UInt64) -> [Effect] {
    // It may have been removed from the room while the push was on its way.
    guard let membership = rooms[push.room] else { return [] }
    let limits = configuration.limits
    if membership.role < .edit { return refuse(push, .forbidden, .forbidden) }
    if push.payload.count > Int(limits.largestPayload) { return refuse(push, .tooLarge, .tooLarge) }
    let isBeyondWindow =
      unanswered >= Int(limits.pushWindow)
      || (unanswered > 0 && unansweredBytes + push.payload.count > Int(limits.pushWindowBytes))
    if isBeyondWindow { return refuse(push, .overloaded(retryAfter: 1000), .overloaded) }
    if let wait = budget.take(now: now) { return refuse(push, .overloaded(retryAfter: wait), .overloaded) }
    unanswered += 1
    unansweredBytes += push.payload.count
    return [.push(push, nil)]
  }

  /// The room tells it, after what came before: what comes after must not be taken before the client knows.
  private func refuse(_ push: ClientMessage.Push, _ refusal: Refusal, _ code: ErrorCode) -> [Effect] {
    var push = push
    push.payload = []
    return [.push(push, refusal), .refused(nil, code)]
  }
}
