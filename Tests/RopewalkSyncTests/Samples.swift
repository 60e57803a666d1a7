import RopewalkCore
import RopewalkSync

/// Random messages of every kind, and damage.
enum Samples {
  static func clientMessages(_ random: inout SeededRandom) -> [ClientMessage] {
    [
      .hello(
        ClientMessage.Hello(
          versions: 1...UInt32.random(in: 1...9, using: &random), features: Features(rawValue: random.next()),
          codecs: Codecs(rawValue: .random(in: 0...255, using: &random)), token: bytes(300, &random),
          agent: bytes(64, &random),
          identity: random.chance(0.5) ? [] : (0..<Int.random(in: 16...32, using: &random)).map { UInt8($0) })
      ),
      .token(bytes(200, &random)),
      .join(ClientMessage.Join(room: roomName(&random), cursor: number(&random), digest: digest(&random))),
      .leave(room(&random)),
      .push(
        ClientMessage.Push(
          room: room(&random), number: number(&random), refusalsSeen: number(&random),
          header: header(&random),
          payload: bytes(400, &random))),
      .presence(room: room(&random), value: random.chance(0.3) ? nil : bytes(50, &random)),
      .ping(number(&random)),
      .checkpoint(
        ClientMessage.Checkpoint(
          room: room(&random), cursor: 1000 + number(&random) / 2, first: number(&random),
          isLast: random.chance(0.5),
          parts: (0..<Int.random(in: 0...4, using: &random)).map { _ in
            part(&random)
          })),
      .checkpointDigest(room: room(&random), cursor: number(&random), digest: digest(&random)),
      .objection(room: room(&random), cursor: number(&random)),
      .retention(
        room: room(&random), [nil, .everything, .days(0), .days(30)].randomElement(using: &random)!),
    ]
  }

  static func relayMessages(_ random: inout SeededRandom) -> [RelayMessage] {
    let first = UInt64.random(in: 1...1 << 40, using: &random)
    let refusals: [Refusal] = [
      .covered(missing: ranges(&random), through: number(&random)), .idClash(at: number(&random)), .overtaken,
      .ownedByAnother, .forbidden, .tooLarge,
      .overloaded(retryAfter: .random(in: 0 ... .max, using: &random)),
    ]
    return [
      .welcome(
        RelayMessage.Welcome(
          version: 1, features: .all, codecs: .zstd, session: random.next(), subject: bytes(50, &random),
          expires: random.chance(0.5) ? nil : 1 + number(&random) / 2, time: number(&random), limits: Limits()
        )),
      .tokenAccepted(expires: random.chance(0.5) ? nil : 5),
      .joined(
        RelayMessage.Joined(
          room: roomName(&random), number: room(&random), role: .run, head: number(&random),
          isRestart: random.chance(0.5))),
      .entries(
        room: room(&random),
        (0..<UInt64.random(in: 1...5, using: &random)).map { entry(first + $0, &random) }),
      .caughtUp(room: room(&random), cursor: number(&random), digest: digest(&random)),
      .acknowledged(
        room: room(&random),
        (0..<Int.random(in: 0...4, using: &random)).map { _ in
          RelayMessage.Acknowledgement(push: number(&random), cursor: number(&random))
        }),
      .refused(
        room: room(&random), push: number(&random), refusals.randomElement(using: &random) ?? .forbidden),
      .presence(
        room: room(&random), isComplete: random.chance(0.5),
        (0..<Int.random(in: 0...4, using: &random)).map { _ in
          RelayMessage.PresenceValue(
            session: random.next(), subject: bytes(20, &random),
            value: random.chance(0.3) ? nil : bytes(9, &random))
        }),
      .role(room: room(&random), .own),
      .error(
        room: random.chance(0.5) ? nil : roomName(&random),
        ProtocolError(
          ErrorCode(rawValue: .random(in: 0...999, using: &random)),
          retry: random.chance(0.5) ? .never : .after(milliseconds: 7), sentence: bytes(100, &random))),
      .pong(number(&random)),
      .checkpointWanted(room: room(&random), cursor: number(&random), isWhole: random.chance(0.5)),
      .checkpoint(
        room: room(&random),
        CheckpointBatch(
          head: LogHead(cursor: first + 1000, digest: digest(&random)), first: number(&random),
          parts: (0..<Int.random(in: 0...4, using: &random)).map { _ in
            AttributedPart(part: part(&random), subject: bytes(30, &random), time: number(&random))
          },
          isLast: random.chance(0.5))),
      .retention(
        RelayMessage.Retention(
          room: room(&random), retention: random.chance(0.5) ? .everything : .days(7),
          oldest: number(&random), checkpoint: number(&random), announced: number(&random),
          usable: number(&random))),
      .checkpointAnnounced(room: room(&random), cursor: number(&random), digest: digest(&random)),
    ]
  }

  /// Flipped, cut, doubled, or replaced by chance.
  static func damaged(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var damaged = bytes
    switch Int.random(in: 0..<5, using: &random) {
    case 0: damaged = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
    case 1: damaged = random.bytes(bytes.count)
    case 2:
      let place = Int.random(in: 0...bytes.count, using: &random)
      damaged.insert(contentsOf: random.bytes(Int.random(in: 1...9, using: &random)), at: place)
    default:
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
    }
    return damaged
  }

  static func entry(_ cursor: UInt64, _ random: inout SeededRandom) -> LogEntry {
    LogEntry(
      cursor: cursor, subject: bytes(30, &random), time: number(&random), header: header(&random),
      payload: bytes(100, &random))
  }

  static func part(_ random: inout SeededRandom) -> CheckpointPart {
    CheckpointPart(
      cursor: .random(in: 1...1000, using: &random),
      kind: CheckpointPart.Kind.allCases.randomElement(using: &random) ?? .plain,
      tip: .random(in: 0...1000, using: &random), header: header(&random), payload: bytes(80, &random))
  }

  static func header(_ random: inout SeededRandom) -> EntryHeader {
    let first = UInt32.random(in: 0..<1 << 31, using: &random)
    let end = UInt32.random(in: first + 1...1 << 31, using: &random)
    let name = DocumentName("doc ö \(UInt8.random(in: 0...255, using: &random))") ?? fallback
    return EntryHeader(
      document: DocumentKey(name: name, lineage: Lineage(rawValue: random.next())),
      span: EventSpan(replica: ReplicaID(rawValue: random.next()), seqs: first..<end))
  }

  private static let fallback = DocumentName("a")!

  private static func ranges(_ random: inout SeededRandom) -> [Range<UInt32>] {
    var ranges: [Range<UInt32>] = []
    var place: UInt32 = 0
    for _ in 0..<Int.random(in: 0...4, using: &random) {
      let start = place + .random(in: 0...100, using: &random)
      place = start + .random(in: 1...100, using: &random)
      ranges.append(start..<place)
    }
    return ranges
  }

  private static func number(_ random: inout SeededRandom) -> UInt64 {
    random.next() >> UInt64.random(in: 0..<64, using: &random)
  }

  private static func room(_ random: inout SeededRandom) -> RoomNumber {
    RoomNumber(rawValue: .random(in: 0 ... .max, using: &random))
  }

  private static func roomName(_ random: inout SeededRandom) -> RoomName {
    RoomName("room \(UInt16.random(in: 0 ... .max, using: &random))")!
  }

  private static func digest(_ random: inout SeededRandom) -> LogDigest {
    LogDigest(bytes: random.bytes(16))!
  }

  private static func bytes(_ most: Int, _ random: inout SeededRandom) -> [UInt8] {
    random.bytes(Int.random(in: 0...most, using: &random))
  }
}
