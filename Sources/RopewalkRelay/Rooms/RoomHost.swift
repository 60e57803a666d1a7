import Logging
import NIOCore
import RopewalkSync

/// A room on its event loop: feeds the machine and performs what it asks for.
///
/// `@unchecked Sendable` because everything that changes is touched on `loop` alone.
final class RoomHost: @unchecked Sendable {
  typealias Input = (inout RelayRoom) -> [RelayRoom.Effect]

  let name: RoomName
  let number: RoomNumber
  let loop: any EventLoop
  private let directory: RoomDirectory
  private let services: RelayServices

  private enum Stage {
    /// The head of the log is being read; inputs wait.
    case opening([Input])
    case open(RelayRoom)
    /// The room was dropped.
    case gone
  }

  private var stage = Stage.opening([])
  private var isOpened = false
  private var connections: [UInt64: Connection] = [:]
  /// Entries that are handed to the log at the end of this tick.
  private var outgoing: [RelayRoom.NewEntry] = []
  private var deadline: UInt64?
  private let fanOut: FanOut

  init(
    _ name: RoomName, number: RoomNumber, loop: any EventLoop, directory: RoomDirectory,
    services: RelayServices
  ) {
    self.name = name
    self.number = number
    self.loop = loop
    self.directory = directory
    self.services = services
    fanOut = FanOut(loop: loop)
  }

  /// A connection comes in. On `loop`, as are all that follow.
  func join(_ join: ClientMessage.Join, of connection: Connection, owner: Owner, role: Role) {
    guard !isGone else { return sendAway(connection) }
    let session = connection.id
    connections[session] = connection
    openIfNeeded()
    handle { room in
      room.join(
        session, owner: owner, network: NetworkAddress.network(of: connection.address), role: role,
        features: connection.features, cursor: join.cursor, digest: join.digest)
    }
  }

  /// A connection leaves or is gone.
  func leave(_ connection: Connection) {
    directory.exit(self)
    let (session, now) = (connection.id, services.now())
    if connections.removeValue(forKey: session) != nil { handle { $0.leave(session, now: now) } }
    retireIfIdle()
  }

  func setRole(_ role: Role, of session: UInt64) { handle { $0.setRole(role, of: session) } }

  func push(_ push: ClientMessage.Push, refusal: Refusal?, from connection: Connection) {
    if isGone {
      guard refusal == nil else { return }
      return connection.onLoop { connection.answered(nil, pushes: 1, bytes: push.payload.count) }
    }
    let (session, now) = (connection.id, services.now())
    handle { $0.push(push, refusal: refusal, from: session, now: now) }
  }

  func setPresence(_ value: [UInt8]?, of session: UInt64) {
    let now = services.now()
    handle { $0.setPresence(value, of: session, now: now) }
  }

  func checkpoint(_ checkpoint: ClientMessage.Checkpoint, of session: UInt64) {
    handle { $0.checkpoint(checkpoint, from: session) }
  }

  func checkpointDigest(_ digest: LogDigest, at cursor: UInt64, of session: UInt64) {
    handle { $0.checkpointDigest(digest, at: cursor, from: session) }
  }

  func objection(at cursor: UInt64, of session: UInt64) {
    handle { $0.objection(at: cursor, from: session) }
  }

  func setRetention(_ retention: Retention?, of session: UInt64) {
    handle { $0.setRetention(retention, from: session) }
  }

  func ready(_ session: UInt64) { handle { $0.ready(session) } }

  func busy(_ session: UInt64) {
    handle {
      $0.busy(session)
      return []
    }
  }

  /// How far the members are behind. On `loop`.
  var lag: RoomLag {
    if case .open(let room) = stage { room.lag } else { RoomLag() }
  }

  private var isGone: Bool {
    if case .gone = stage { return true }
    return false
  }

  private func openIfNeeded() {
    guard !isOpened else { return }
    isOpened = true
    services.log.open(name) { result in self.loop.execute { self.opened(result) } }
  }

  private func opened(_ result: Result<LogState, RelayLogError>) {
    guard case .opening(let inputs) = stage else { return }
    switch result {
    case .success(let log):
      let now = services.now()
      stage = .open(
        RelayRoom(
          name, number: number, log: log, budgets: directory.takeBudgets(of: name),
          configuration: services.roomConfiguration))
      handle { $0.opened(now: now) }
      for input in inputs { handle(input) }
    case .failure(let error):
      report(error)
      for connection in connections.values { sendAway(connection) }
      drop()
    }
  }

  /// The room could not be opened.
  private func sendAway(_ connection: Connection) {
    let host = self
    connection.onLoop { connection.failed(toEnter: host) }
  }

