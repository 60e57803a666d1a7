import NIOCore
import RopewalkSync

/// What the session asks for, and what rooms answer. All on the connection's loop.
extension Connection {
  func perform(_ effects: [RelaySession.Effect]) {
    for effect in effects { perform(effect) }
  }

  private func perform(_ effect: RelaySession.Effect) {
    switch effect {
    case .send(let message): write(OutgoingMessage(message, compressor: nil).plain)
    case .verify(let token): verify(token)
    case .join(let join, let subject, let role): enter(join, subject: subject, role: role)
    case .leave(let number): if let host = rooms.removeValue(forKey: number) { leave(host) }
    case .push(let push):
      guard let host = rooms[push.room] else { return session.answered(pushes: 1, bytes: push.payload.count) }
      onLoop(of: host) { host.push(push, from: self) }
    case .presence(let number, let value):
      guard let host = rooms[number] else { return }
      let id = id
      onLoop(of: host) { host.setPresence(value, of: id) }
    case .close(let error):
      services.logger.debug("A connection is closed.", metadata: ["code": "\(error.code.rawValue)"])
      close(code: error.code.closeCode, reason: error.sentence)
    }
  }

  /// Tokens are checked on a task: once per connection and refresh.
  private func verify(_ token: [UInt8]) {
    if let access = services.verifier.openAccess { return verified(access) }
    Task {
      let access = await services.verifier.access(of: token)
      loop.execute { self.verified(access) }
    }
  }

  private func verified(_ access: Access?) {
    let wasOpen = session.state == .open
    if let access {
      perform(session.verified(access, now: services.now()))
    } else {
      perform(session.rejected(ProtocolError(.unauthenticated, "The token does not hold.")))
    }
    if !wasOpen, session.state == .open { greeted() }
    schedule()
  }

  private func enter(_ join: ClientMessage.Join, subject: [UInt8], role: Role) {
    let host = directory.enter(join.room)
    session.entered(join.room, as: host.number)
    rooms[host.number] = host
    onLoop(of: host) { host.join(join, of: self, subject: subject, role: role) }
  }

  private func onLoop(of host: RoomHost, _ body: @escaping @Sendable () -> Void) {
    if host.loop.inEventLoop { body() } else { host.loop.execute(body) }
  }

  /// A room has answered pushes.
  func answered(_ frame: ByteBuffer?, pushes: Int, bytes: Int) {
    session.answered(pushes: pushes, bytes: bytes)
    if let frame { write(frame) }
  }

  /// A room has sent the connection away; the message that says so was written.
  func removed(from host: RoomHost) {
    session.left(host.number)
    rooms[host.number] = nil
  }

  /// A room could not be opened.
  func failed(toEnter host: RoomHost) {
    guard rooms[host.number] != nil else { return }
    removed(from: host)
    let error = ProtocolError(
      .unavailable, retry: .after(milliseconds: 2000), "The room's log cannot be reached just now.")
    write(OutgoingMessage(RelayMessage.error(room: host.name, error).encoded, compressor: nil).plain)
  }
}
