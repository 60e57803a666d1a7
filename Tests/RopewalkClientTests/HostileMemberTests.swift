import RopewalkCore
import RopewalkRelay
import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkClient

/// A member who writes under others' replica ids: what these type reaches everybody all the same, over the connection
/// that they have, and nobody is taken for somebody else.
@Suite(.timeLimit(.minutes(2))) struct HostileMemberTests {
  private let key: RelayKey

  init() throws { key = try RelayKey(Array("a key of thirty-two bytes at least".utf8)) }

  private func token(_ subject: String) async throws -> String {
    try RelayToken.mint(key: key, subject: subject, rooms: [("team", .edit)], expires: 4_000_000_000_000)
  }

  private func sync(_ replica: Replica, _ relay: Relay, as subject: String) async throws {
    let client = try await Client.joined(replica, relay, token: try await token(subject))
    try await client.sync()
    await client.close()
  }

  /// A connected client that has read the log and sent everything.
  private func online(_ replica: Replica, _ relay: Relay, as subject: String) async throws -> Client {
    let client = try await Client.joined(replica, relay, token: try await token(subject))
    await client.connect()
    await client.reaches { $0 == .caughtUp }
    return client
  }

  private func expectOnce(_ words: [String], in replicas: Replica...) throws {
    let texts = try replicas.map { try $0.notes.text }
    #expect(Set(texts).count == 1, "\(texts)")
    for word in words { #expect(texts[0].ranges(of: word).count == 1, "\(word) in \(texts[0])") }
    for replica in replicas {
      #expect(try replica.notes.receipts().unsentCount == 0)
      #expect(try replica.refused().isEmpty)
    }
  }

  /// What stands under the next sequence numbers of the victim, or in their way.
  enum Attack: CaseIterable {
    case garbage, text, unknownParent, farAhead, otherDocument, otherLineage
  }

  private func attack(
    _ attack: Attack, by mallory: HostileMember, under replica: ReplicaID, from next: UInt32
  ) throws -> (EntryHeader, [UInt8]) {
    let name = DocumentKey.notes.name
    switch attack {
    case .garbage:
      let span = EventSpan(replica: replica, seqs: next..<next + 8)
      return (EntryHeader(document: .notes, span: span), [1, 2, 3])
    case .text: return try mallory.forged("FORGED", as: replica, from: next)
    case .unknownParent: return try mallory.forged("FORGED", as: replica, from: next, isAfterUnknown: true)
    case .farAhead: return try mallory.forged("FORGED", as: replica, from: next + 40)
    case .otherDocument:
      let key = DocumentKey(name: DocumentName("other.md")!, lineage: .blank)
      return try mallory.forged("FORGED", as: replica, document: key)
    case .otherLineage:
      let key = DocumentKey(name: name, lineage: TextDocument.lineage(ofSeed: "a seed"))
      return try mallory.forged("FORGED", as: replica, document: key)
    }
  }

  @Test(arguments: Attack.allCases) func nobodyWritesUnderAnIDOfSomebodyElse(_ kind: Attack) async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      let ann = try world.replica("ann", ids: [1])
      let client = try await online(ann, relay, as: "ann")
      try ann.notes.insert("by ann ", at: 0)
      try await client.sync()
      let mallory = try await HostileMember(relay, token: try await token("mallory"))
      try await mallory.reads { !$0.entries.isEmpty }
      let (header, payload) = try attack(kind, by: mallory, under: ReplicaID(rawValue: 1), from: 7)
      #expect(try await mallory.push(header, payload) == .refusal(.ownedByAnother))
      // What is hers may be said again by anybody.
      let own = mallory.entries[0]
      #expect(try await mallory.push(own.header, own.payload) == .cursor(1))
      try ann.notes.insert("and more", at: 7)
      try await client.sync()
      await client.close()
      let ben = try world.replica("ben")
      try await sync(ben, relay, as: "ben")
      try expectOnce(["by ann and more"], in: ann, ben)
      #expect(try ben.notes.history().allSatisfy { $0.subject == "ann" && $0.span.replica.rawValue == 1 })
    }
  }

  /// The id is nobody's yet, and has leaked.
  @Test(arguments: Attack.allCases) func whoLosesTheRaceForAnIDGetsAnotherOneAtOnce(_ kind: Attack)
    async throws
  {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      let base = try world.replica("base")
      try base.notes.insert("base ", at: 0)
      try await sync(base, relay, as: "ben")
      let ann = try world.replica("ann", ids: [1, 2])
      try await sync(ann, relay, as: "ann")
      try ann.notes.insert("FIRST ", at: 5)
      let mallory = try await HostileMember(relay, token: try await token("mallory"))
      let (header, payload) = try attack(kind, by: mallory, under: ReplicaID(rawValue: 1), from: 0)
      #expect(try await mallory.push(header, payload) == .cursor(2))
      let client = try await Client.joined(ann, relay, token: try await token("ann"))
      let events = client.events()
      await client.connect()
      await client.reaches { $0 == .caughtUp }
      for await event in events {
        guard case .reauthored(let told) = event else { continue }
        #expect(told.key == .notes && told.eventCount == 6)
        break
      }
      let text = try ann.notes.text
      let end = try #require(text.firstRange(of: "FIRST ")?.upperBound)
      try ann.notes.insert("SECOND ", at: text.unicodeScalars.distance(from: text.startIndex, to: end))
      try await client.sync()
      await client.close()
      // After a restart as well, nothing builds on what nobody gets.
      try ann.close()
      let again = try world.replica("ann", ids: [3])
      try again.notes.insert("THIRD ", at: 0)
      try await sync(again, relay, as: "ann")
      let newcomer = try world.replica("newcomer")
      for (replica, who) in [(base, "ben"), (newcomer, "cat")] { try await sync(replica, relay, as: who) }
      try expectOnce(["base ", "FIRST SECOND ", "THIRD "], in: again, base, newcomer)
      for entry in try newcomer.notes.history() where entry.span.replica.rawValue != 1 {
        #expect(entry.subject != "mallory")
      }
    }
  }

  @Test func anIDIsShownToNobodyBeforeItIsSomebodys() async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key, adjusting: { $0.presenceInterval = 0 })
      let mallory = try await HostileMember(relay, token: try await token("mallory"))
      let ann = try world.replica("ann", ids: [1])
      let client = try await online(ann, relay, as: "ann")
      for round in 0..<30 {
        try ann.notes.insert("x", at: round)
        try await client.setPresence([UInt8(round)], in: "team")
      }
      try await mallory.reads { $0.envelopes.contains { $0.value == [29] } }
      try await client.sync()
      try await mallory.reads { $0.entries.reduce(0) { $0 + $1.header.span.seqs.count } == 30 }
      await client.close()
      #expect(mallory.leaked.isEmpty)
    }
  }

  /// Ids that follow from others can be known in advance, as far as one guesses what is typed.
  @Test func whoTakesAllIDsThatCanBeGuessedStopsNobody() async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      let ann = try world.replica("ann", ids: [1])
      try ann.notes.insert("guessed", at: 0)
      let mallory = try await HostileMember(relay, token: try await token("mallory"))
      var ids = [ReplicaID(rawValue: 1)]
      for _ in 0..<12 { ids.append(Self.derived(from: ids[ids.count - 1], "g")) }
      for (index, id) in ids.enumerated() {
        // Bytes that are no update, where the victim's events would be, or elsewhere.
        let first: UInt32 = index.isMultiple(of: 2) ? 500 : 0
        let span = EventSpan(replica: id, seqs: first..<first + 3)
        let cursor = HostileMember.Answer.cursor(UInt64(index) + 1)
        #expect(try await mallory.push(EntryHeader(document: .notes, span: span), [1]) == cursor)
      }
      try await sync(ann, relay, as: "ann")
      let ben = try world.replica("ben")
      try await sync(ben, relay, as: "ben")
      try expectOnce(["guessed"], in: ann, ben)
      #expect(try ben.held().count == 13 && ben.held().allSatisfy { $0.subject == "mallory" })
    }
  }

  private static func derived(from id: ReplicaID, _ text: String) -> ReplicaID {
    var writer = ByteWriter()
    writer.fixed64(id.rawValue)
    writer.varint(0)
    let hash = PayloadHash(of: writer.bytes + Array(text.utf8)).bytes
    return ReplicaID(rawValue: hash.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
  }

  // MARK: Without tokens

  @Test func thoseWithoutATokenKeepTheirIDsOverConnectionsAndFromEachOther() async throws {
    try await withWorld { world in
      let relay = try await world.relay()
      let ann = try world.replica("ann", ids: [1])
      try ann.notes.insert("one ", at: 0)
      for word in ["two ", "three"] {
        let client = try await Client.joined(ann, relay)
        try await client.sync()
        await client.close()
        try ann.notes.insert(word, at: try ann.notes.text.count)
      }
      let client = try await Client.joined(ann, relay)
      try await client.sync()
      await client.close()
      let identities = [[], [UInt8](repeating: 0, count: 16), try ann.identity(at: "another:1")]
      for identity in identities {
        let mallory = try await HostileMember(relay, identity: identity)
        let (header, payload) = try mallory.forged("x", as: ReplicaID(rawValue: 1))
        #expect(try await mallory.push(header, payload) == .refusal(.ownedByAnother))
        #expect(Set(mallory.entries.map(\.header.span.replica.rawValue)) == [1])
      }
    }
  }

  // MARK: Files that are merged

  /// Ben carries what Ann has not sent, under ids that are hers at the relay.
  @Test(arguments: [false, true]) func whatAColleagueHasCarriedIsThereOnce(isAnnFirst: Bool) async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      let (ann, ben) = (try world.replica("ann", ids: [1]), try world.replica("ben", ids: [2]))
      try ann.notes.insert("sent ", at: 0)
      try await sync(ann, relay, as: "ann")
      try ann.notes.insert("carried ", at: 5)
      try await sync(ben, relay, as: "ben")
      _ = try ben.merge(from: world.path("ann"))
      try ben.notes.insert("by ben ", at: 13)
      try ann.notes.insert("later ", at: 13)
      for (replica, who) in isAnnFirst ? [(ann, "ann"), (ben, "ben")] : [(ben, "ben"), (ann, "ann")] {
        try await sync(replica, relay, as: who)
      }
      let cat = try world.replica("cat")
      for (replica, who) in [(ben, "ben"), (ann, "ann"), (cat, "cat")] {
        try await sync(replica, relay, as: who)
      }
      try expectOnce(["sent ", "carried ", "later ", "by ben "], in: ann, ben, cat)
      let receipts = try ann.notes.receipts()
      #expect(receipts.reauthored.isEmpty == isAnnFirst)
      for seq: UInt32 in 0..<19 {
        guard case .atRelay = receipts.place(of: EventID(replica: ReplicaID(rawValue: 1), seq: seq)) else {
          Issue.record("event \(seq) is not at the relay: \(receipts)")
          continue
        }
      }
      // The history says of each stretch what it added, also of one of which a part has another id now.
      for replica in [ann, ben, cat] {
        let history = try replica.notes.history()
        for entry in history {
          #expect(entry.inserted == entry.span.seqs.count && entry.deleted == 0, "\(entry)")
        }
        #expect(history.map(\.time.upperBound) == history.map(\.time.upperBound).sorted())
      }
    }
  }

  @Test func whoWaitsForAnAuthorIsTold() async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      let (ann, ben) = (try world.replica("ann", ids: [1]), try world.replica("ben", ids: [2]))
      try ann.notes.insert("sent ", at: 0)
      try await sync(ann, relay, as: "ann")
      try ann.notes.insert("carried ", at: 5)
      try await sync(ben, relay, as: "ben")
      _ = try ben.merge(from: world.path("ann"))
      let client = try await Client.joined(ben, relay, token: try await token("ben"))
      let events = client.events()
      try await client.sync()
      await client.close()
      var waits: [UInt64] = []
      for await event in events {
        guard case .waitsForAuthor(let room, let time) = event else { continue }
        #expect(room == .team)
        waits.append(time)
      }
      #expect(waits.count == 1 && waits.allSatisfy { (1...20).contains($0) }, "\(waits)")
    }
  }
}
