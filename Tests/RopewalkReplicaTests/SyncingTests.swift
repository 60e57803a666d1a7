import Foundation
import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

@Suite struct SyncingTests {
  let scratch: Scratch
  let room: RoomName

  init() throws {
    scratch = try Scratch()
    room = try #require(RoomName("team"))
  }

  private func pair() throws -> (Replica, Replica) { (try scratch.open("a"), try scratch.open("b")) }

  private func text(_ replica: Replica) throws -> String { try replica.document("notes.md", in: "team").text }

  @Test func twoOfflineReplicasMeet() throws {
    let (a, b) = try pair()
    var relay = RelayDouble()
    try a.document("notes.md", in: "team").insert("Hello ", at: 0)
    try b.document("notes.md", in: "team").insert("World", at: 0)
    try relay.exchange(with: a, in: room)
    try relay.exchange(with: b, in: room)
    try relay.exchange(with: a, in: room)
    #expect(try text(a) == text(b))
    #expect(try text(a).count == 11)
    #expect(try a.rooms().map { $0.cursor } == [2])
    #expect(try a.document("notes.md", in: "team").receipts().unsentCount == 0)
    #expect(try a.document("notes.md", in: "team").receipts().sentCount == 6)
  }

  @Test func unsentEditsLeaveAsOneCutAndStayAsTheyLeft() throws {
    let replica = try scratch.open()
    let notes = try replica.document("notes.md", in: "team")
    for place in 0..<20 { try notes.insert("x", at: place) }
    let first = try replica.cuts(in: room, maximumBytes: 1000, limit: 10, excluding: [])
    #expect(first.map { $0.header.span.seqs } == [0..<20])
    try notes.insert("y", at: 20)
    try notes.insert("z", at: 21)
    let again = try scratch.open().cuts(in: room, maximumBytes: 1000, limit: 10, excluding: [])
    #expect(again.map { $0.header.span.seqs } == [0..<20, 20..<22])
    #expect(again.first?.payload == first.first?.payload)
  }

  @Test func aLongOutboxIsCutToSize() throws {
    let replica = try scratch.open()
    let notes = try replica.document("notes.md", in: "team")
    for place in 0..<40 { try notes.insert(String(repeating: "\(place % 10)", count: 100), at: place) }
    var relay = RelayDouble()
    try relay.exchange(with: replica, in: room, largest: 300)
    #expect(relay.entries.count > 10)
    #expect(relay.entries.allSatisfy { $0.payload.count <= 300 })
    let other = try scratch.open("b")
    try relay.exchange(with: other, in: room)
    #expect(try text(other) == notes.text)
  }

