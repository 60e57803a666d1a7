import RopewalkCore
import RopewalkSync
import Synchronization

@testable import RopewalkClient

/// The other end of a `TransportDouble`: a relay that says that the log is read, and then sends thousands of entries, in
/// one message or in one each.
final class BacklogRelay: Sendable {
  private struct State {
    var log: [LogEntry]
    var head = LogHead(cursor: 0, digest: .zero)
    var hellos = 0
    var joins = 0
    var pings = 0
  }

  private let state: Mutex<State>
  let pushes: AsyncStream<EntryHeader>
  private let pushing: AsyncStream<EntryHeader>.Continuation

  private let isOneByOne: Bool
  private let end: ProtocolError?

  /// - Parameters:
  ///   - count: how many letters Bob has typed, each an entry.
  ///   - isOneByOne: whether each entry comes in a message of its own.
  ///   - end: with what the relay ends the membership after that.
  init(_ count: Int, isOneByOne: Bool = false, end: ProtocolError? = nil) throws {
    (self.isOneByOne, self.end) = (isOneByOne, end)
    (pushes, pushing) = AsyncStream.makeStream()
    var author = TextDocument()
    author.replica = ReplicaID(rawValue: 7)
    var state = State(log: [])
    for index in 0..<count {
      let before = author.versionVector
      author.insert("a", at: index)
      let update = author.update(since: before)
      Self.append(EntryHeader(document: .notes, span: update.spans[0]), update.bytes, to: &state)
    }
    self.state = Mutex(state)
  }

  var hellos: Int { state.withLock { $0.hellos } }
  var joins: Int { state.withLock { $0.joins } }
  var pings: Int { state.withLock { $0.pings } }

  var transport: TransportDouble { TransportDouble { [self] in answer($0) } }

  private static func append(_ header: EntryHeader, _ payload: [UInt8], to state: inout State) {
    let entry = LogEntry(
      cursor: state.head.cursor + 1, subject: Array("bob".utf8), time: 1, header: header, payload: payload)
    state.log.append(entry)
    state.head = LogHead(cursor: entry.cursor, digest: entry.digest(after: state.head.digest))
  }

  private func answer(_ bytes: [UInt8]) -> [[UInt8]?] {
    let opened = try? Envelope.open(bytes, largestMessage: 1 << 26, takesSegments: false) { _, _ in nil }
    guard let opened, let message = try? ClientMessage(decoding: opened) else { return [nil] }
    return state.withLock { answer(message, &$0) }.map { Envelope.plain($0.encoded) }
  }

  private func answer(_ message: ClientMessage, _ state: inout State) -> [RelayMessage] {
    let number = RoomNumber(rawValue: 1)
    switch message {
    case .hello:
      state.hellos += 1
      return [
        .welcome(
          RelayMessage.Welcome(
            version: WireProtocol.versions.upperBound, features: [], codecs: [], session: 1, subject: [65],
            expires: nil, time: 0, limits: Limits()))
      ]
    case .join(let join):
      state.joins += 1
      let joined = RelayMessage.joined(
        RelayMessage.Joined(
          room: join.room, number: number, role: .edit, head: state.head.cursor, isRestart: false))
      let missing = Array(state.log.dropFirst(Int(join.cursor)))
      let rest = RelayMessage.entries(room: number, missing)
      if join.cursor == 0 {
        let messages = isOneByOne ? missing.map { .entries(room: number, [$0]) } : [rest]
        let last = end.map { [RelayMessage.error(room: join.room, $0)] } ?? []
        return [joined, .caughtUp(room: number, cursor: 0, digest: .zero)] + messages + last
      }
      let end = RelayMessage.caughtUp(room: number, cursor: state.head.cursor, digest: state.head.digest)
      return join.cursor == state.head.cursor ? [joined, end] : [joined, rest, end]
    case .push(let push):
      pushing.yield(push.header)
      Self.append(push.header, push.payload, to: &state)
      let acknowledgement = RelayMessage.Acknowledgement(push: push.number, cursor: state.head.cursor)
      return [.acknowledged(room: number, [acknowledgement]), .entries(room: number, state.log.suffix(1))]
    case .ping(let ping):
      state.pings += 1
      return [.pong(ping)]
    default: return []
    }
  }
}
