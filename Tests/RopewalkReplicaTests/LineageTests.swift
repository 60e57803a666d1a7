import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

/// Documents of one name that began with different texts.
@Suite struct LineageTests {
  private let scratch: Scratch
  private let room = RoomName("team")!
  private let name = DocumentName("notes.md")!

  init() throws { scratch = try Scratch() }

  private func notes(_ replica: Replica) throws -> ReplicaDocument {
    try replica.document("notes.md", in: "team")
  }

  private func seeded(_ file: String, _ text: String) throws -> Replica {
    let replica = try scratch.open(file)
    try replica.seed("notes.md", in: "team", with: text)
    return replica
  }

  /// The lineages of the name in the order of their first entries.
  private func lineages(_ relay: RelayDouble) -> [Lineage] {
    relay.entries.reduce(into: []) { all, entry in
      if !all.contains(entry.header.document.lineage) { all.append(entry.header.document.lineage) }
    }
  }

  /// As a client that does not read before it pushes: two who push at once.
  private func race(_ replicas: [Replica], to relay: inout RelayDouble) throws {
    let cuts = try replicas.map { try $0.cuts(in: room, maximumBytes: 1000, limit: 9, excluding: []) }
    for cut in cuts.flatMap({ $0 }) { _ = relay.push(cut.header, cut.payload) }
  }

  private var theirs: Lineage { TextDocument.lineage(ofSeed: "theirs") }

  @Test func aNewcomerTakesTheFirstEntrysLineageHoweverTheLogIsCut() throws {
    for batch in 1...3 {
      let scratch = try Scratch()
      let a = try scratch.open("a")
      try notes(a).insert("typed", at: 0)
      let b = try scratch.open("b")
      try b.seed("notes.md", in: "team", with: "theirs")
      var relay = RelayDouble()
      try race([a, b], to: &relay)
      let newcomer = try scratch.open("newcomer")
      try relay.deliver(to: newcomer, in: room, batch: batch)
      #expect(try notes(newcomer).text == "typed")
      #expect(try notes(newcomer).lineages().map(\.isRooms) == [true, false])
      #expect(try notes(newcomer).lineages().map(\.isCurrent) == [true, false])
      #expect(try newcomer.document(DocumentKey(name: name, lineage: theirs), in: room).text == "theirs")
      // And when it is opened again.
      #expect(try notes(scratch.open("newcomer")).text == "typed")
    }
  }

  @Test func aTextOfItsOwnStaysOnADeviceUntilSomebodyDecides() throws {
    let a = try scratch.open("a")
    try notes(a).insert("typed", at: 0)
    var relay = RelayDouble()
    try relay.exchange(with: a, in: room)
    let b = try seeded("b", "theirs")
    try notes(b).insert("more ", at: 0)
    for _ in 0..<2 { try relay.exchange(with: b, in: room) }
    #expect(relay.entries.count == 1)
    #expect(try b.settle(room, at: 1) == [name])
    #expect(try notes(b).text == "more theirs")
    #expect(try notes(b).lineages().map(\.isHeldBack) == [false, true])
    let refused = try b.refused(in: "team")
    #expect(refused.map(\.reason).allSatisfy { $0 == .anotherLineage } && !refused.isEmpty)
    #expect(refused.reduce(0) { $0 + $1.eventCount } == 11)
    let receipts = try notes(b).receipts()
    #expect(receipts.refusedCount == receipts.unsentCount && receipts.refusedCount >= 5)
    #expect(try b.outboxStandings()[room]?.waiting == 0)
    // Nothing that is written meanwhile leaves either, and other processes keep to it.
    let other = try scratch.open("b")
    try notes(other).insert("yet ", at: 0)
    try relay.exchange(with: other, in: room)
    #expect(relay.entries.count == 1)

    try notes(b).adoptRoomLineage(carryingOver: .appending)
    #expect(try notes(b).text == "typedyet more theirs")
    for replica in [b, a] { try relay.exchange(with: replica, in: room) }
    #expect(try notes(a).text == "typedyet more theirs")
    #expect(lineages(relay) == [.blank])
    #expect(try b.settle(room, at: UInt64(relay.entries.count)) == [])
    #expect(try b.refused().isEmpty)
    #expect(try b.rooms().map(\.unsentEventCount) == [0])
    #expect(try b.outboxStandings()[room]?.waiting == 0)
    #expect(try b.document(DocumentKey(name: name, lineage: theirs), in: room).text == "yet more theirs")
    // Not even into a log that begins anew.
    relay.restore(entries: 0)
    for replica in [b, a] { try relay.exchange(with: replica, in: room) }
    #expect(lineages(relay) == [.blank])
  }

