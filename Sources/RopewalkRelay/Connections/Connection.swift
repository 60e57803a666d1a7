import Logging
import NIOCore
import NIOWebSocket
import RopewalkSync
import RopewalkZstd

/// One client's connection, from the upgrade on: the last handler of its channel.
///
/// `@unchecked Sendable` because everything that changes is touched on `loop` alone; `codecs` is set before
/// the connection enters its first room, and rooms learn of the connection by a hop that comes after.
final class Connection: ChannelInboundHandler, @unchecked Sendable {
  typealias InboundIn = WebSocketFrame

  let id: UInt64
  let loop: any EventLoop
  private(set) var codecs: Codecs = []
  /// Folded entries may be sent as they are stored.
  private(set) var takesSegments = false
  /// A checkpoint may be sent, and asked for.
  private(set) var takesCheckpoints = false
  /// The network address that the connection comes from.
  let address: String?
  let services: RelayServices
  let meters: LoopMeters
  let directory: RoomDirectory
  var session: RelaySession
  var rooms: [RoomNumber: RoomHost] = [:]
  private var assembler: MessageAssembler
  private let flusher: Flusher
  private var context: ChannelHandlerContext?
  /// Frames are written from here: made once and shared, they must not be made again by the encoder.
  private var belowEncoder: ChannelHandlerContext?
  private var greeting: GreetingBudget?
  private let visit: Visit
  /// Who is there, once it is proved.
  var identity: Identity?
  /// What is wrong with the token, for the audit log.
  var refusalDetail: String?
  private var timer: (deadline: UInt64, task: Scheduled<Void>)?
  private var isClosing = false
  private var needsFlush = false

  /// How long a peer may take to answer a close frame.
  private static let closingTime = TimeAmount.seconds(2)
  /// What an envelope and a zstd frame may add to a message.
  private static let envelopeBytes = 64

  init(
    loop: any EventLoop, address: String?, services: RelayServices, directory: RoomDirectory,
    flusher: Flusher, greeting: GreetingBudget, visit: Visit
  ) {
    id = UInt64.random(in: 1 ... .max)
    self.loop = loop
    self.address = address
    self.services = services
    self.visit = visit
    meters = services.meters[loop]
    self.directory = directory
    self.flusher = flusher
    self.greeting = greeting
    let limits = services.sessionConfiguration.limits
    assembler = MessageAssembler(largestMessage: Int(limits.largestMessage) + Self.envelopeBytes)
    session = RelaySession(id: id, configuration: services.sessionConfiguration, now: services.now())
  }

  /// The largest WebSocket frame that is worth gathering.
  static func largestFrame(_ limits: Limits) -> Int { Int(limits.largestMessage) + envelopeBytes }

