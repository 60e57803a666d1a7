import RopewalkCore
import RopewalkSync
import RopewalkZstd

@testable import RopewalkClient

/// Somebody with a token that holds, and a client of their own making: says and hears one protocol message at a time.
final class HostileMember {
  private let connection: any TransportConnection
  private var incoming: AsyncStream<TransportEvent>.AsyncIterator
  private(set) var number = RoomNumber(rawValue: 0)
  private var nextPush: UInt64 = 1
  private var refusals: UInt64 = 0
  /// Where it was asked for a whole checkpoint last.
  private(set) var wantedWhole: UInt64 = 0

  struct Ended: Error {}

  /// Connects, and is a member of `team`.
  init(_ url: String, token: String) async throws {
    guard let address = RelayAddress(url) else { throw Ended() }
    connection = try await WebSocketTransport(trustFile: nil).connect(to: address, timeout: 10_000)
    incoming = connection.incoming.makeAsyncIterator()
    say(.hello(ClientMessage.Hello(codecs: [], token: Array(token.utf8))))
    guard case .welcome = try await hear() else { throw Ended() }
    say(.join(ClientMessage.Join(room: .team, cursor: 0, digest: .zero)))
    while true {
      switch try await hear() {
      case .joined(let joined): number = joined.number
      case .caughtUp: return
      default: break
      }
    }
  }

  func say(_ message: ClientMessage) { connection.send(Envelope.plain(message.encoded)) }

  func hear() async throws -> RelayMessage {
    guard case .message(let bytes)? = await incoming.next() else { throw Ended() }
    connection.consumed(bytes: bytes.count)
    let message = try Envelope.open(bytes, largestMessage: 1 << 24, takesSegments: true) {
      try? Zstd.decompress(Array($0), maximumBytes: $1)
    }
    let heard = try RelayMessage(decoding: message)
    if case .checkpointWanted(_, let cursor, true) = heard { wantedWhole = cursor }
    return heard
  }

  func close() { connection.close(code: 1000) }

  /// Pushes and waits for the answer: nil if it is in the log.
  func push(_ header: EntryHeader, _ payload: [UInt8]) async throws -> Refusal? {
    let number = nextPush
    nextPush += 1
    say(
      .push(
        ClientMessage.Push(
          room: self.number, number: number, refusalsSeen: refusals, header: header, payload: payload)))
    while true {
      switch try await hear() {
      case .acknowledged(_, let acknowledgements):
        if acknowledgements.contains(where: { $0.push == number }) { return nil }
      case .refused(_, number, let refusal):
        refusals += 1
        return refusal
      default: break
      }
    }
  }

  /// Waits until the relay asks for a checkpoint: its cursor, and whether it is wanted whole.
  func wanted() async throws -> (cursor: UInt64, isWhole: Bool) {
    while true {
      if case .checkpointWanted(_, let cursor, let isWhole) = try await hear() { return (cursor, isWhole) }
    }
  }

  func upload(_ parts: [CheckpointPart], at cursor: UInt64) {
    say(
      .checkpoint(
        ClientMessage.Checkpoint(room: number, cursor: cursor, first: 0, isLast: true, parts: parts)))
  }

  func confirm(_ parts: [CheckpointPart], at cursor: UInt64) {
    say(.checkpointDigest(room: number, cursor: cursor, digest: Checkpoint.digest(of: parts)))
  }

  func state() async throws -> RelayMessage.Retention {
    say(.retention(room: number, nil))
    while true { if case .retention(let answer) = try await hear() { return answer } }
  }
}

extension RoomName {
  static let team = RoomName(utf8: Array("team".utf8))!
}

/// A text that one replica typed from its beginning, as events to be pushed or forged.
struct TypedText {
  let document: DocumentKey
  let replica: ReplicaID
  private let text: TextDocument

  init(_ text: String, in name: String, by replica: ReplicaID) {
    document = DocumentKey(name: DocumentName(name)!, lineage: .blank)
    self.replica = replica
    var document = TextDocument()
    document.replica = replica
    document.insert(text, at: 0)
    self.text = document
  }

  func header(_ seqs: Range<UInt32>) -> EntryHeader {
    EntryHeader(document: document, span: EventSpan(replica: replica, seqs: seqs))
  }

  func payload(_ seqs: Range<UInt32>) -> [UInt8] {
    text.update(of: EventSpan(replica: replica, seqs: seqs))?.bytes ?? []
  }
}
