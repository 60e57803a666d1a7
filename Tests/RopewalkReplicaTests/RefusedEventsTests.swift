import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

/// What the relay does not take is kept, named, and sent or discarded.
@Suite struct RefusedEventsTests {
  private let scratch: Scratch
  private let room = RoomName("team")!

  init() throws { scratch = try Scratch() }

  private func notes(_ replica: Replica) throws -> ReplicaDocument {
    try replica.document("notes.md", in: "team")
  }

  @Test func whatMayNotBeSentIsNamedAndTheNewsOfItAreToldOnce() throws {
    let replica = try scratch.open("a", .drawing(5))
    try notes(replica).insert("abc", at: 0)
    #expect(try replica.forbid(room).map { $0.span.seqs } == [0..<3])
    #expect(try replica.forbid(room) == [])
    try notes(replica).insert("d", at: 3)
    #expect(try notes(replica).receipts().refused.map { $0.reason } == [.forbidden, .followsRefused])
    #expect(try replica.forbid(room).map { $0.span.seqs } == [3..<4])
    let again = try scratch.open("a")
    let refused = try again.refused(in: "team")
    #expect(refused.map { $0.span.seqs } == [0..<4])
    #expect(refused.map { $0.reason } == [.forbidden])
    let receipts = try notes(again).receipts()
    #expect(receipts.unsentCount == 4 && receipts.refusedCount == 4)
    #expect(receipts.place(of: EventID(replica: ReplicaID(rawValue: 5), seq: 3)) == .refused(.forbidden))
    #expect(receipts.place(of: EventID(replica: ReplicaID(rawValue: 5), seq: 4)) == nil)
    #expect(try again.outboxStandings()[room]?.waiting == 0)
    #expect(try scratch.integer("SELECT count(*) FROM outbox", in: "a") == 1)
    #expect(try Replica.verify(path: scratch.path("a")).isSound)
  }

  @Test func whatWasForbiddenIsSentByWhoMayPush() throws {
    let replica = try scratch.open("a")
    try notes(replica).insert("abc", at: 0)
    _ = try replica.forbid(room)
    try notes(replica).insert("d", at: 3)
    var relay = RelayDouble()
    try relay.exchange(with: replica, in: room)
    #expect(try replica.refused() == [])
    #expect(try notes(replica).receipts().unsentCount == 0)
    let other = try scratch.open("b")
    try relay.exchange(with: other, in: room)
    #expect(try notes(other).text == "abcd")
  }

  @Test func discardingTakesOutWhatWasRefusedAndWhatWasWrittenOnTopOfIt() throws {
    let (a, b) = (try scratch.open("a", .drawing(5)), try scratch.open("b"))
    var relay = RelayDouble()
    try notes(a).insert("Hello ", at: 0)
    for replica in [a, b, a] { try relay.exchange(with: replica, in: room) }
    try notes(a).insert("World", at: 6)
    _ = try a.forbid(room)
    // Another session goes on, without a connection.
    let later = try scratch.open("a", .drawing(6))
    try notes(later).delete(0..<1)
    try notes(b).insert("others' ", at: 0)
    try relay.exchange(with: b, in: room)
    try relay.deliver(to: later, in: room)
    let watching = try notes(a).observe()
    let discarded = try notes(later).discardRefused()
    #expect(Set(discarded.map { $0.replica.rawValue }) == [5, 6])
    #expect(try notes(later).text == "others' Hello ")
    #expect(try notes(a).text == "others' Hello ")
    _ = watching
    #expect(try later.refused() == [])
    #expect(try notes(later).discardRefused() == [])
    #expect(try notes(later).history().map { $0.span.seqs.count }.reduce(0, +) == 14)
    #expect(try Replica.verify(path: scratch.path("a")).isSound)
    // Both sessions write under other ids from now on.
    try notes(a).insert("1", at: 0)
    try notes(later).insert("2", at: 0)
    for replica in [a, b] { try relay.exchange(with: replica, in: room) }
    #expect(try notes(b).text == notes(a).text)
    #expect(try notes(b).text == "21others' Hello ")
    #expect(try Replica.verify(path: scratch.path("a")).isSound)
  }