  /// Runs on the connection's loop: now if this is it.
  func onLoop(_ body: @escaping @Sendable () -> Void) {
    if loop.inEventLoop { body() } else { loop.execute(body) }
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    belowEncoder = try? context.pipeline.syncOperations.context(handlerType: WebSocketFrameEncoder.self)
    services.connections.insert(self)
    schedule()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    end()
    self.context = nil
    belowEncoder = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    do throws(MessageAssembler.Fault) {
      switch try assembler.receive(unwrapInboundIn(data)) {
      case nil: perform(session.received(frameOf: 0, now: services.now()))
      case .message(let buffer): if !isClosing { received(buffer) }
      case .ping(let payload):
        perform(session.heard(now: services.now()))
        if !isClosing { write(WebSocketFraming.pong(payload)) }
      case .pong: perform(session.heard(now: services.now()))
      case .close(let code): receivedClose(code)
      }
    } catch { close(code: error.rawValue) }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    let isReady = context.channel.isWritable
    for host in rooms.values { tell(host, isReady: isReady) }
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    case NIOWebSocketError.invalidFrameLength: close(code: MessageAssembler.Fault.tooLarge.rawValue)
    case is NIOWebSocketError: close(code: MessageAssembler.Fault.protocolError.rawValue)
    case is GreetingBudget.Exhausted:
      perform(session.close(ProtocolError(.tooLarge, "Too much was sent before the welcome.")))
    // What follows a frame that could not be read is reported like this, and thrown away.
    case is ByteToMessageDecoderError: close(code: MessageAssembler.Fault.protocolError.rawValue)
    default: context.close(promise: nil)
    }
  }

  private func received(_ buffer: ByteBuffer) {
    let limits = services.sessionConfiguration.limits
    let now = services.now()
    meters.messagesIn.add(1)
    meters.bytesIn.add(buffer.readableBytes)
    do {
      let message = try Envelope.open(
        Array(buffer.readableBytesView), largestMessage: Int(limits.largestMessage)
      ) {
        try? Zstd.decompress(Array($0), maximumBytes: $1)
      }
      perform(session.received(message, now: now))
    } catch {
      let code: ErrorCode = error.code == .overLimit ? .tooLarge : .protocolViolation
      perform(session.close(ProtocolError(code, "A message is damaged or too large.")))
    }
    schedule()
  }

  /// Called when the session has been opened.
  func greeted() {
    codecs = session.codecs
    takesCheckpoints = session.features.contains(.checkpoints)
    takesSegments = codecs.contains(.zstd) && session.features.contains(.segments)
    meters.greeted.add(1)
    visit.greeted()
    if let greeting { context?.pipeline.syncOperations.removeHandler(greeting, promise: nil) }
    greeting = nil
  }

  // MARK: Writing

  /// Writes a shared message; with a host, the room is told when the socket takes more.
  func write(_ message: OutgoingMessage, feedFrom host: RoomHost?) {
    let frame = message.frame(codecs, takesSegments: takesSegments)
    meters.plainBytesOut.add(message.plain.readableBytes - frame.readableBytes)
    guard let host else { return write(frame) }
    guard let channel = context?.channel, !isClosing else { return }
    let promise = loop.makePromise(of: Void.self)
    write(frame, promise)
    promise.futureResult.whenSuccess { if channel.isWritable { self.tell(host, isReady: true) } }
  }

  /// Writes a frame; nothing follows a close frame.
  func write(_ frame: ByteBuffer, _ promise: EventLoopPromise<Void>? = nil) {
    guard let belowEncoder, !isClosing else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    meters.messagesOut.add(1)
    meters.bytesOut.add(frame.readableBytes)
    meters.plainBytesOut.add(frame.readableBytes)
    belowEncoder.write(NIOAny(frame), promise: promise)
    guard !needsFlush else { return }
    needsFlush = true
    flusher.add(self)
  }

  /// Called by the flusher at the end of a tick.
  func flush() {
    needsFlush = false
    belowEncoder?.flush()
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
  func close(code: UInt16?, reason: [UInt8] = []) {
    sendClose(WebSocketFraming.close(code: code, reason: reason), nil)
  }

  /// The peer has closed, or has answered a close.
  private func receivedClose(_ code: UInt16?) {
    guard !isClosing else {
      context?.close(promise: nil)
      return
    }
    let promise = loop.makePromise(of: Void.self)
    promise.futureResult.whenComplete { _ in self.context?.close(promise: nil) }
    sendClose(WebSocketFraming.close(code: code), promise)
  }

  /// Closes without waiting for the peer.
  func drop() { context?.close(promise: nil) }

  private func sendClose(_ frame: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
    guard !isClosing else { return }
    write(frame, promise)
    isClosing = true
    leaveRooms()
    loop.scheduleTask(in: Self.closingTime) { self.context?.close(promise: nil) }
  }

  private func end() {
    isClosing = true
    timer?.task.cancel()
    timer = nil
    leaveRooms()
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
    guard !isClosing, let deadline = session.nextDeadline else { return }
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