  private func handle(_ input: @escaping Input) {
    switch stage {
    case .gone: break
    case .opening(var inputs):
      stage = .gone  // so that the inputs are not copied
      inputs.append(input)
      stage = .opening(inputs)
    case .open(var room):
      stage = .gone  // so that the room is changed in place
      let effects = input(&room)
      let hasFailed = room.hasFailed
      let deadline = room.nextDeadline
      stage = .open(room)
      for effect in effects { perform(effect) }
      if hasFailed { return drop() }
      if let deadline { schedule(deadline) }
    }
  }

  private func failed(_ error: RelayLogError) {
    report(error)
    handle { $0.logFailed() }
  }

  private func report(_ error: RelayLogError) {
    services.logger.error(
      "A room's log failed.", metadata: ["act": "\(error.act)", "reason": "\(error.reason)"])
  }

  private func drop() {
    stage = .gone
    connections = [:]
    outgoing = []
    directory.drop(self)
  }

  private func retireIfIdle() {
    guard case .open(let room) = stage, room.isIdle,
      directory.retire(self, leaving: room.budgets, now: services.now())
    else { return }
    stage = .gone
  }

  private func schedule(_ moment: UInt64) {
    if let deadline, deadline <= moment { return }
    deadline = moment
    let now = services.now()
    loop.scheduleTask(in: .milliseconds(Int64(clamping: moment > now ? moment - now : 0))) {
      guard self.deadline == moment else { return }
      self.deadline = nil
      let now = self.services.now()
      self.handle { $0.tick(now: now) }
      self.retireIfIdle()
    }
  }
}

extension RoomHost {
  private func perform(_ effect: RelayRoom.Effect) {
    switch effect {
    case .send(let sessions, let message): send(message, to: sessions, isFeed: false)
    case .feed(let sessions, let message): send(message, to: sessions, isFeed: true)
    case .feedSegment(let sessions, let segment):
      let members = sessions.compactMap { connections[$0] }
      guard fanOut.send(segment, in: number, to: members, feedFrom: self) else {
        return failed(RelayLogError(act: .read, reason: .damaged))
      }
    case .answer(let session, let message, let pushes, let bytes):
      guard let connection = connections[session] ?? services.connections[session] else { return }
      let frame = message.isEmpty ? nil : OutgoingMessage(message, compressor: nil).plain
      connection.onLoop { connection.answered(frame, pushes: pushes, bytes: bytes) }
    case .refused(let refusal): services.meters[loop].refused(RefusalReason(refusal))
    case .remove(let session, let code, let message):
      guard let connection = connections.removeValue(forKey: session) else { return }
      let host = self
      let frame = OutgoingMessage(message, compressor: nil).plain
      connection.onLoop { connection.removed(from: host, code, telling: frame) }
    case .append(let entry):
      outgoing.append(entry)
      if outgoing.count == 1 { loop.execute { self.append() } }
    case .findDigest(let cursor):
      services.log.digest(of: name, at: cursor) { self.found($0) { $0.foundDigest($1, at: cursor) } }
    case .findSoleAuthor(let cursor):
      services.log.soleAuthor(of: name, through: cursor) {
        self.found($0) { $0.foundSoleAuthor($1, through: cursor) }
      }
    case .findCoverage(let key):
      services.log.coverage(of: name, key) {
        self.found($0) { $0.foundCoverage($1.ranges, owner: $1.owner, examined: $1.examined, of: key) }
      }
    case .note(let note): services.audit.record(AuditRecord(note, in: name, time: services.now()))
    case .change(let change):
      let now = services.now()
      services.log.change(name, change) { self.found($0) { $0.changed($1, now: now) } }
    case .readCheckpoint(let cursor, let first, let maximumBytes, let session):
      services.log.checkpoint(of: name, at: cursor, from: first, maximumBytes: maximumBytes) {
        self.found($0) { $0.foundCheckpoint($1, for: session) }
      }
    case .read(let cursor, let maximumBytes):
      services.log.read(name, from: cursor, maximumBytes: maximumBytes) {
        self.found($0) { $0.found($1, from: cursor) }
      }
    }
  }

  private func send(_ message: [UInt8], to sessions: [UInt64], isFeed: Bool) {
    fanOut.send(message, to: sessions.compactMap { connections[$0] }, feedFrom: isFeed ? self : nil)
  }

  private func append() {
    let entries = outgoing
    outgoing = []
    guard let last = entries.last?.entry.cursor else { return }
    services.log.append(entries, to: name) { self.found($0) { room, _ in room.appended(through: last) } }
  }

  /// Hands an answer of the log to the room.
  private func found<Value: Sendable>(
    _ result: Result<Value, RelayLogError>,
    _ input: @escaping @Sendable (inout RelayRoom, Value) -> [RelayRoom.Effect]
  ) {
    loop.execute {
      switch result {
      case .success(let value): self.handle { input(&$0, value) }
      case .failure(let error): self.failed(error)
      }
      self.retireIfIdle()
    }
  }
}
