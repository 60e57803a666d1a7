import RopewalkCore
import RopewalkRelay
import RopewalkSync
import RopewalkZstd

@testable import RopewalkClient

/// A member with a client of their own making, who speaks the protocol and keeps to nothing else: says and hears one
/// message at a time.
final class HostileMember {
  struct Ended: Error {}

  private let connection: any TransportConnection
  private var incoming: AsyncStream<TransportEvent>.Iterator
  private(set) var number = RoomNumber(rawValue: 0)
  private var pushes: UInt64 = 0
  private var refusals: UInt64 = 0
  /// Where it was asked for a whole checkpoint last.
  private(set) var wantedWhole: UInt64 = 0
  /// What was read of the log.
  private(set) var entries: [LogEntry] = []
  /// Presence values of others, as they came.
  private(set) var envelopes: [PresenceEnvelope] = []
  /// Ids that presence has shown before the log did.
  private(set) var leaked: Set<ReplicaID> = []

  /// Joins `team` and reads its log to the end.
  init(_ relay: Relay, token: String = "", identity: [UInt8] = []) async throws {
    guard let address = RelayAddress(relay.url) else { throw Ended() }
    connection = try await WebSocketTransport().connect(to: address, timeout: 10_000)
    incoming = connection.incoming.makeAsyncIterator()
    say(.hello(ClientMessage.Hello(codecs: [], token: Array(token.utf8), identity: identity)))
    while true {
      switch try await hear() {
      case .welcome: say(.join(ClientMessage.Join(room: .team, cursor: 0, digest: .zero)))
      case .joined(let joined): number = joined.number
      case .caughtUp: return
      default: break
      }
    }
  }

  deinit { close() }

  func close() { connection.close(code: 1000) }

  func say(_ message: ClientMessage) { connection.send(Envelope.plain(message.encoded)) }

  func hear() async throws -> RelayMessage {
    guard case .message(let bytes)? = await incoming.next() else { throw Ended() }
    connection.consumed(bytes: bytes.count)
    let message = try Envelope.open(bytes, largestMessage: 1 << 26, takesSegments: true) {
      try? Zstd.decompress(Array($0), maximumBytes: $1)
    }
    let heard = try RelayMessage(decoding: message)
    switch heard {
    case .entries(_, let more): entries += more
    case .checkpointWanted(_, let cursor, true): wantedWhole = cursor
    case .presence(_, _, let values):
      let new = values.compactMap { $0.value.flatMap { try? PresenceEnvelope(decoding: $0) } }
      envelopes += new
      let shown = new.flatMap { $0.events.map(\.replica) }
      leaked.formUnion(Set(shown).subtracting(entries.map(\.header.span.replica)))
    case .error: throw Ended()
    default: break
    }
    return heard
  }

  /// Reads on until something is so.
  func reads(until isEnough: (HostileMember) -> Bool) async throws {
    while !isEnough(self) { _ = try await hear() }
  }

  enum Answer: Equatable {
    case cursor(UInt64)
    case refusal(Refusal)

    var isInLog: Bool { if case .cursor = self { true } else { false } }
  }

  /// Pushes and waits for the answer.
  func push(_ header: EntryHeader, _ payload: [UInt8]) async throws -> Answer {
    pushes += 1
    let push = ClientMessage.Push(
      room: number, number: pushes, refusalsSeen: refusals, header: header, payload: payload)
    say(.push(push))
    while true {
      switch try await hear() {
      case .acknowledged(_, let acknowledgements):
        if let own = acknowledgements.first(where: { $0.push == pushes }) { return .cursor(own.cursor) }
      case .refused(_, pushes, let refusal):
        if refusal != .overtaken { refusals += 1 }
        return .refusal(refusal)
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

  /// What it would write as `replica` after all that is in the log, from event `first` on; with parents that
  /// nobody has, if wanted.
  func forged(
    _ text: String, as replica: ReplicaID, from first: UInt32 = 0, document key: DocumentKey = .notes,
    isAfterUnknown: Bool = false
  ) throws -> (EntryHeader, [UInt8]) {
    var document = TextDocument(lineage: key.lineage)
    for entry in entries where entry.header.document == key {
      if let update = try? Update(bytes: entry.payload) { _ = try? document.apply(update) }
    }
    if isAfterUnknown {
      document.replica = ReplicaID(rawValue: .random(in: 0 ... .max))
      document.insert("?", at: 0)
    }
    document.replica = replica
    while document.versionVector[replica] < first { document.insert("-", at: document.scalarCount) }
    let start = document.versionVector[replica]
    document.insert(text, at: document.scalarCount)
    let span = EventSpan(replica: replica, seqs: start..<document.versionVector[replica])
    guard let update = document.update(of: span) else { throw Ended() }
    return (EntryHeader(document: key, span: span), update.bytes)
  }
}

extension RoomName {
  static let team = RoomName(utf8: Array("team".utf8))!
}

extension DocumentKey {
  /// `notes.md`, blank at first.
  static let notes = DocumentKey(name: DocumentName("notes.md")!, lineage: .blank)
}