  @Test func aPushRepeatedAfterALostAnswerIsInTheLogOnce() throws {
    let replica = try scratch.open()
    let notes = try replica.document("notes.md", in: "team")
    try notes.insert("abc", at: 0)
    var relay = RelayDouble()
    let cut = try #require(
      try replica.cuts(in: room, maximumBytes: 1000, limit: 1, excluding: []).first)
    _ = relay.push(cut.header, cut.payload)
    try notes.insert("def", at: 3)
    try relay.exchange(with: replica, in: room)
    #expect(relay.entries.count == 2)
    #expect(relay.holdsNothingTwice)
    #expect(try notes.receipts().unsentCount == 0)
  }

  @Test func aCopiedFileThatIsEditedOnBothSidesMergesCleanly() throws {
    let a = try scratch.open("a")
    try a.document("notes.md", in: "team").insert("common, never sent. ", at: 0)
    try a.copy(to: scratch.path("b"))
    let b = try scratch.open("b")
    try a.document("notes.md", in: "team").insert("A! ", at: 0)
    try b.document("notes.md", in: "team").insert("B! ", at: 20)
    var relay = RelayDouble()
    try relay.exchange(with: a, in: room)
    try relay.exchange(with: b, in: room)
    try relay.exchange(with: a, in: room)
    #expect(try text(a) == "A! common, never sent. B! ")
    #expect(try text(b) == text(a))
    #expect(relay.holdsNothingTwice)
  }

  @Test func aRelayThatLostItsLogIsRefilledAndNothingDoubles() throws {
    let (a, b) = try pair()
    var relay = RelayDouble()
    for round in 0..<5 {
      try a.document("notes.md", in: "team").insert("a\(round)", at: 0)
      try b.document("notes.md", in: "team").insert("b\(round)", at: 0)
      try relay.exchange(with: a, in: room)
      try relay.exchange(with: b, in: room)
    }
    let older = relay.entries.count
    try a.document("notes.md", in: "team").insert("later", at: 0)
    for replica in [a, b, a] { try relay.exchange(with: replica, in: room) }
    let full = try text(a)

    for kept in [older, 0] {
      relay.restore(entries: kept)
      for replica in [b, a, b] { try relay.exchange(with: replica, in: room) }
      #expect(try text(a) == full)
      #expect(try text(b) == full)
      #expect(relay.holdsNothingTwice)
      let newcomer = try scratch.open("newcomer-\(kept)")
      try relay.exchange(with: newcomer, in: room)
      #expect(try text(newcomer) == full)
    }
    #expect(try Replica.verify(path: scratch.path("a")).damage == [])
  }

  @Test func aCrashBetweenRestartAndOfferLosesNothing() throws {
    let a = try scratch.open("a")
    try a.document("notes.md", in: "team").insert("abc", at: 0)
    var relay = RelayDouble()
    try relay.exchange(with: a, in: room)
    try a.restart(room)
    relay.restore(entries: 0)
    let again = try scratch.open("a")
    #expect(try again.status(of: room).needsOffer)
    #expect(try again.document("notes.md", in: "team").receipts().unsentCount == 3)
    try relay.exchange(with: again, in: room)
    #expect(relay.entries.count == 1)
    #expect(try again.status(of: room).needsOffer == false)
  }

  @Test func twoProcessesReadOneLogOnce() throws {
    let (one, two) = (try scratch.open(), try scratch.open())
    let other = try scratch.open("b")
    var relay = RelayDouble()
    try other.document("notes.md", in: "team").insert("abc", at: 0)
    try relay.exchange(with: other, in: room)
    try other.document("notes.md", in: "team").insert("def", at: 3)
    try relay.exchange(with: other, in: room)
    try relay.deliver(to: one, in: room)
    // The second session still knows the old place.
    let digest = relay.entries.reduce(LogDigest.zero) { $1.digest(after: $0) }
    _ = try two.receive(relay.entries, cursor: 2, digest: digest, in: room)
    #expect(try text(two) == "abcdef")
    #expect(throws: ReplicaError.outOfStep(cursor: 2)) {
      try two.receive([relay.entries[1]], cursor: 9, digest: digest, in: room)
    }
  }

  // MARK: Id clashes

  @Test func eventsUnderAnIDThatSomeoneElseUsedAreReauthored() async throws {
    let a = try scratch.open("a", .drawing(5))
    let b = try scratch.open("b", .drawing(5, 6))
    try a.document("notes.md", in: "team").insert("from a", at: 0)
    try b.document("notes.md", in: "team").insert("FROM B, ", at: 0)
    let watching = try scratch.open("b")
    let watched = Watched(try watching.document("notes.md", in: "team").observe())
    var relay = RelayDouble()
    try relay.exchange(with: a, in: room)
    try relay.exchange(with: b, in: room)
    // The id is not used again, in any process.
    try b.document("notes.md", in: "team").insert("!", at: 0)
    try relay.exchange(with: b, in: room)
    try relay.exchange(with: a, in: room)
    #expect(try text(a) == text(b))
    #expect(try text(a).count == 15)
    #expect(relay.holdsNothingTwice)
    try watching.refresh()
    try watching.close()
    let expected = try text(b)
    #expect(await watched.drained() == expected)
    #expect(try Replica.verify(path: scratch.path("b")).damage == [])
  }

  @Test func eventsThatShareABeginningAreReauthoredFromWhereTheyPart() throws {
    let a = try scratch.open("a", .drawing(5))
    try a.document("notes.md", in: "team").insert("shared ", at: 0)
    // As a machine restored from a snapshot of its memory: the id goes on in two places.
    let notes = try a.document("notes.md", in: "team")
    var twin = try notes.read()
    twin.replica = ReplicaID(rawValue: 5)
    twin.insert("twin", at: 7)
    let known = try notes.read().versionVector
    var relay = RelayDouble()
    try relay.exchange(with: a, in: room)
    for update in twin.updates(since: known, maximumBytes: 1000) {
      let header = EntryHeader(
        document: DocumentKey(name: DocumentName("notes.md")!, lineage: .blank), span: update.spans[0])
      _ = relay.push(header, update.bytes)
    }
    try notes.insert("mine", at: 7)
    try relay.exchange(with: a, in: room)
    let b = try scratch.open("b")
    try relay.exchange(with: b, in: room)
    #expect(try text(a) == text(b))
    #expect(try ["shared twinmine", "shared minetwin"].contains(text(a)))
    #expect(try a.document("notes.md", in: "team").receipts().unsentCount == 0)
  }

  // MARK: Entries that cannot be merged

  @Test func aDamagedEntryIsKeptAsideAndTheLogGoesOn() throws {
    let a = try scratch.open("a")
    try a.document("notes.md", in: "team").insert("abc", at: 0)
    var relay = RelayDouble()
    let header = EntryHeader(
      document: DocumentKey(name: DocumentName("notes.md")!, lineage: .blank),
      span: EventSpan(replica: ReplicaID(rawValue: 9), seqs: 0..<4))
    _ = relay.push(header, [1, 2, 3])
    try relay.exchange(with: a, in: room)
    #expect(try text(a) == "abc")
    #expect(try a.status(of: room).cursor == 2)
    #expect(try scratch.integer("SELECT count(*) FROM held", in: "a") == 1)
    #expect(try Replica.verify(path: scratch.path("a")).damage == [])
  }

  @Test func entriesOfOneReplicaMayComeInAnyOrder() throws {
    let seed = testSeed()
    var random = SeededGenerator(seed: seed)
    var other = TextDocument()
    other.replica = ReplicaID(rawValue: 77)
    for number in 0..<12 { other.insert("\(number) ", at: other.scalarCount) }
    let key = DocumentKey(name: try #require(DocumentName("notes.md")), lineage: .blank)
    var spans: [EventSpan] = []
    var first: UInt32 = 0
    while first < other.eventCount {
      let end = min(UInt32(other.eventCount), first + UInt32.random(in: 1...5, using: &random))
      spans.append(EventSpan(replica: ReplicaID(rawValue: 77), seqs: first..<end))
      first = end
    }
    let a = try scratch.open("a")
    try a.document("notes.md", in: "team").insert("own ", at: 0)
    var relay = RelayDouble()
    for span in spans.shuffled(using: &random) {
      let update = try #require(other.update(of: span))
      _ = relay.push(EntryHeader(document: key, span: span), update.bytes)
    }
    try relay.deliver(to: a, in: room, batch: 6)
    #expect(try text(a).contains(other.text), "seed \(seed)")
    #expect(try scratch.open("a").document("notes.md", in: "team").text == text(a), "seed \(seed)")
    #expect(try Replica.verify(path: scratch.path("a")).damage == [], "seed \(seed)")
  }

  // MARK: Lineages

  @Test func twoWhoImportTheSameFileHaveOneText() throws {
    let (a, b) = try pair()
    for replica in [a, b] { try replica.seed("notes.md", in: "team", with: "imported text") }
    try a.document("notes.md", in: "team").insert("A", at: 0)
    try b.document("notes.md", in: "team").insert("B", at: 13)
    var relay = RelayDouble()
    for replica in [a, b, a] { try relay.exchange(with: replica, in: room) }
    #expect(try text(a) == "Aimported textB")
    #expect(try text(b) == text(a))
  }

  @Test func seedingTwiceChangesNothing() throws {
    let replica = try scratch.open()
    let notes = try replica.seed("notes.md", in: "team", with: "text")
    try notes.insert("more ", at: 0)
    try replica.seed("notes.md", in: "team", with: "text")
    #expect(try notes.text == "more text")
    #expect(throws: ReplicaError.lineageClash(existing: TextDocument.lineage(ofSeed: "text"))) {
      try replica.seed("notes.md", in: "team", with: "other")
    }
  }

  @Test func differentSeedsAreKeptApartAndReported() async throws {
    let (a, b) = try pair()
    try a.seed("notes.md", in: "team", with: "the room's")
    try b.seed("notes.md", in: "team", with: "mine")
    var relay = RelayDouble()
    for replica in [a, b, a] { try relay.exchange(with: replica, in: room) }
    #expect(try text(a) == "the room's")
    #expect(try text(b) == "mine")
    let notes = try b.document("notes.md", in: "team")
    let watched = Watched(try notes.observe())
    let lineages = try notes.lineages()
    #expect(lineages.map { $0.isRooms } == [true, false])
    #expect(lineages.map { $0.isCurrent } == [false, true])
    try notes.adoptRoomLineage(carryingOver: .appending)
    #expect(try notes.text == "the room'smine")
    let old = try b.document(
      DocumentKey(name: notes.name, lineage: TextDocument.lineage(ofSeed: "mine")), in: room)
    #expect(try old.text == "mine")
    for replica in [b, a] { try relay.exchange(with: replica, in: room) }
    #expect(try text(a) == "the room'smine")
    try b.close()
    #expect(await watched.drained() == "the room'smine")
  }

  @Test func aNameThatWasOnlyLookedAtFollowsTheRoom() async throws {
    let (a, b) = try pair()
    try a.seed("notes.md", in: "team", with: "the room's")
    let notes = try b.document("notes.md", in: "team")
    try notes.setLocalValue([1], for: "k")
    let watched = Watched(try notes.observe())
    var relay = RelayDouble()
    for replica in [a, b] { try relay.exchange(with: replica, in: room) }
    #expect(try notes.text == "the room's")
    #expect(try notes.lineage == TextDocument.lineage(ofSeed: "the room's"))
    #expect(try notes.localValue("k") == [1])
    try b.close()
    #expect(await watched.drained() == "the room's")
  }

  // MARK: Many at random

  @Test func randomExchangesConverge() throws {
    let seed = testSeed()
    var random = SeededGenerator(seed: seed)
    var options = ReplicaOptions.forTests()
    options.updatesPerSnapshot = 5
    let names = ["a", "b", "c"]
    var replicas = try names.map { try scratch.open($0, options) }
    var relay = RelayDouble()
    for _ in 0..<250 {
      let number = Int.random(in: 0..<3, using: &random)
      let notes = try replicas[number].document("notes.md", in: "team")
      switch Int.random(in: 0..<20, using: &random) {
      case 0: relay.restore(entries: Int.random(in: 0...relay.entries.count, using: &random))
      case 1: replicas[number] = try scratch.open(names[number], options)
      case 2: _ = try replicas[number].merge(from: scratch.path(names[(number + 1) % 3]))
      case 3, 4, 5: try relay.exchange(with: replicas[number], in: room, largest: 120)
      case 6: _ = try replicas[number].cuts(in: room, maximumBytes: 120, limit: 3, excluding: [])
      default:
        let count = try notes.read().scalarCount
        let start = Int.random(in: 0...count, using: &random)
        let end = Int.random(in: start...min(count, start + 4), using: &random)
        try notes.replace(start..<end, with: ["", "a", "éé", "xyz"].randomElement(using: &random) ?? "")
      }
    }
    for replica in replicas + replicas { try relay.exchange(with: replica, in: room) }
    let texts = try replicas.map { try text($0) }
    #expect(Set(texts).count == 1, "seed \(seed)")
    #expect(relay.holdsNothingTwice, "seed \(seed)")
    for name in names {
      let damage = try Replica.verify(path: scratch.path(name)).damage
      #expect(damage == [], "seed \(seed)")
      #expect(try scratch.integer("SELECT count(*) FROM outbox", in: name) == 0, "seed \(seed)")
    }
    let newcomer = try scratch.open("newcomer")
    try relay.exchange(with: newcomer, in: room)
    #expect(try text(newcomer) == texts[0], "seed \(seed)")
  }
}
