import NIOCore
import NIOPosix
import RopewalkCore
import RopewalkRelay
import RopewalkSync

/// A relay that keeps to the protocol and says hostile things wherever it may say something.
final class HostileRelay: Sendable {
  let url: String
  private let channel: any Channel

  /// - Parameter text: said as subject and as sentence.
  init(saying text: String) async throws {
    let words = Array(text.utf8)
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try WebSocketUpgrade.prepare(
            channel, strangerBytes: 1 << 20, largestFrame: 1 << 20, admits: { _ in true },
            open: { channel in
              MessageSocket(
                loop: channel.eventLoop, flusher: Flusher(loop: channel.eventLoop), largestMessage: 1 << 20,
                user: Session(words))
            })
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    url = "ws://127.0.0.1:\(channel.localAddress?.port ?? 0)/sync"
  }

  func stop() async { try? await channel.close() }

  private final class Session: MessageSocketUser {
    private let words: [UInt8]

    init(_ words: [UInt8]) { self.words = words }

    func opened(_ socket: MessageSocket) { socket.trust() }

    func received(_ buffer: ByteBuffer, on socket: MessageSocket) {
      guard
        let bytes = try? Envelope.open(
          Array(buffer.readableBytesView), largestMessage: 1 << 20, takesSegments: false,
          inflate: { _, _ in nil }),
        let message = try? ClientMessage(decoding: bytes)
      else { return socket.close(code: 4001) }
      for answer in answers(to: message) {
        socket.write(WebSocketFraming.binary(Envelope.plain(answer.encoded)))
      }
    }

    private func answers(to message: ClientMessage) -> [RelayMessage] {
      switch message {
      case .hello(let hello):
        if hello.token.elementsEqual("refuse".utf8) {
          return [.error(room: nil, ProtocolError(.unauthenticated, retry: .never, sentence: words))]
        }
        var limits = Limits()
        limits.rooms = 8
        return [
          .welcome(
            RelayMessage.Welcome(
              version: hello.versions.upperBound, features: [], codecs: [], session: 1, subject: words,
              expires: nil,
              time: 0, limits: limits))
        ]
      case .join(let join):
        if join.room.text == "refused" {
          return [.error(room: join.room, ProtocolError(.forbidden, retry: .never, sentence: words))]
        }
        return log(of: join)
      case .ping(let number): return [.pong(number)]
      case .retention(let room, _):
        return [.retention(RelayMessage.Retention(room: room, retention: .days(3), oldest: 1, checkpoint: 0))]
      default: return []
      }
    }

    /// A text, and bytes that are no update.
    private func log(of join: ClientMessage.Join) -> [RelayMessage] {
      let number = RoomNumber(rawValue: 1)
      var text = TextDocument()
      text.replica = ReplicaID(rawValue: 3)
      text.insert("text\n", at: 0)
      let span = EventSpan(replica: ReplicaID(rawValue: 3), seqs: 0..<5)
      let other = EventSpan(replica: ReplicaID(rawValue: 4), seqs: 0..<5)
      guard let name = DocumentName("notes"), let update = text.update(of: span) else { return [] }
      var digest = LogDigest.zero
      let entries = [(span, update.bytes), (other, [1, 2, 3])].enumerated().map { index, piece in
        let entry = LogEntry(
          cursor: UInt64(index) + 1, subject: words, time: 5_000_000,
          header: EntryHeader(document: DocumentKey(name: name, lineage: .blank), span: piece.0),
          payload: piece.1)
        digest = entry.digest(after: digest)
        return entry
      }
      let joined = RelayMessage.Joined(
        room: join.room, number: number, role: .own, head: 2, isRestart: join.cursor > 2)
      return [.joined(joined)] + (join.cursor == 2 ? [] : [.entries(room: number, entries)])
        + [.caughtUp(room: number, cursor: 2, digest: digest)]
    }

    func heard(isSign: Bool, on socket: MessageSocket) {}
    func sentTooMuch(on socket: MessageSocket) {}
    func changed(isWritable: Bool, on socket: MessageSocket) {}
    func ended(_ socket: MessageSocket) {}
    func gone(_ socket: MessageSocket) {}
  }
}