  @Test func ofTwoWhoPushAtOnceTheFirstInTheLogWinsAndTheOtherLearnsIt() throws {
    let (a, b) = (try seeded("a", "ours"), try seeded("b", "theirs"))
    var relay = RelayDouble()
    try race([a, b], to: &relay)
    for replica in [a, b, a, b] { try relay.exchange(with: replica, in: room) }
    #expect(try a.settle(room, at: 2) == [])
    #expect(try b.settle(room, at: 2) == [name])
    // Both are in the log, and both go on.
    try notes(b).insert("more ", at: 0)
    for replica in [b, a] { try relay.exchange(with: replica, in: room) }
    #expect(try a.document(DocumentKey(name: name, lineage: theirs), in: room).text == "more theirs")
    #expect(try notes(a).text == "ours")
    #expect(try notes(b).lineages().map(\.isHeldBack) == [false, false])
    try notes(b).adoptRoomLineage()
    #expect(try notes(b).text == "ours")
  }

  @Test func aLogThatIsFilledAgainKeepsTheFirstLineageFirst() throws {
    let (a, b) = (try seeded("a", "ours"), try seeded("b", "theirs"))
    var relay = RelayDouble()
    try race([a, b], to: &relay)
    for replica in [a, b] { try relay.exchange(with: replica, in: room) }
    // Its outbox holds something of the second lineage alone.
    try notes(b).insert("more ", at: 0)
    let c = try seeded("c", "never met")
    relay.restore(entries: 0)
    for replica in [b, c, a, b] { try relay.exchange(with: replica, in: room) }
    #expect(lineages(relay) == [TextDocument.lineage(ofSeed: "ours"), theirs])
    #expect(try notes(c).lineages().map(\.isHeldBack) == [false, false, true])
    let newcomer = try scratch.open("newcomer")
    try relay.exchange(with: newcomer, in: room)
    #expect(try notes(newcomer).text == "ours")
    for file in ["a", "b", "c"] { #expect(try Replica.verify(path: scratch.path(file)).isSound) }
  }

  @Test func aCheckpointKeepsWhichLineageWasFirst() throws {
    let (a, b) = (try seeded("a", "ours"), try seeded("b", "theirs"))
    var relay = RelayDouble()
    try race([a, b], to: &relay)
    for replica in [a, b, a] { try relay.exchange(with: replica, in: room) }
    let parts = try #require(try b.checkpointParts(of: room, at: 2))
    #expect(try a.checkpointParts(of: room, at: 2) == parts)
    #expect(parts.map(\.header.document.lineage) == [TextDocument.lineage(ofSeed: "ours"), theirs])
    let digest = try a.status(of: room).digest
    #expect(parts.map(\.cursor) == [1, 2] && parts.allSatisfy { !$0.isCarried })
    let attributed = parts.map { AttributedPart(part: $0, subject: [65], time: 1) }
    // One who has nothing, one who has looked at the name, and one with a text of its own.
    let (newcomer, looking, own) = (
      try scratch.open("newcomer"), try scratch.open("looking"), try seeded("own", "of its own")
    )
    try notes(looking).setLocalValue([1], for: "k")
    for replica in [newcomer, looking, own] {
      for (index, part) in attributed.enumerated() {
        _ = try replica.receive(
          CheckpointBatch(
            head: LogHead(cursor: 2, digest: digest), first: UInt64(index), parts: [part],
            isLast: index + 1 == attributed.count), in: room)
      }
      try relay.exchange(with: replica, in: room)
      #expect(try replica.checkpointParts(of: room, at: 2) == parts)
    }
    #expect(try [newcomer, looking].map { try notes($0).text } == ["ours", "ours"])
    #expect(try notes(looking).localValue("k") == [1])
    #expect(try notes(own).text == "of its own")
    #expect(relay.entries.count == 2)
    #expect(try notes(own).lineages().map(\.isHeldBack) == [false, false, true])
  }

  @Test func aMergedFileMeansByItsNamesWhatItMeant() throws {
    let (a, b) = (try seeded("a", "ours"), try seeded("b", "theirs"))
    var relay = RelayDouble()
    for replica in [a, b] { try relay.exchange(with: replica, in: room) }
    try notes(b).adoptRoomLineage()
    let merged = try scratch.open("merged")
    _ = try merged.merge(from: scratch.path("b"))
    #expect(try notes(merged).text == "ours")
    #expect(try notes(merged).lineages().map(\.isCurrent) == [true, false])
    try relay.exchange(with: merged, in: room)
    #expect(lineages(relay) == [TextDocument.lineage(ofSeed: "ours")])
  }

  // MARK: At random

  @Test(arguments: 0..<10) func everybodyKnowsTheRoomsLineageInWhateverOrderThingsCome(_ round: UInt64) throws
  {
    let seed = testSeed() &+ round
    var random = SeededGenerator(seed: seed)
    let files = ["a", "b", "c", "d"]
    let seeds = ["one", "two", "", "one"]
    var replicas: [Replica?] = [nil, nil, nil, nil]
    var relay = RelayDouble()
    var connections: [ConnectionDouble?] = [nil, nil, nil, nil]
    for _ in 0..<250 {
      let who = Int.random(in: 0..<4, using: &random)
      if replicas[who] == nil {
        // It comes with a text of its own, or with nothing.
        let replica = try scratch.open(files[who])
        if Int.random(in: 0..<3, using: &random) > 0 {
          let document = try replica.seed("notes.md", in: "team", with: seeds[who])
          try document.insert("\(who)", at: 0)
        }
        replicas[who] = replica
      }
      guard let replica = replicas[who] else { continue }
      switch Int.random(in: 0..<20, using: &random) {
      case 0: try notes(replica).insert("+", at: 0)
      case 1, 2: connections[who] = nil
      case 3:
        connections[who] = nil
        replicas[who] = try scratch.open(files[who])
      case 4 where Int.random(in: 0..<4, using: &random) == 0:
        // Some of the log is lost.
        relay.restore(entries: Int.random(in: 0...relay.entries.count, using: &random))
        connections = [nil, nil, nil, nil]
      case 5 where Int.random(in: 0..<6, using: &random) == 0:
        if try !notes(replica).lineages().isEmpty {
          try notes(replica).adoptRoomLineage(carryingOver: .appending)
        }
      default:
        if connections[who] == nil { connections[who] = try ConnectionDouble(replica, room, to: relay) }
        try connections[who]?.step(&relay, &random)
      }
    }
    let all = replicas.compactMap { $0 }
    for replica in all + all { try relay.exchange(with: replica, in: room) }
    let inLog = lineages(relay)
    let newcomer = try scratch.open("newcomer")
    try relay.exchange(with: newcomer, in: room)
    for replica in all + [newcomer] {
      let known = try notes(replica).lineages()
      #expect(known.first { $0.isRooms }?.lineage == inLog.first, "seed \(seed)")
      let clashes = try replica.settle(room, at: UInt64(relay.entries.count))
      let current = known.first { $0.isCurrent }
      #expect(clashes.isEmpty == (current?.isRooms != false || inLog.isEmpty), "seed \(seed)")
      // What never was in the log is on this device alone, and nothing else is.
      for lineage in known where lineage.eventCount > 0 {
        #expect(lineage.isHeldBack == !inLog.contains(lineage.lineage), "seed \(seed)")
      }
      let standing = try replica.outboxStandings()[room]
      #expect(standing?.waiting ?? 0 == 0, "seed \(seed)")
      #expect(standing?.refused.allSatisfy { $0.reason == .anotherLineage } != false, "seed \(seed)")
      #expect(
        (standing?.refused.isEmpty == false) == known.contains { $0.isCurrent && $0.isHeldBack },
        "seed \(seed)")
    }
    #expect(try notes(newcomer).lineages().first { $0.isCurrent }?.isRooms != false, "seed \(seed)")
    for file in files where try replicas[#require(files.firstIndex(of: file))] != nil {
      #expect(try Replica.verify(path: scratch.path(file)).isSound, "seed \(seed)")
    }
  }
}
