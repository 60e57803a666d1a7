import NIOCore
import NIOPosix
import RopewalkCore
import RopewalkSync
import RopewalkZstd

/// One client: a raw socket that speaks just enough of WebSocket and the protocol. Outlives its connections.
///
/// `@unchecked Sendable` because everything that changes is touched on its crew's loop alone.
final class LoadMember: ChannelInboundHandler, @unchecked Sendable {
  typealias InboundIn = ByteBuffer

  enum Stage {
    case away, upgrading, greeting, joining, live
  }

  /// Counts all clients.
  let index: Int
  let room: LoadRoom
  let crew: LoadCrew
  /// The one in its room that reads every entry and computes the log's digest.
  let isScribe: Bool
  var stage = Stage.away
  /// Does not read just now.
  private(set) var isStalled = false
  var channel: (any Channel)?
  private var rest: ByteBuffer?
  /// Who waits until this client is in its room.
  private var arrival: EventLoopPromise<Void>?

  var number = RoomNumber(rawValue: 0)
  /// The last entry that arrived.
  var cursor: UInt64 = 0
  private let replica = ReplicaID(rawValue: .random(in: 1 ... .max))
  private var nextSequence: UInt32 = 0
  private var nextPush: UInt64 = 1
  private var sentAt: [UInt64: UInt64] = [:]
  /// The connection ends because this client wants it.
  private var isLeaving = false

  init(index: Int, room: LoadRoom, crew: LoadCrew, isScribe: Bool) {
    self.index = index
    self.room = room
    self.crew = crew
    self.isScribe = isScribe
  }

  // MARK: Connecting

  /// Connects and joins; the promise is fulfilled when the room's log has been read.
  func connect(_ bootstrap: ClientBootstrap, to port: Int, arrival: EventLoopPromise<Void>) {
    self.arrival = arrival
    rest = nil
    stage = .upgrading
    bootstrap.connect(host: "127.0.0.1", port: port).whenFailure { self.fail($0) }
  }

  /// Leaves, unless it waits for answers or nobody else does what it does, and comes back.
  func comeAgain() {
    guard stage == .live, sentAt.isEmpty, !isScribe, !isStalled else { return }
    isLeaving = true
    channel?.close(promise: nil)
  }

  private func comeBack() {
    let arrival = crew.loop.makePromise(of: Void.self)
    do { connect(try crew.bootstrap(for: self), to: crew.port, arrival: arrival) } catch {
      arrival.fail(error)
    }
    arrival.futureResult.whenFailure { [self] _ in
      crew.tally.lost += 1
      crew.loop.scheduleTask(in: .seconds(1)) { self.comeBack() }
    }
  }

  private func fail(_ error: any Error) {
    stage = .away
    arrival?.fail(error)
    arrival = nil
  }

  func channelActive(context: ChannelHandlerContext) {
    channel = context.channel
    context.writeAndFlush(NIOAny(ClientFrames.upgrade(host: "127.0.0.1")), promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    if stage == .live, !isLeaving { crew.tally.lost += 1 }
    let mustReturn = isLeaving
    isLeaving = false
    isStalled = false
    channel = nil
    sentAt = [:]
    fail(LoadError("a connection was closed"))
    if mustReturn { comeBack() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var buffer = unwrapInboundIn(data)
    if rest != nil {
      rest?.writeBuffer(&buffer)
      buffer = rest ?? buffer
      rest = nil
    }
    if stage == .upgrading {
      guard let end = Self.endOfHead(buffer) else { return rest = buffer }
      guard buffer.getString(at: buffer.readerIndex, length: 12) == "HTTP/1.1 101" else {
        return context.close(promise: nil)
      }
      buffer.moveReaderIndex(to: end)
      greet()
    }
    while let (opcode, payload) = ClientFrames.next(buffer) {
      switch opcode {
      case 2: received(buffer, payload)
      case 8: context.close(promise: nil)
      case 9: write(opcode: 10, buffer.getBytes(at: payload.lowerBound, length: payload.count) ?? [])
      default: break
      }
      buffer.moveReaderIndex(to: payload.upperBound)
    }
    if buffer.readableBytes > 0 { rest = buffer }
  }

  private static func endOfHead(_ buffer: ByteBuffer) -> Int? {
    let view = buffer.readableBytesView
    guard view.count >= 4 else { return nil }
    for index in view.startIndex...(view.endIndex - 4)
    where view[index..<index + 4].elementsEqual([13, 10, 13, 10]) { return index + 4 }
    return nil
  }

  private func greet() {
    stage = .greeting
    switch crew.dialect {
    case .relay:
      say(.hello(ClientMessage.Hello(codecs: crew.plan.compressed ? .zstd : [], token: [])))
    case .bare: write(opcode: 2, room.name.utf8)
    }
  }

  func arrived() {
    stage = .live
    arrival?.succeed()
    arrival = nil
  }

  // MARK: Writing

  func say(_ message: ClientMessage) { write(opcode: 2, Envelope.plain(message.encoded)) }

  private func write(opcode: UInt8, _ payload: [UInt8]) {
    channel?.writeAndFlush(ClientFrames.frame(opcode: opcode, payload), promise: nil)
  }

  /// Sends an update, which carries the time.
  func push() {
    guard stage == .live else { return }
    let now = NIODeadline.now().uptimeNanoseconds
    var payload = crew.filler
    for place in 0..<8 { payload[place] = UInt8(truncatingIfNeeded: now >> (56 - 8 * UInt64(place))) }
    crew.tally.pushes += 1
    switch crew.dialect {
    case .bare: write(opcode: 2, crew.bareHead + payload)
    case .relay:
      let span = EventSpan(replica: replica, seqs: nextSequence..<nextSequence + 1)
      nextSequence += 1
      sentAt[nextPush] = now
      say(
        .push(
          ClientMessage.Push(
            room: number, number: nextPush, header: EntryHeader(document: crew.document, span: span),
            payload: payload)))
      nextPush += 1
    }
  }

  func answered(_ push: UInt64, isAcknowledged: Bool) {
    guard let sent = sentAt.removeValue(forKey: push) else { return crew.tally.faults += 1 }
    guard isAcknowledged else { return crew.tally.refused += 1 }
    crew.tally.acknowledged += 1
    crew.tally.toAcknowledgement.record(NIODeadline.now().uptimeNanoseconds - sent)
  }

  /// Reads nothing from the socket, or reads on.
  func setReading(_ isReading: Bool) {
    isStalled = !isReading
    channel?.setOption(.autoRead, value: isReading).whenFailure { _ in self.channel?.close(promise: nil) }
  }
}

/// One room, as its clients know it. Used on one event loop.
final class LoadRoom {
  let name: RoomName
  /// How far the scribe has read, and the digest there.
  private(set) var head = LogHead.empty
  /// The digests at all cursors that the scribe has read.
  private var digests: [LogDigest] = [.zero]

  init(_ number: Int) throws {
    guard let name = RoomName("load-\(number)") else { throw LoadError("no room name") }
    self.name = name
  }

  /// The digest at a cursor that is not beyond `head`.
  func digest(at cursor: UInt64) -> LogDigest {
    cursor < UInt64(digests.count) ? digests[Int(cursor)] : .zero
  }

  /// The scribe has read one entry more.
  func advance(to head: LogHead) {
    self.head = head
    digests.append(head.digest)
  }

  /// The scribe begins anew.
  func restart() {
    head = .empty
    digests = [.zero]
  }
}
