import Foundation
import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

/// Somebody pushes events under others' ids.
@Suite struct ClashTests {
  private let scratch: Scratch
  private let room = RoomName("team")!
  private let key = DocumentKey(name: DocumentName("notes.md")!, lineage: .blank)

  init() throws { scratch = try Scratch() }

  private func text(_ replica: Replica) throws -> String { try replica.document("notes.md", in: "team").text }

  /// What somebody else writes as `replica` after all that is in the log, from event `first` on.
  private func forged(_ text: String, as replica: UInt64, after relay: RelayDouble, from first: UInt32 = 0)
    throws -> (EntryHeader, [UInt8])
  {
    var document = TextDocument()
    // Some of it may be no update.
    for entry in relay.entries {
      if let update = try? Update(bytes: entry.payload) { _ = try? document.apply(update) }
    }
    let author = ReplicaID(rawValue: replica)
    document.replica = author
    while document.versionVector[author] < first { document.insert("-", at: document.scalarCount) }
    let start = document.versionVector[author]
    document.insert(text, at: document.scalarCount)
    let span = EventSpan(replica: author, seqs: start..<document.versionVector[author])
    return (
      EntryHeader(document: key, span: span), try #require(document.update(of: span)).bytes
    )
  }

  /// What one wrote offline in two sessions: ids 1 and 2, the second's events follow the first's.
  private func twoSessions(_ relay: inout RelayDouble) throws -> Replica {
    let base = try scratch.open("base", .drawing(7))
    try base.document("notes.md", in: "team").insert("base ", at: 0)
    try relay.exchange(with: base, in: room)
    let first = try scratch.open("a", .drawing(1))
    try relay.deliver(to: first, in: room)
    try first.document("notes.md", in: "team").insert("FIRST ", at: 5)
    try first.close()
    let second = try scratch.open("a", .drawing(2))
    try second.document("notes.md", in: "team").insert("SECOND ", at: 11)
    return second
  }

  private func expectOnce(_ parts: [String], in relay: inout RelayDouble, _ replica: Replica) throws {
    let newcomer = try scratch.open("newcomer")
    try relay.exchange(with: newcomer, in: room)
    try relay.exchange(with: replica, in: room)
    let text = try text(replica)
    #expect(try self.text(newcomer) == text)
    for part in parts { #expect(text.ranges(of: part).count == 1, "\(text)") }
    #expect(try replica.document("notes.md", in: "team").receipts().unsentCount == 0)
    #expect(try scratch.integer("SELECT count(*) FROM outbox", in: "a") == 0)
    #expect(relay.holdsNothingTwice)
    #expect(try Replica.verify(path: scratch.path("a")).isSound)
  }

  @Test func whatFollowsRefusedEventsUnderAnotherIDIsNotSentBeforeThem() throws {
    var relay = RelayDouble()
    let a = try twoSessions(&relay)
    let (header, payload) = try forged("other ", as: 1, after: relay)
    // Everything was cut before, and is about to be sent.
    let cuts = try a.cuts(in: room, maximumBytes: 1000, limit: 10, excluding: [])
    #expect(cuts.map(\.header.span.replica.rawValue) == [1, 2])
    _ = relay.push(header, payload)
    let answer = relay.push(cuts[0].header, cuts[0].payload)
    #expect(answer == .refused(.idClash(at: 2)))
    try a.holdBack(cuts[0].header, through: 2, in: room)
    // The second is overtaken, and is not offered again while the first waits.
    #expect(try a.cuts(in: room, maximumBytes: 1000, limit: 10, excluding: []).isEmpty)
    #expect(
      try a.cuts(in: room, maximumBytes: 1000, limit: 10, excluding: [cuts[0].id]).isEmpty)
    try relay.exchange(with: a, in: room)
    try expectOnce(["base ", "other ", "FIRST ", "SECOND ", "FIRST SECOND "], in: &relay, a)
  }

