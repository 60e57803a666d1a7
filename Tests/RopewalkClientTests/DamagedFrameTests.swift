import DamagedFiles
import NIOCore
import NIOEmbedded
import NIOWebSocket
import RopewalkCore
import RopewalkSync
import RopewalkZstd
import Testing

@testable import RopewalkClient

/// What a relay sends, through the client's pipeline and session, with damage.
@Suite(.timeLimit(.minutes(60))) struct DamagedFrameTests {
  private static let room = RoomName("team")!
  private static let number = RoomNumber(rawValue: 1)

  private static let messages: [[UInt8]] = {
    let key = DocumentKey(name: DocumentName("notes")!, lineage: .blank)
    var digest = LogDigest.zero
    let entries = (1...6 as ClosedRange<UInt64>).map { cursor in
      let span = EventSpan(replica: ReplicaID(rawValue: 7), seqs: UInt32(cursor)..<UInt32(cursor) + 1)
      let entry = LogEntry(
        cursor: cursor, subject: [65], time: 5, header: EntryHeader(document: key, span: span),
        payload: [UInt8](repeating: 1, count: 90))
      digest = entry.digest(after: digest)
      return entry
    }
    let plain: [RelayMessage] = [
      .welcome(
        RelayMessage.Welcome(
          version: 1, features: .all, codecs: .zstd, session: 3, subject: [65], expires: nil, time: 9,
          limits: Limits())),
      .joined(RelayMessage.Joined(room: room, number: number, role: .edit, head: 6, isRestart: false)),
      .presence(
        room: number, isComplete: true, [RelayMessage.PresenceValue(session: 1, subject: [66], value: [1])]),
    ]
    let packed = RelayMessage.entries(room: number, entries).encoded
    let rest: [RelayMessage] = [
      .caughtUp(room: number, cursor: 6, digest: digest),
      .acknowledged(room: number, [RelayMessage.Acknowledgement(push: 1, cursor: 7)]),
      .refused(room: number, push: 2, .covered(missing: [3..<5], through: 6)),
      .role(room: number, .view), .pong(4), .error(room: room, ProtocolError(.unavailable, "A sentence.")),
    ]
    return plain.map { Envelope.plain($0.encoded) }
      + [Envelope.zstd(frame: Zstd.compress(packed), size: packed.count)]
      + rest.map { Envelope.plain($0.encoded) }
  }()

  @Test func damagedFramesEndTheConnectionAndNothingElse() async throws {
    var delivered = 0
    try await DamageRun("frames to the client", count: 2000).forEach { _, random in
      delivered += try await Self.deliveries(of: Self.converse(&random))
    }
    #expect(delivered > 0)
  }

  /// Feeds a conversation into the pipeline; what comes out of it waits in the connection then.
  private static func converse(_ random: inout DamageRandom) throws -> WebSocketConnection {
    let loop = EmbeddedEventLoop()
    let channel = EmbeddedChannel(loop: loop)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    // As NIO's upgrader lays them.
    try channel.pipeline.syncOperations.addHandlers([
      WebSocketFrameEncoder(),
      ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: WebSocketTransport.largestMessage)),
      WebSocketProtocolErrorHandler(isServer: false),
    ])
    let connection = try WebSocketTransport.addHandlers(to: channel)
    var rest = FrameDamage.conversation(messages, isMasked: false, using: &random)[...]
    while !rest.isEmpty, channel.isActive {
      let count = random.once(in: 3) ? rest.count : 1 + random.below(min(rest.count, 200))
      _ = try? channel.writeInbound(ByteBuffer(bytes: rest.prefix(count)))
      rest = rest.dropFirst(count)
      loop.run()
      while try channel.readOutbound(as: ByteBuffer.self) != nil {}
    }
    _ = try? channel.finish(acceptAlreadyClosed: true)
    return connection
  }

  /// How many of the log's entries a session delivers that hears what came over the connection, up to the
  /// first message that is none.
  private static func deliveries(of connection: WebSocketConnection) async -> Int {
    var session = ClientSession(ClientSession.Configuration(token: [], codecs: .zstd, agent: []))
    _ = session.connected(now: 0)
    _ = session.join(room, cursor: 0, digest: .zero, now: 0)
    var delivered = 0
    for await event in connection.incoming {
      guard case .message(let bytes) = event else { break }
      let message = try? Envelope.open(
        bytes, largestMessage: WebSocketTransport.largestMessage, takesSegments: true
      ) {
        try? Zstd.decompress(Array($0), maximumBytes: $1)
      }
      guard let message else { break }
      for effect in session.received(message, now: 1) {
        if case .deliver(_, let entries, _, _) = effect { delivered += entries.count }
      }
      _ = session.tick(now: 2)
    }
    return delivered
  }
}
