import RopewalkCore
import RopewalkSync

/// The relay's room logic without sockets and disk, as the OT server beside it has none either: takes in messages as they
/// come off the wire, and gives those that go to everybody.
struct RelayStandIn {
  private var room: RelayRoom
  private static let number = RoomNumber(rawValue: 1)
  private let key: DocumentKey

  /// How many entries the log has.
  private(set) var head: UInt64 = 0

  init(sessions: Int, lineage: Lineage) throws {
    guard let name = RoomName("bench"), let document = DocumentName("text") else {
      throw BenchError("a name breaks the rule")
    }
    // All coverage stays in memory: there is no log to read it from again.
    room = RelayRoom(
      name, number: Self.number, head: .empty, configuration: .init(coverageBound: .max))
    key = DocumentKey(name: document, lineage: lineage)
    let owner = Owner(subject: Array("user".utf8))
    for session in 0..<UInt64(sessions) {
      keep(room.join(session, owner: owner, role: .edit, features: [], cursor: 0, digest: .zero))
    }
  }

  /// The message by which a client offers an update of one span.
  func pushMessage(_ update: Update, number: UInt64) -> [UInt8] {
    let header = EntryHeader(document: key, span: update.spans[0])
    return ClientMessage.push(
      .init(room: Self.number, number: number, header: header, payload: update.bytes)
    ).encoded
  }

  /// Takes in a push.
  mutating func receive(_ message: [UInt8], from session: UInt64) throws {
    guard case .push(let push) = try ClientMessage(decoding: message) else {
      throw BenchError("the relay got another message than a push")
    }
    for case .append(let new) in room.push(push, from: session, now: head) { head = new.entry.cursor }
  }

  /// Everything taken in is durable: the messages for all sessions.
  mutating func publish() -> [[UInt8]] {
    guard head > room.durable.cursor else { return [] }
    return room.appended(through: head).compactMap { effect in
      if case .send(_, let message) = effect { message } else { nil }
    }
  }

  /// What a client finds in a message for all.
  static func entries(in message: [UInt8]) throws -> [LogEntry] {
    guard case .entries(_, let entries) = try RelayMessage(decoding: message) else { return [] }
    return entries
  }
}