  @Test func whatIsOnItsWayGoesFirstUnlessItIsNotTaken() throws {
    var relay = RelayDouble()
    let a = try twoSessions(&relay)
    let first = try #require(try a.cuts(in: room, maximumBytes: 1000, limit: 1, excluding: []).first)
    #expect(
      try a.cuts(in: room, maximumBytes: 1000, limit: 9, going: [first.id], excluding: [])
        .map(\.header.span.replica.rawValue) == [2])
    #expect(try a.cuts(in: room, maximumBytes: 1000, limit: 9, excluding: [first.id]).isEmpty)
    try a.refuse(first.header, .tooLarge, in: room)
    #expect(try a.cuts(in: room, maximumBytes: 1000, limit: 9, excluding: []).isEmpty)
    #expect(try a.refused().map(\.reason) == [.tooLarge, .followsRefused])
    #expect(try a.outboxStandings()[room]?.waiting == 0)
  }

  @Test func twoWhoFollowEachOtherAreSentInTheOrderInWhichTheyWrote() throws {
    let (one, two) = (try scratch.open("a", .drawing(1)), try scratch.open("a", .drawing(2)))
    for round in 0..<3 {
      for (number, replica) in [one, two].enumerated() {
        let notes = try replica.document("notes.md", in: "team")
        try notes.insert("\(number)\(round) ", at: notes.text.count)
      }
    }
    let cuts = try one.cuts(in: room, maximumBytes: 1000, limit: 10, excluding: [])
    #expect(cuts.map(\.header.span.replica.rawValue) == [1, 2, 1, 2, 1, 2])
    var document = TextDocument()
    for cut in cuts {
      _ = try document.apply(Update(bytes: cut.payload))
      #expect(document.pendingEventCount == 0)
    }
    #expect(document.text == "00 10 01 11 02 12 ")
  }

  @Test func bytesThatAreNoUpdateUnderSomebodysIDsKeepNobodyFromSending() throws {
    var relay = RelayDouble()
    let a = try twoSessions(&relay)
    let span = EventSpan(replica: ReplicaID(rawValue: 1), seqs: 2..<5)
    _ = relay.push(EntryHeader(document: key, span: span), [1, 2, 3])
    try relay.exchange(with: a, in: room)
    try expectOnce(["base ", "FIRST ", "SECOND "], in: &relay, a)
    #expect(try a.held().map(\.cursor) == [2])
  }

  @Test func whatAFileBringsUnderIDsOfBytesThatAreNoUpdateIsThereOnce() throws {
    var relay = RelayDouble()
    let a = try twoSessions(&relay)
    let b = try scratch.open("b")
    let span = EventSpan(replica: ReplicaID(rawValue: 1), seqs: 2..<5)
    _ = relay.push(EntryHeader(document: key, span: span), [1, 2, 3])
    try relay.exchange(with: b, in: room)
    _ = try b.merge(from: scratch.path("a"))
    #expect(try text(b) == "base FIRST SECOND ")
    for replica in [a, b, a] { try relay.exchange(with: replica, in: room) }
    try expectOnce(["base ", "FIRST ", "SECOND "], in: &relay, a)
    #expect(try text(b) == text(a))
  }

  @Test func anIDThatSomebodyElseHasUsedAheadIsNotWrittenUnderAnyMore() throws {
    var relay = RelayDouble()
    let a = try scratch.open("a", .drawing(1, 2))
    try a.document("notes.md", in: "team").insert("FIRST ", at: 0)
    try relay.exchange(with: a, in: room)
    let (header, payload) = try forged("ahead ", as: 1, after: relay, from: 9)
    _ = relay.push(header, payload)
    try relay.exchange(with: a, in: room)
    try a.document("notes.md", in: "team").insert("SECOND ", at: 6)
    try relay.exchange(with: a, in: room)
    try expectOnce(["FIRST SECOND "], in: &relay, a)
    #expect(Set(relay.entries.map(\.header.span.replica.rawValue)) == [1, 2])
  }

  @Test func anIDUnderWhichSomebodysEventsWaitIsNotDrawn() throws {
    var relay = RelayDouble()
    let base = try scratch.open("base", .drawing(7))
    try base.document("notes.md", in: "team").insert("base ", at: 0)
    try relay.exchange(with: base, in: room)
    let (header, payload) = try forged("ahead ", as: 1, after: relay, from: 2)
    _ = relay.push(header, payload)
    let a = try scratch.open("a", .drawing(1, 2))
    try relay.deliver(to: a, in: room)
    try a.document("notes.md", in: "team").insert("FIRST ", at: 0)
    try relay.exchange(with: a, in: room)
    try expectOnce(["base ", "FIRST "], in: &relay, a)
    #expect(relay.entries.map(\.header.span.replica.rawValue) == [7, 1, 2])
  }

  @Test func eventsThatReachIntoWhatSomebodyElseHasUsedAheadAreSplit() throws {
    var relay = RelayDouble()
    let a = try scratch.open("a", .drawing(1))
    try a.document("notes.md", in: "team").insert("FIRST ", at: 0)
    try relay.exchange(with: a, in: room)
    let (header, payload) = try forged("ahead ", as: 1, after: relay, from: 9)
    try a.document("notes.md", in: "team").insert("SECOND ", at: 6)
    _ = relay.push(header, payload)
    try relay.exchange(with: a, in: room)
    try expectOnce(["FIRST ", "SEC", "OND ", "ahead "], in: &relay, a)
  }

  @Test func whatComesWithAFileMakesWayForWhatTheLogHad() throws {
    var relay = RelayDouble()
    let a = try twoSessions(&relay)
    let b = try scratch.open("b")
    let (header, payload) = try forged("ahead ", as: 1, after: relay, from: 3)
    _ = relay.push(header, payload)
    try relay.exchange(with: b, in: room)
    _ = try b.merge(from: scratch.path("a"))
    try relay.exchange(with: b, in: room)
    try relay.exchange(with: a, in: room)
    try expectOnce(["base ", "FIR", "ST ", "SECOND ", "ahead "], in: &relay, a)
    #expect(try text(b) == text(a))
  }

  @Test func whatFollowsEventsThatWereNotSentWaitsForWhatTheLogGetsUnderTheirIDs() throws {
    for isForged in [false, true] {
      let tests = try ClashTests()
      var relay = RelayDouble()
      let a = try tests.twoSessions(&relay)
      // Somebody goes on from where the first session was.
      let (ahead, aheadPayload) = try tests.forged("ahead ", as: 1, after: relay, from: 6)
      _ = relay.push(ahead, aheadPayload)
      try relay.deliver(to: a, in: room)
      #expect(try tests.text(a) == "base FIRST SECOND ")
      #expect(try a.held().map(\.reason) == ["it follows events that the room's log does not hold yet"])
      try a.document("notes.md", in: "team").insert("THIRD ", at: 0)
      if isForged {
        // And then says what that was.
        let (first, firstPayload) = try tests.forged("forged", as: 1, after: relay)
        _ = relay.push(first, firstPayload)
      }
      try relay.exchange(with: a, in: room)
      try tests.expectOnce(
        ["base ", "FIRST ", "SECOND ", "THIRD ", "ahead "] + (isForged ? ["forged"] : []), in: &relay, a)
      #expect(try a.held().isEmpty)
    }
  }

  @Test(arguments: [false, true]) func whatOneFileHasRenamedIsOnceInTwoThatAreMerged(backwards: Bool) throws {
    var relay = RelayDouble()
    let a = try twoSessions(&relay)
    let b = try scratch.open("b")
    try relay.deliver(to: b, in: room)
    _ = try b.merge(from: scratch.path("a"))
    let (header, payload) = try forged("other ", as: 1, after: relay)
    _ = relay.push(header, payload)
    try relay.deliver(to: a, in: room)
    let merged = backwards ? a : b
    _ = try merged.merge(from: scratch.path(backwards ? "b" : "a"))
    let words = try text(merged)
    for part in ["base ", "FIRST ", "SECOND ", "other "] {
      #expect(words.ranges(of: part).count == 1, "\(words)")
    }
    for replica in [b, a, b] { try relay.exchange(with: replica, in: room) }
    try expectOnce(["base ", "other ", "FIRST ", "SECOND "], in: &relay, a)
    #expect(try text(b) == text(a))
    #expect(try Replica.verify(path: scratch.path("b")).isSound)
  }

  @Test func whatWaitsForEventsThatAFileBringsWaitsUntilTheLogHasThem() throws {
    var relay = RelayDouble()
    let a = try twoSessions(&relay)
    let (ahead, aheadPayload) = try forged("ahead ", as: 1, after: relay, from: 6)
    _ = relay.push(ahead, aheadPayload)
    let b = try scratch.open("b")
    try relay.deliver(to: b, in: room)
    _ = try b.merge(from: scratch.path("a"))
    #expect(try text(b) == "base FIRST SECOND ")
    let (first, firstPayload) = try forged("forged", as: 1, after: relay)
    _ = relay.push(first, firstPayload)
    for replica in [b, a, b] { try relay.exchange(with: replica, in: room) }
    try expectOnce(["base ", "FIRST ", "SECOND ", "ahead ", "forged"], in: &relay, a)
    #expect(try text(b) == text(a))
  }

  // MARK: Owners

  /// A log that was put back to before some of what is one's own; a colleague, who has all of it, offers that first.
  @Test func whatAColleagueOffersToALogThatWasPutBackIsThereOnce() throws {
    for kept in 0...3 {
      let tests = try ClashTests()
      var relay = RelayDouble()
      relay.keepsOwners = true
      let (a, b) = (try tests.scratch.open("a", .drawing(1)), try tests.scratch.open("b", .drawing(2)))
      let notes = try a.document("notes.md", in: "team")
      for word in ["one ", "two ", "three "] {
        try notes.insert(word, at: notes.text.count)
        try relay.exchange(with: a, in: room, by: "a")
      }
      try relay.exchange(with: b, in: room, by: "b")
      try b.document("notes.md", in: "team").insert("by b ", at: 14)
      try notes.insert("four ", at: 14)
      relay.restore(entries: kept)
      for (replica, who) in [(b, "b"), (a, "a"), (b, "b")] {
        try relay.exchange(with: replica, in: room, by: who)
      }
      try tests.expectOnce(["one ", "two ", "three ", "one two three ", "four ", "by b "], in: &relay, a)
      #expect(try tests.text(b) == tests.text(a))
      #expect(try Replica.verify(path: tests.scratch.path("b")).isSound)
    }
  }

  /// Whatever comes after own events under their id, from a relay that takes everything: they go on under another one.
  @Test func entriesThatOverlapWhatTheLogHasKeepNothingFromBeingSent() throws {
    var relay = RelayDouble()
    let a = try scratch.open("a", .drawing(1, 2))
    let notes = try a.document("notes.md", in: "team")
    try notes.insert("FIRST ", at: 0)
    try relay.exchange(with: a, in: room)
    try notes.insert("SECOND ", at: 6)
    // Over the end of what is logged, into what is not sent yet; then the same as bytes that are no update.
    let (header, payload) = try forged("over the end", as: 1, after: RelayDouble())
    let span = EventSpan(replica: ReplicaID(rawValue: 1), seqs: 3..<9)
    relay.pushUnchecked(EntryHeader(document: key, span: span), [1, 2, 3], by: "mallory")
    relay.pushUnchecked(header, payload, by: "mallory")
    try relay.exchange(with: a, in: room)
    let newcomer = try scratch.open("newcomer")
    try relay.deliver(to: newcomer, in: room)
    #expect(try text(newcomer) == text(a))
    #expect(try text(a) == "FIRST SECOND ")
    #expect(try scratch.integer("SELECT count(*) FROM outbox", in: "a") == 0)
    #expect(try a.held().map(\.subject) == ["mallory", "mallory"])
  }

  @Test func whatWaitsForEventsThatNobodySendsIsShownWithItsSubject() throws {
    var relay = RelayDouble()
    let a = try twoSessions(&relay)
    var document = TextDocument()
    document.replica = ReplicaID(rawValue: 50)
    document.insert("?", at: 0)
    document.replica = ReplicaID(rawValue: 51)
    document.insert("WAITS", at: 1)
    let span = EventSpan(replica: ReplicaID(rawValue: 51), seqs: 0..<5)
    let payload = try #require(document.update(of: span)).bytes
    _ = relay.push(EntryHeader(document: key, span: span), payload, by: "mallory")
    try relay.exchange(with: a, in: room)
    let held = try a.held(in: "team")
    #expect(held.map(\.cursor) == [2] && held.map(\.subject) == ["mallory"])
    #expect(held.map(\.reason) == ["it follows events that the room's log does not hold yet"])
    try expectOnce(["base ", "FIRST SECOND "], in: &relay, a)
    // And no more when it is over.
    let first = EventSpan(replica: ReplicaID(rawValue: 50), seqs: 0..<1)
    _ = relay.push(
      EntryHeader(document: key, span: first), try #require(document.update(of: first)).bytes, by: "mallory")
    try relay.exchange(with: a, in: room)
    #expect(try a.held().isEmpty && text(a).contains("WAITS"))
  }

  // MARK: At random

  /// Several people write, lose connections, restart and merge each other's files, while somebody pushes valid
  /// events, and bytes that are none, under their ids: what each of them typed is in everybody's text once.
  ///
  /// `ROPEWALK_CLASHES` says how many sessions.
  @Test(arguments: 0..<(ProcessInfo.processInfo.environment["ROPEWALK_CLASHES"].flatMap(UInt64.init) ?? 12))
  func nothingVanishesDoublesOrSticksWhoeverUsesOthersIDs(_ round: UInt64) throws {
    let seed = testSeed() &+ round
    var random = SeededGenerator(seed: seed)
    var next: UInt64 = 100
    var typed: [Character] = []
    let names = ["a", "b", "c"]
    func options() -> ReplicaOptions {
      next += 3
      return .drawing(next, next + 1, next + 2)
    }
    var replicas = try names.map { try scratch.open($0, options()) }
    var relay = RelayDouble()
    // Where ids have owners, what one of them carries for another gets another id. While both send it at one moment, it
    // is there under both, which nobody could prevent: there one is connected at a time.
    relay.keepsOwners = !round.isMultiple(of: 2)
    var connections: [ConnectionDouble?] = [nil, nil, nil]
    for _ in 0..<400 {
      let who = Int.random(in: 0..<3, using: &random)
      switch Int.random(in: 0..<24, using: &random) {
      case 0...3:
        let notes = try replicas[who].document("notes.md", in: "team")
        let scalar = try #require(Unicode.Scalar(0x4e00 + UInt32(typed.count)))
        try notes.insert(
          String(Character(scalar)), at: Int.random(in: 0...notes.text.count, using: &random))
        typed.append(Character(scalar))
      case 4, 5: connections[who] = nil
      case 6:
        connections[who] = nil
        replicas[who] = try scratch.open(names[who], options())
      case 7, 8:
        let id = UInt64.random(in: 100...next + 2, using: &random)
        let first = Bool.random(using: &random) ? 0 : UInt32.random(in: 1...8, using: &random)
        let (header, payload) = try forged(
          String(repeating: "#", count: Int.random(in: 1...5, using: &random)), as: id, after: relay,
          from: first)
        _ = relay.push(header, Int.random(in: 0..<5, using: &random) == 0 ? [9] : payload, by: "mallory")
      case 9:
        let other = (who + 1 + Int.random(in: 0..<2, using: &random)) % 3
        _ = try replicas[who].merge(from: scratch.path(names[other]))
      default:
        if connections[who] == nil {
          if relay.keepsOwners { connections = [nil, nil, nil] }
          connections[who] = try ConnectionDouble(replicas[who], room, to: relay, as: names[who])
        }
        try connections[who]?.step(&relay, &random)
      }
    }
    // Until nobody has anything to say any more: an answer to what another pushed last comes a round later.
    var (entries, rounds) = (-1, 0)
    while entries != relay.entries.count, rounds < 10 {
      (entries, rounds) = (relay.entries.count, rounds + 1)
      for (name, replica) in zip(names, replicas) { try relay.exchange(with: replica, in: room, by: name) }
    }
    #expect(rounds < 10, "seed \(seed)")
    let newcomer = try scratch.open("newcomer")
    try relay.exchange(with: newcomer, in: room)
    let texts = try (replicas + [newcomer]).map { try text($0) }
    #expect(Set(texts).count == 1, "seed \(seed)")
    for character in typed {
      let count = texts[0].filter { $0 == character }.count
      #expect(count == 1, "seed \(seed): typed once, there \(count) times")
    }
    #expect(relay.holdsNothingTwice, "seed \(seed)")
    for (name, replica) in zip(names, replicas) {
      #expect(try scratch.integer("SELECT count(*) FROM outbox", in: name) == 0, "seed \(seed)")
      #expect(try Replica.verify(path: scratch.path(name)).isSound, "seed \(seed)")
      #expect(try replica.document("notes.md", in: "team").receipts().unsentCount == 0, "seed \(seed)")
    }
  }
}