  @Test func whatIsDiscardedThoughTheRelayHasItComesBackOnce() throws {
    let a = try scratch.open("a")
    try notes(a).insert("sent", at: 0)
    var relay = RelayDouble()
    // The answer is lost.
    for cut in try a.cuts(in: room, maximumBytes: 1000, limit: 9, excluding: []) {
      _ = relay.push(cut.header, cut.payload)
    }
    _ = try a.forbid(room)
    try notes(a).discardRefused()
    #expect(try notes(a).text == "")
    try relay.exchange(with: a, in: room)
    #expect(try notes(a).text == "sent")
    #expect(try notes(a).receipts().unsentCount == 0)
    try notes(a).insert("!", at: 4)
    try relay.exchange(with: a, in: room)
    let b = try scratch.open("b")
    try relay.exchange(with: b, in: room)
    #expect(try notes(b).text == "sent!")
    #expect(relay.holdsNothingTwice)
  }

  @Test func whatTheRelayHasOnTopOfWhatIsDiscardedComesWhenThatComes() throws {
    let (a, b) = (try scratch.open("a", .drawing(5)), try scratch.open("b", .drawing(6)))
    try notes(a).insert("base ", at: 0)
    _ = try b.merge(from: scratch.path("a"))
    try notes(b).insert("on top", at: 5)
    // A relay takes what builds on events that it lacks.
    var relay = RelayDouble()
    let update = try #require(
      notes(b).read().update(of: EventSpan(replica: ReplicaID(rawValue: 6), seqs: 0..<6)))
    _ = relay.push(
      EntryHeader(
        document: DocumentKey(name: DocumentName("notes.md")!, lineage: .blank), span: update.spans[0]),
      update.bytes)
    try relay.deliver(to: a, in: room)
    _ = try a.forbid(room)
    #expect(try notes(a).text == "base ")
    try notes(a).discardRefused()
    #expect(try notes(a).text == "")
    #expect(try Replica.verify(path: scratch.path("a")).isSound)
    for replica in [b, a] { try relay.exchange(with: replica, in: room) }
    #expect(try [notes(a).text, notes(b).text] == ["base on top", "base on top"])
    #expect(try a.held().isEmpty)
    #expect(relay.holdsNothingTwice)
  }

  @Test func anUpdateThatIsTooLargeForTheRelayIsCutAnew() throws {
    let a = try scratch.open("a")
    for number in 0..<400 { try notes(a).insert("\(number) ", at: 0) }
    let old = try a.cuts(in: room, maximumBytes: 1 << 20, limit: 9, excluding: [])
    #expect(old.map { $0.payload.count > 500 } == [true])
    // The same, whatever the wish, where the relay takes it.
    let kept = try a.cuts(in: room, maximumBytes: 100, largest: 1 << 20, limit: 9, excluding: [])
    #expect(kept.map { $0.payload } == old.map { $0.payload })
    var relay = RelayDouble()
    var rounds = 0
    while true {
      let cuts = try a.cuts(in: room, maximumBytes: 1 << 20, largest: 200, limit: 3, excluding: [])
      if cuts.isEmpty { break }
      for cut in cuts {
        #expect(cut.payload.count <= 200)
        guard case .acknowledged(let cursor) = relay.push(cut.header, cut.payload) else {
          Issue.record("refused")
          continue
        }
        try a.acknowledge([(cut.header, cursor)], in: room)
      }
      rounds += 1
    }
    #expect(rounds > 2)
    let b = try scratch.open("b")
    for replica in [a, b] { try relay.exchange(with: replica, in: room) }
    #expect(try notes(b).text == notes(a).text)
    #expect(try notes(a).receipts().unsentCount == 0)
    #expect(try Replica.verify(path: scratch.path("a")).isSound)
  }

  @Test func anUpdateThatWasTakenBeforeTheLimitFellIsNotThereTwice() throws {
    let a = try scratch.open("a")
    for number in 0..<400 { try notes(a).insert("\(number) ", at: 0) }
    var relay = RelayDouble()
    for cut in try a.cuts(in: room, maximumBytes: 1 << 20, limit: 9, excluding: []) {
      _ = relay.push(cut.header, cut.payload)
    }
    for cut in try a.cuts(in: room, maximumBytes: 200, largest: 200, limit: 5, excluding: []) {
      if case .refused = relay.push(cut.header, cut.payload) {
        try a.holdBack(cut.header, through: 1, in: room)
      }
    }
    try relay.exchange(with: a, in: room, largest: 200)
    #expect(relay.entries.count == 1)
    #expect(try notes(a).receipts().unsentCount == 0)
    #expect(try a.outboxStandings()[room] == nil)
  }

  @Test func whatFollowsAnEventThatIsTooLargeWaitsAndTheRestGoesOn() throws {
    let (a, file) = (try scratch.open("a", .drawing(5, 7)), try scratch.open("file", .drawing(6)))
    try notes(a).insert("large", at: 0)
    try notes(file).insert("from a file", at: 0)
    let large = try #require(a.cuts(in: room, maximumBytes: 1000, limit: 9, excluding: []).first)
    try a.refuse(large.header, .tooLarge, in: room)
    _ = try a.merge(from: scratch.path("file"))
    try notes(a).insert("on top of both", at: 0)
    let later = try scratch.open("a", .drawing(8))
    try notes(later).insert("later", at: 0)
    try later.document("other.md", in: "team").insert("independent", at: 0)
    let cuts = try later.cuts(in: room, maximumBytes: 1000, limit: 9, excluding: [])
    #expect(cuts.map { $0.header.span.replica.rawValue }.sorted() == [6, 8])
    #expect(cuts.map { $0.header.document.name.text }.sorted() == ["notes.md", "other.md"])
    let refused = try later.refused()
    #expect(refused.map { $0.reason } == [.tooLarge, .followsRefused, .followsRefused])
    #expect(try later.outboxStandings()[room]?.waiting == 2)
    // A relay that takes more is another one, or comes with another connection.
    try later.retryRefused(in: room)
    var relay = RelayDouble()
    try relay.exchange(with: later, in: room)
    #expect(try later.refused() == [])
    #expect(try notes(later).receipts().unsentCount == 0)
  }

  @Test func refusalsOutliveALogThatBeganAnew() throws {
    let a = try scratch.open("a")
    try notes(a).insert("abc", at: 0)
    _ = try a.forbid(room)
    try a.restart(room)
    try a.settle(room, at: 0)
    #expect(try a.refused().map { $0.eventCount } == [3])
  }

  @Test func anEditThatDoesNothingMakesNoDocument() throws {
    let a = try scratch.open("a")
    #expect(try notes(a).edit { _ in 7 } == 7)
    try notes(a).insert("", at: 0)
    try notes(a).delete(0..<0)
    #expect(throws: ReplicaError.outOfBounds(scalarCount: 0)) { try notes(a).delete(1..<1) }
    try notes(a).edit(localValues: ["key": nil]) { _ in }
    #expect(try a.documents() == [])
    #expect(try a.rooms() == [])
    #expect(try scratch.integer("SELECT count(*) FROM authors", in: "a") == 0)
    try notes(a).edit(localValues: ["key": [1]]) { _ in }
    #expect(try a.documents().map { $0.key.name.text } == ["notes.md"])
    #expect(try notes(a).localValue("key") == [1])
    try notes(a).insert("abc", at: 0)
    #expect(try notes(a).text == "abc")
  }

  @Test func refusingAllowingAndDiscardingInAnyOrderConverges() throws {
    var random = SeededGenerator(seed: testSeed())
    for round in 0..<30 {
      let names = ["a\(round)", "b\(round)"]
      var replicas = try names.map { try scratch.open($0) }
      var relay = RelayDouble()
      for _ in 0..<40 {
        let who = Int.random(in: 0..<2, using: &random)
        let (replica, document) = (replicas[who], try notes(replicas[who]))
        switch Int.random(in: 0..<8, using: &random) {
        case 0...2:
          let count = try document.read().scalarCount
          try document.insert("\(who)x", at: Int.random(in: 0...count, using: &random))
        case 3:
          let count = try document.read().scalarCount
          if count > 0 { try document.delete(0..<Int.random(in: 1...min(3, count), using: &random)) }
        case 4: _ = try replica.forbid(room)
        case 5:
          let at = try relay.text(in: scratch, "plain\(round)-\(relay.entries.count)", room)
          _ = try replica.forbid(room)
          try relay.deliver(to: replica, in: room)
          try document.discardRefused()
          #expect(try document.text == at)
        case 6: replicas[who] = try scratch.open(names[who])
        default: try relay.exchange(with: replica, in: room, largest: Int.random(in: 30...90, using: &random))
        }
      }
      for replica in replicas + replicas { try relay.exchange(with: replica, in: room) }
      #expect(try notes(replicas[0]).text == notes(replicas[1]).text)
      #expect(relay.holdsNothingTwice)
      for (name, replica) in zip(names, replicas) {
        #expect(try notes(replica).receipts().unsentCount == 0)
        #expect(try Replica.verify(path: scratch.path(name)).damage == [])
      }
    }
  }
}

extension RelayDouble {
  /// The text that somebody sees who has only what is here.
  fileprivate func text(in scratch: Scratch, _ name: String, _ room: RoomName) throws -> String {
    let replica = try scratch.open(name)
    try deliver(to: replica, in: room)
    return try replica.document("notes.md", in: room.text).text
  }
}
