import DamagedFiles
import Logging
import NIOCore
import NIOEmbedded
import RopewalkCore
import RopewalkSync
import RopewalkZstd
import Testing

@testable import RopewalkRelay

/// What a client sends, from the first byte of HTTP on, through the relay's whole pipeline, with damage.
@Suite(.timeLimit(.minutes(60))) struct DamagedConversationTests {
  private static let request = Array(
    """
    GET /sync HTTP/1.1\r
    Host: localhost\r
    Connection: Upgrade\r
    Upgrade: websocket\r
    Sec-WebSocket-Version: 13\r
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
    \r

    """.utf8)

  private static let messages: [[UInt8]] = {
    let room = RoomNumber(rawValue: 1)
    let plain: [ClientMessage] = [
      .hello(ClientMessage.Hello(codecs: .zstd, token: Array("token".utf8), agent: Array("test".utf8))),
      .join(ClientMessage.Join(room: .test, cursor: 0, digest: .zero)),
      .push(ClientMessage.Push(room: room, number: 1, header: header(0..<10), payload: [1, 2, 3])),
      .push(ClientMessage.Push(room: room, number: 2, header: header(5..<20), payload: [4])),
      .presence(room: room, value: [9, 9]), .ping(7), .token([]), .presence(room: room, value: nil),
    ]
    let long = ClientMessage.push(
      ClientMessage.Push(
        room: room, number: 3, header: header(10..<20), payload: [UInt8](repeating: 3, count: 300))
    ).encoded
    return plain.map { Envelope.plain($0.encoded) } + [
      Envelope.zstd(frame: Zstd.compress(long), size: long.count),
      Envelope.plain(ClientMessage.leave(room).encoded),
    ]
  }()

  @Test func damagedConversationsEndTheConnectionAndNothingElse() async throws {
    var pushed = 0
    try await DamageRun("conversations with the relay", count: 2000).forEach { _, random in
      pushed += try converse(&random)
    }
    // The damage leaves some of what is said before it whole.
    #expect(pushed > 0)
  }

  /// Returns how many entries came into the log.
  private func converse(_ random: inout DamageRandom) throws -> Int {
    var limits = Limits()
    limits.largestMessage = 1 << 16
    limits.largestPayload = 1 << 15
    let log = MemoryLog()
    let loop = EmbeddedEventLoop()
    let services = RelayServices(
      log: log, credentials: Credentials(), audit: AuditLog(folder: "/dev/null/nowhere"),
      meters: Meters(loops: [loop]), connections: ConnectionRegistry(),
      sessionConfiguration: RelaySession.Configuration(limits: limits, patience: 10_000),
      roomConfiguration: RelayRoom.Configuration(limits: limits, batchBytes: 1 << 14),
      logger: quiet, now: { 1000 })
    let directory = RoomDirectory(loops: [loop], services: services)
    let admission = Admission(limit: 10, mostStrangers: 10)
    let routes = HTTPRoutes(
      hasSync: true, metricsAccess: .everybody, readiness: Readiness(log: log, now: services.now),
      metrics: Metrics(services: services, directory: directory, admission: admission, started: 0),
      meters: services.meters, audit: services.audit, now: services.now)
    let listener = Listener(
      services: services, directory: directory,
      flushers: [ObjectIdentifier(loop): Flusher(loop: loop)], origins: try Origins(["loopback"]),
      admission: admission, routes: routes, certificate: nil)
    let channel = EmbeddedChannel(loop: loop)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try listener.prepare(channel)

    var request = Self.request
    if random.once(in: 16) { ByteDamage.damage(&request, using: &random) }
    let frames = FrameDamage.conversation(Self.messages, isMasked: true, using: &random)
    var sent = 0
    var rest = (request + frames)[...]
    while !rest.isEmpty, channel.isActive {
      let count = random.once(in: 3) ? rest.count : 1 + random.below(min(rest.count, 200))
      _ = try? channel.writeInbound(ByteBuffer(bytes: rest.prefix(count)))
      rest = rest.dropFirst(count)
      loop.run()
      while let out = try channel.readOutbound(as: ByteBuffer.self) { sent += out.readableBytes }
    }
    #expect(sent < 1 << 20)
    #expect(log.largestPayload <= 1 << 15)
    loop.advanceTime(by: .seconds(60))
    _ = try? channel.finish(acceptAlreadyClosed: true)
    #expect(services.connections.count == 0 && admission.open == 0)
    return log.count
  }
}
