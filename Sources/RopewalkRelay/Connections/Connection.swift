import Logging
import NIOCore
import NIOWebSocket
import RopewalkSync
import RopewalkZstd

/// One client's connection, from the upgrade on: its session, and the rooms it is in.
///
/// `@unchecked Sendable` because everything that changes is touched on `loop` alone; `codecs` and `features` are
/// set before the connection enters its first room, and rooms learn of the connection by a hop that comes after.
final class Connection: MessageSocketUser, @unchecked Sendable {
  let id: UInt64
  let loop: any EventLoop
  private(set) var codecs: Codecs = []
  /// Folded entries may be sent as they are stored.
  private(set) var takesSegments = false
  /// The optional parts that were agreed on.
  private(set) var features: Features = []
  /// The network address that the connection comes from.
  let address: String?
  let services: RelayServices
  let meters: LoopMeters
  let directory: RoomDirectory
  var session: RelaySession
  var rooms: [RoomNumber: RoomHost] = [:]
  /// Nil before the upgrade is done, and when the channel is gone.
  private var socket: MessageSocket?
  private let visit: Visit
  /// Who is there, once it is proved.
  var identity: Identity?
  /// What the subject's connections have used together; nil for those without a token.
  var account: SubjectAccount?
  /// What is wrong with the token, for the audit log.
  var refusalDetail: String?
  private var timer: (deadline: UInt64, task: Scheduled<Void>)?
  private var hasEnded = false
  /// Answers that were written since the peer has stopped to take anything.
  private var unreadBytes = 0

  /// The most of them.
  private static let mostUnreadBytes = 256 << 10
  /// What an envelope and a zstd frame may add to a message.
  private static let envelopeBytes = 64

  init(
    loop: any EventLoop, address: String?, services: RelayServices, directory: RoomDirectory, visit: Visit
  ) {
    id = UInt64.random(in: 1 ... .max)
    self.loop = loop
    self.address = address
    self.services = services
    self.visit = visit
    meters = services.meters[loop]
    self.directory = directory
    session = RelaySession(id: id, configuration: services.sessionConfiguration, now: services.now())
  }

  /// The largest WebSocket message, and frame, that is worth gathering.
  static func largestFrame(_ limits: Limits) -> Int { Int(limits.largestMessage) + envelopeBytes }

  /// Runs on the connection's loop: now if this is it.
  func onLoop(_ body: @escaping @Sendable () -> Void) {
    if loop.inEventLoop { body() } else { loop.execute(body) }
  }

  func opened(_ socket: MessageSocket) {
    self.socket = socket
    services.connections.insert(self)
    schedule()
  }

  func heard(isSign: Bool, on socket: MessageSocket) {
    let now = services.now()
    perform(isSign ? session.heard(now: now) : session.received(frameOf: 0, now: now))
  }

  func sentTooMuch(on socket: MessageSocket) {
    perform(session.close(ProtocolError(.tooLarge, "Too much was sent before the welcome.")))
  }

  func changed(isWritable: Bool, on socket: MessageSocket) {
    if isWritable { unreadBytes = 0 }
    for host in rooms.values { tell(host, isReady: isWritable) }
  }

  func received(_ buffer: ByteBuffer, on socket: MessageSocket) {
    let limits = services.sessionConfiguration.limits
    let now = services.now()
    meters.messagesIn.add(1)
    meters.bytesIn.add(buffer.readableBytes)
    do {
      let message = try Envelope.open(
        Array(buffer.readableBytesView), largestMessage: Int(limits.largestMessage),
        takesSegments: false
      ) {
        try? Zstd.decompress(Array($0), maximumBytes: $1)
      }
      let others = account?.charge(bytes: message.count, now: now) ?? .fine
      perform(session.received(message, now: now, others: others))
    } catch {
      let code: ErrorCode = error.code == .overLimit ? .tooLarge : .protocolViolation
      perform(session.close(ProtocolError(code, "A message is damaged or too large.")))
    }
    schedule()
  }

  /// Called when the session has been opened.
  func greeted() {
    codecs = session.codecs
    features = session.features
    takesSegments = codecs.contains(.zstd) && features.contains(.segments)
    meters.greeted.add(1)
    visit.greeted()
    socket?.trust()
  }

  // MARK: Writing

  /// Writes a shared message; with a host, the room is told when the socket takes more.
  func write(_ message: OutgoingMessage, feedFrom host: RoomHost?) {
    let frame = message.frame(codecs, takesSegments: takesSegments)
    meters.plainBytesOut.add(message.plain.readableBytes - frame.readableBytes)
    guard let host else { return write(frame) }
    guard let socket, socket.isOpen else { return }
    count(frame)
    socket.write(frame) { self.tell(host, isReady: true) }
  }

  /// Writes a frame; nothing follows a close frame.
  func write(_ frame: ByteBuffer) {
    guard let socket, socket.isOpen else { return }
    count(frame)
    socket.write(frame)
  }

  /// Writes an answer. Entries are fed to a peer as it reads; answers are owed to it, and whoever goes on
  /// asking without reading them is closed.
  func writeAnswer(_ frame: ByteBuffer) {
    write(frame)
    guard let socket, socket.isOpen, !socket.isWritable else { return }
    unreadBytes += frame.readableBytes
    guard unreadBytes > Self.mostUnreadBytes else { return }
    unreadBytes = 0
    perform(
      session.close(ProtocolError(.overloaded, retry: .after(milliseconds: 5000), "Answers are not read.")))
  }

  private func count(_ frame: ByteBuffer) {
    meters.messagesOut.add(1)
    meters.bytesOut.add(frame.readableBytes)
    meters.plainBytesOut.add(frame.readableBytes)
  }

  private func tell(_ host: RoomHost, isReady: Bool) {
    let id = id
    if host.loop.inEventLoop {
      isReady ? host.ready(id) : host.busy(id)
    } else {
      host.loop.execute { isReady ? host.ready(id) : host.busy(id) }
    }
  }

  // MARK: Closing

  /// Sends a close frame; the channel is closed when the peer has answered, or has had its time.
  func close(code: UInt16, reason: [UInt8] = []) { socket?.close(code: code, reason: reason) }

  /// Closes without waiting for the peer.
  func drop() { socket?.drop() }

  func ended(_ socket: MessageSocket) {
    guard !hasEnded else { return }
    hasEnded = true
    timer?.task.cancel()
    timer = nil
    leaveRooms()
  }

  func gone(_ socket: MessageSocket) {
    self.socket = nil
    if let account { services.subjects.leave(account, now: services.now()) }
    account = nil
    services.connections.remove(id)
  }

  private func leaveRooms() {
    _ = session.takeRooms()
    let hosts = rooms.values
    rooms = [:]
    for host in hosts {
      audit(.left, room: host.name)
      leave(host)
    }
  }

  func leave(_ host: RoomHost) {
    if host.loop.inEventLoop { host.leave(self) } else { host.loop.execute { host.leave(self) } }
  }

  // MARK: Time

  /// Keeps one timer that is never later than the session's deadline.
  func schedule() {
    guard !hasEnded, let deadline = session.nextDeadline else { return }
    if let timer, timer.deadline <= deadline { return }
    timer?.task.cancel()
    let now = services.now()
    let wait = TimeAmount.milliseconds(Int64(clamping: deadline > now ? deadline - now : 0))
    let task = loop.scheduleTask(in: wait) {
      self.timer = nil
      self.perform(self.session.tick(now: self.services.now()))
      self.schedule()
    }
    timer = (deadline, task)
  }
}
