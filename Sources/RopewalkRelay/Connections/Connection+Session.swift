import NIOCore
import RopewalkSync

/// What the session asks for, and what rooms answer. All on the connection's loop.
extension Connection {
  func perform(_ effects: [RelaySession.Effect]) {
    for effect in effects { perform(effect) }
  }

  private func perform(_ effect: RelaySession.Effect) {
    switch effect {
    case .send(let message): writeAnswer(OutgoingMessage(message, compressor: nil).plain)
    case .verify(let token): verify(token)
    case .join(let join, let owner, let role): enter(join, owner: owner, role: role)
    case .leave(let number):
      guard let host = rooms.removeValue(forKey: number) else { return }
      audit(.left, room: host.name)
      leave(host)
    case .role(let number, let role):
      guard let host = rooms[number] else { return }
      let id = id
      onLoop(of: host) { host.setRole(role, of: id) }
    case .push(let push, let refusal): hand(push, refusal)
    case .checkpoint(let checkpoint):
      guard let host = rooms[checkpoint.room] else { return }
      let id = id
      onLoop(of: host) { host.checkpoint(checkpoint, of: id) }
    case .checkpointDigest(let number, let cursor, let digest):
      guard let host = rooms[number] else { return }
      let id = id
      onLoop(of: host) { host.checkpointDigest(digest, at: cursor, of: id) }
    case .objection(let number, let cursor):
      guard let host = rooms[number] else { return }
      let id = id
      onLoop(of: host) { host.objection(at: cursor, of: id) }
    case .retention(let number, let retention):
      guard let host = rooms[number] else { return }
      if let retention {
        if let subject = identity?.access.subject,
          let wait = services.subjects.administer(subject, now: services.now())
        {
          return putOff(host, wait)
        }
        audit(.administered, room: host.name, detail: retention.auditDetail)
      }
      let id = id
      onLoop(of: host) { host.setRetention(retention, of: id) }
    case .presence(let number, let value):
      guard let host = rooms[number] else { return }
      let id = id
      onLoop(of: host) { host.setPresence(value, of: id) }
    case .refused(let room, let code):
      let reason = RefusalReason(code)
      meters.refused(reason)
      if let room { audit(.refused, room: room, code: reason.rawValue) }
    case .close(let error):
      let reason = RefusalReason(error.code)
      services.logger.debug("A connection is closed.", metadata: ["code": "\(reason.rawValue)"])
      if error.code != .draining {
        meters.refused(reason)
        audit(error.code == .revoked ? .revoked : .refused, code: refusalDetail ?? reason.rawValue)
      }
      close(code: error.code.closeCode, reason: error.sentence)
    }
  }

  /// Hands a push to its room, unless the disk does not keep up with what all connections push: then the room
  /// refuses it in its turn.
  private func hand(_ push: ClientMessage.Push, _ refusal: Refusal?) {
    var (push, refusal) = (push, refusal)
    let bytes = push.payload.count
    let host = rooms[push.room]
    if refusal == nil, host == nil { return session.answered(pushes: 1, bytes: bytes) }
    guard let host else { return }
    if refusal == nil, services.log.pendingBytes + bytes > services.pendingBytes {
      meters.refused(.overloaded)
      session.answered(pushes: 1, bytes: bytes)
      push.payload = []
      refusal = .overloaded(retryAfter: UInt32.random(in: 500...1500))
    }
    onLoop(of: host) { [push, refusal] in host.push(push, refusal: refusal, from: self) }
  }

  /// Tokens are checked on a task: once per connection and refresh.
  private func verify(_ token: [UInt8]) {
    if session.state == .open, let wait = services.subjects.renew(payer, now: services.now()) {
      refusalDetail = RefusalReason.tooManyTokens.rawValue
      let error = ProtocolError(
        .overloaded, retry: .after(milliseconds: wait), "One subject cannot send new tokens that often.")
      return perform(session.rejected(error))
    }
    if let identity = services.credentials.anonymous(token) { return verified(.success(identity)) }
    Task {
      let result = services.credentials.result(for: token, now: services.now())
      loop.execute { self.verified(result) }
    }
  }

