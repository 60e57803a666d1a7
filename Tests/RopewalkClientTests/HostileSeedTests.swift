import RopewalkCore
import RopewalkRelay
import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkClient

/// The replica id of a seed is that of everybody who begins with that text, and whoever knows the text knows it in advance.
@Suite(.timeLimit(.minutes(2))) struct HostileSeedTests {
  private static let text = "a text that many begin with. "
  private let key: RelayKey
  private let document = DocumentKey(
    name: DocumentKey.notes.name, lineage: TextDocument.lineage(ofSeed: text))

  init() throws { key = try RelayKey(Array("a key of thirty-two bytes at least".utf8)) }

  private var seed: ReplicaID { ReplicaID(rawValue: document.lineage.rawValue) }

  private func sync(_ replica: Replica, _ relay: Relay, as who: String) async throws {
    let token = try RelayToken.mint(
      key: key, subject: who, rooms: [("team", .edit)], expires: 4_000_000_000_000)
    let client = try await Client.joined(replica, relay, token: token)
    try await client.sync()
    await client.close()
  }

  /// Begins with the text, offline, and goes on after it.
  private func begin(_ world: World, _ name: String) throws -> Replica {
    let replica = try world.replica(name)
    let notes = try replica.seed("notes.md", in: "team", with: Self.text)
    try notes.insert("by \(name). ", at: Self.text.unicodeScalars.count)
    return replica
  }

  private func expectOnce(_ words: [String], in replicas: [Replica]) throws {
    let texts = try replicas.map { try $0.notes.text }
    #expect(Set(texts).count == 1, "\(texts)")
    for word in words { #expect(texts[0].ranges(of: word).count == 1, "\(word) in \(texts[0])") }
    for replica in replicas {
      #expect(try replica.notes.receipts().unsentCount == 0)
      #expect(try replica.refused().isEmpty)
    }
  }

  enum Attack: CaseIterable {
    case garbage, otherText, farAhead, unknownParent, beginning, middle
  }

  private func attack(_ kind: Attack, by mallory: HostileMember) throws -> (EntryHeader, [UInt8]) {
    func part(_ seqs: Range<UInt32>) throws -> (EntryHeader, [UInt8]) {
      let span = EventSpan(replica: seed, seqs: seqs)
      let update = try #require(TextDocument(seed: Self.text).update(of: span))
      return (EntryHeader(document: document, span: span), update.bytes)
    }
    switch kind {
    case .garbage:
      return (EntryHeader(document: document, span: EventSpan(replica: seed, seqs: 0..<8)), [1, 2, 3])
    case .otherText: return try mallory.forged("FORGED", as: seed, document: document)
    case .farAhead: return try mallory.forged("FORGED", as: seed, from: 100, document: document)
    case .unknownParent:
      return try mallory.forged("FORGED", as: seed, document: document, isAfterUnknown: true)
    case .beginning: return try part(0..<4)
    case .middle: return try part(9..<12)
    }
  }

  @Test(arguments: Attack.allCases) func whoTakesTheIDOfASeedStopsNobodyWhoBeginsWithThatText(
    _ kind: Attack
  ) async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      let mallory = try await HostileMember(
        relay,
        token: try RelayToken.mint(
          key: key, subject: "mallory", rooms: [("team", .edit)], expires: 4_000_000_000_000))
      let (header, payload) = try attack(kind, by: mallory)
      #expect(try await mallory.push(header, payload) == .cursor(1))
      let (ann, ben) = (try begin(world, "ann"), try begin(world, "ben"))
      let cat = try world.replica("cat")
      for (replica, who) in [(ann, "ann"), (ben, "ben"), (ann, "ann"), (cat, "cat"), (ben, "ben")] {
        try await sync(replica, relay, as: who)
      }
      try expectOnce([Self.text, "by ann. ", "by ben. "], in: [ann, ben, cat])
      // Whoever begins with it later, too.
      let dan = try begin(world, "dan")
      for (replica, who) in [(dan, "dan"), (ann, "ann"), (ben, "ben"), (cat, "cat")] {
        try await sync(replica, relay, as: who)
      }
      try expectOnce([Self.text, "by ann. ", "by ben. ", "by dan. "], in: [ann, ben, cat, dan])
    }
  }

  /// One of two who begin with one text gets only its beginning out before the other comes.
  @Test func aSeedThatTwoPushInPartsIsThereOnce() async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      let (ann, ben) = (try begin(world, "ann"), try begin(world, "ben"))
      let header = EntryHeader(document: document, span: EventSpan(replica: seed, seqs: 0..<10))
      let update = try #require(TextDocument(seed: Self.text).update(of: header.span))
      let first = try await HostileMember(
        relay,
        token: try RelayToken.mint(
          key: key, subject: "ann", rooms: [("team", .edit)], expires: 4_000_000_000_000))
      #expect(try await first.push(header, update.bytes) == .cursor(1))
      let cat = try world.replica("cat")
      for (replica, who) in [(ben, "ben"), (ann, "ann"), (cat, "cat"), (ben, "ben")] {
        try await sync(replica, relay, as: who)
      }
      try expectOnce([Self.text, "by ann. ", "by ben. "], in: [ann, ben, cat])
    }
  }
}
