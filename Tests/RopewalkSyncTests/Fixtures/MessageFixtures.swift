import RopewalkCore
import RopewalkSync

/// One message of every kind. What it looks like on the wire stands in `MessageBytes.swift`.
enum MessageFixtures {
  private static let room = RoomNumber(rawValue: 300)
  private static let name = RoomName("team/räume")!
  private static let header = EntryHeader(
    document: DocumentKey(name: DocumentName("notes.md")!, lineage: Lineage(rawValue: 0x0102_0304_0506_0708)),
    span: EventSpan(replica: ReplicaID(rawValue: 0xfedc_ba98_7654_3210), seqs: 5..<200))
  private static let digest = LogDigest(bytes: Array(1...16))!

  private static let limits: Limits = {
    var limits = Limits()
    limits.largestMessage = 4 << 20
    limits.largestPayload = 1 << 20
    limits.pushWindow = 64
    limits.pushWindowBytes = 4 << 20
    limits.pushesPerSecond = 0
    limits.rooms = 1024
    limits.largestPresence = 4096
    limits.presenceInterval = 50
    limits.presenceLifetime = 30_000
    limits.silence = 60_000
    limits.messagesPerSecond = 5000
    limits.bytesPerSecond = 32 << 20
    return limits
  }()

  static let client: [(name: String, message: ClientMessage)] = [
    (
      "hello",
      .hello(
        ClientMessage.Hello(
          versions: 1...3, features: Features(rawValue: 5), codecs: .zstd, token: Array("to.ke.n".utf8),
          agent: Array("test/1".utf8)))
    ),
    ("token", .token(Array("another".utf8))),
    ("join", .join(ClientMessage.Join(room: name, cursor: 1 << 40, digest: digest))),
    ("leave", .leave(room)),
    (
      "push",
      .push(
        ClientMessage.Push(
          room: room, number: 7, refusalsSeen: 2, header: header, payload: [1, 2, 3, 0, 255]))
    ),
    ("presence", .presence(room: room, value: [9, 8])),
    ("presence, none", .presence(room: room, value: nil)),
    ("ping", .ping(.max)),
  ]

  static let relay: [(name: String, message: RelayMessage)] = [
    (
      "welcome",
      .welcome(
        RelayMessage.Welcome(
          version: 1, features: .presence, codecs: .zstd, session: 0xabcd, subject: Array("ann".utf8),
          expires: 1_700_000_000_000, time: 1_600_000_000_000, limits: limits))
    ),
    (
      "welcome for ever",
      .welcome(
        RelayMessage.Welcome(
          version: 1, features: [], codecs: [], session: 1, subject: [], expires: nil, time: 0,
          limits: limits))
    ),
    ("token accepted", .tokenAccepted(expires: 1_700_000_000_000)),
    ("token accepted for ever", .tokenAccepted(expires: nil)),
    (
      "joined", .joined(RelayMessage.Joined(room: name, number: room, role: .edit, head: 9, isRestart: false))
    ),
    (
      "joined anew",
      .joined(RelayMessage.Joined(room: name, number: room, role: .own, head: 9, isRestart: true))
    ),
    (
      "entries",
      .entries(
        room: room,
        [
          LogEntry(
            cursor: 8, subject: Array("ann".utf8), time: 1_650_000_000_000, header: header, payload: [1, 2]),
          LogEntry(cursor: 9, subject: [], time: 0, header: header, payload: []),
        ])
    ),
    ("caught up", .caughtUp(room: room, cursor: 9, digest: digest)),
    (
      "acknowledged",
      .acknowledged(
        room: room,
        [
          RelayMessage.Acknowledgement(push: 7, cursor: 10),
          RelayMessage.Acknowledgement(push: 8, cursor: 300),
        ])
    ),
    ("refused, covered", .refused(room: room, push: 7, .covered(missing: [5..<9, 100..<200], through: 12))),
    ("refused, clash", .refused(room: room, push: 7, .idClash(at: 4))),
    ("refused, overtaken", .refused(room: room, push: 7, .overtaken)),
    ("refused, forbidden", .refused(room: room, push: 7, .forbidden)),
    ("refused, too large", .refused(room: room, push: 7, .tooLarge)),
    ("refused, overloaded", .refused(room: room, push: 7, .overloaded(retryAfter: 500))),
    (
      "presence",
      .presence(
        room: room, isComplete: true,
        [
          RelayMessage.PresenceValue(session: 0xabcd, subject: Array("bob".utf8), value: [1]),
          RelayMessage.PresenceValue(session: 2, subject: [], value: nil),
        ])
    ),
    ("role", .role(room: room, .view)),
    ("error", .error(room: nil, ProtocolError(.draining, retry: .after(milliseconds: 500), "Stopping."))),
    ("error of a room", .error(room: name, ProtocolError(.unauthenticated, "No."))),
    ("pong", .pong(7)),
  ]
}