  private func verified(_ result: Result<Identity, TokenFault>) {
    let wasOpen = session.state == .open
    switch result {
    case .success(let new):
      // Keys and revocations may have changed while the token was checked.
      if let objection = services.credentials.objection(to: new) {
        if identity == nil { identity = new }
        perform(session.rejected(objection))
      } else {
        let old = identity
        identity = new
        guard enterAccount(of: new) else { return }
        let effects = session.verified(new.access, now: services.now())
        if session.state != .open { identity = old ?? new }
        perform(effects)
      }
    case .failure(let fault):
      refusalDetail = fault.rawValue
      let error =
        fault == .reservedSubject
        ? ProtocolError(.unauthenticated, "The subject anonymous is everybody without a token.")
        : ProtocolError(.unauthenticated, "The token does not hold.")
      perform(session.rejected(error))
    }
    if !wasOpen, session.state == .open { greeted() }
    schedule()
  }

  /// Who pays for what one subject may cost; those without a token do with their network alone.
  private var payer: [UInt8] {
    // No subject begins with a zero.
    guard let identity, identity.key != nil else { return [0] + NetworkAddress.network(of: address) }
    return identity.access.subject
  }

  /// Counts the connection among its subject's; false if they are too many.
  private func enterAccount(of identity: Identity) -> Bool {
    guard identity.key != nil, account == nil, session.state == .verifying else { return true }
    account = services.subjects.enter(
      identity.access.subject, connection: services.sessionConfiguration.limits, now: services.now())
    guard account == nil else { return true }
    refusalDetail = RefusalReason.tooManyConnections.rawValue
    let wait = UInt32.random(in: 5000...15_000)
    perform(
      session.rejected(
        ProtocolError(
          .overloaded, retry: .after(milliseconds: wait), "One subject cannot have more connections.")))
    return false
  }

  /// Keys or revocations have changed.
  func reexamine() {
    guard let identity, let objection = services.credentials.objection(to: identity) else { return }
    perform(session.close(objection))
  }

  /// Notes what happened in the audit log.
  func audit(
    _ act: AuditRecord.Act, room: RoomName? = nil, role: Role? = nil, code: String? = nil,
    detail: String? = nil
  ) {
    var record = AuditRecord(time: services.now(), act: act)
    record.subject = identity.map { String(decoding: $0.access.subject, as: UTF8.self) }
    record.room = room?.text
    record.role = role?.name
    record.session = String(id, radix: 16)
    record.from = address
    record.code = code
    record.detail = detail
    services.audit.record(record, isStranger: identity == nil)
  }

  private func enter(_ join: ClientMessage.Join, owner: Owner, role: Role) {
    let host = directory.enter(join.room)
    session.entered(join.room, as: host.number)
    rooms[host.number] = host
    audit(.joined, room: join.room, role: role)
    onLoop(of: host) { host.join(join, of: self, owner: owner, role: role) }
  }

  private func onLoop(of host: RoomHost, _ body: @escaping @Sendable () -> Void) {
    if host.loop.inEventLoop { body() } else { host.loop.execute(body) }
  }

  /// A room has answered pushes.
  func answered(_ frame: ByteBuffer?, pushes: Int, bytes: Int) {
    session.answered(pushes: pushes, bytes: bytes)
    if let frame { writeAnswer(frame) }
  }

  /// A room has sent the connection away.
  ///
  /// - Parameter frame: tells the client, which may come back as soon as it has read this.
  func removed(from host: RoomHost, _ code: ErrorCode, telling frame: ByteBuffer) {
    session.left(host.number)
    let reason = RefusalReason(code)
    if rooms.removeValue(forKey: host.number) != nil {
      meters.refused(reason)
      audit(.left, room: host.name, code: reason.rawValue)
    }
    write(frame)
  }

  /// Too much was administered: the client joins again when it may, and asks again.
  private func putOff(_ host: RoomHost, _ wait: UInt32) {
    guard rooms[host.number] != nil else { return }
    let error = ProtocolError(
      .overloaded, retry: .after(milliseconds: wait),
      "Rooms are administered more often than the relay allows.")
    removed(
      from: host, error.code,
      telling: OutgoingMessage(RelayMessage.error(room: host.name, error).encoded, compressor: nil).plain)
    leave(host)
  }

  /// A room could not be opened.
  func failed(toEnter host: RoomHost) {
    guard rooms[host.number] != nil else { return }
    let error = ProtocolError(
      .unavailable, retry: .after(milliseconds: 2000), "The room's log cannot be reached just now.")
    removed(
      from: host, error.code,
      telling: OutgoingMessage(RelayMessage.error(room: host.name, error).encoded, compressor: nil).plain)
  }
}
