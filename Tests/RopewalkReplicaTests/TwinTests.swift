import Foundation
import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

/// Somebody who carries a colleague's events pushes them under the id that follows from them, while the colleague pushes
/// them too.
@Suite struct TwinTests {
  private let room = RoomName("team")!

  /// Which push the relay takes first.
  enum Order: CaseIterable {
    case authorFirst
    case carrierFirst
    case inTurns
  }

  /// Ann has sent "sent ", and Ben has what she wrote since, from her file.
  private struct Pair {
    let scratch: Scratch
    let ann: Replica
    let ben: Replica
    var relay = RelayDouble()
    let room = RoomName("team")!

    /// - Parameter isBegun: whether the log has something of the document under Ann's id, not only of another document.
    init(isBegun: Bool = true) throws {
      scratch = try Scratch()
      relay.keepsOwners = true
      ann = try scratch.open("ann", .drawing(1, 100, 101, 102))
      let sent = try ann.document(isBegun ? "notes.md" : "other.md", in: "team")
      try sent.insert("sent ", at: 0)
      try relay.exchange(with: ann, in: room, by: "ann")
      ben = try scratch.open("ben", .drawing(2, 200, 201, 202))
      try relay.exchange(with: ben, in: room, by: "ben")
      try notes(ann).insert("carried ", at: notes(ann).text.count)
      try notes(ann).delete(notes(ann).text.count - 3..<notes(ann).text.count - 2)
      _ = try ben.merge(from: scratch.path("ann"))
      try notes(ben).insert("by ben ", at: notes(ben).text.count)
    }

    func notes(_ replica: Replica) throws -> ReplicaDocument { try replica.document("notes.md", in: "team") }

    /// All that a replica would send now, each row's beginning with the rest after it.
    func cuts(_ replica: Replica, _ bytes: Int = 1000) throws -> [OutboxCut] {
      try replica.cuts(in: room, maximumBytes: bytes, limit: 100, excluding: [])
    }

    /// Ben gives what the relay does not take from him other ids, as after waiting for Ann.
    func disown(_ rounds: Int = 4) throws {
      for _ in 0..<rounds {
        for cut in try cuts(ben) where relay.owner(of: cut.header.span.replica).map({ $0 != "ben" }) ?? false
        {
          try ben.disown(cut.header, in: room)
          break
        }
      }
    }

    mutating func send(_ cuts: [OutboxCut], by subject: String) throws {
      for cut in cuts {
        switch relay.push(cut.header, cut.payload, by: subject) {
        case .acknowledged: continue
        case .refused(.idClash(let cursor)):
          // The second session's id has no owner yet, and what it follows has another id with Ben.
          try (subject == "ann" ? ann : ben).holdBack(cut.header, through: cursor, in: room)
        case let answer: Issue.record("\(cut.header): \(answer)")
        }
      }
    }

    mutating func send(_ order: Order, bytes: Int = 1000) throws {
      let (hers, his) = (try cuts(ann, bytes), try cuts(ben, bytes))
      switch order {
      case .authorFirst:
        try send(hers, by: "ann")
        try send(his, by: "ben")
      case .carrierFirst:
        try send(his, by: "ben")
        try send(hers, by: "ann")
      case .inTurns:
        for index in 0..<max(hers.count, his.count) {
          if index < his.count { try send([his[index]], by: "ben") }
          if index < hers.count { try send([hers[index]], by: "ann") }
        }
      }
    }

    /// Everybody reads, sends and reads, twice; then all have each part once.
    mutating func expectOnce(_ parts: [String], _ note: String) throws {
      for _ in 0..<2 {
        try relay.exchange(with: ben, in: room, by: "ben")
        try relay.exchange(with: ann, in: room, by: "ann")
      }
      try relay.exchange(with: ben, in: room, by: "ben")
      let newcomer = try scratch.open("newcomer")
      try relay.exchange(with: newcomer, in: room)
      let text = try notes(ann).text
      for part in parts { #expect(text.ranges(of: part).count == 1, "\(note): \(text)") }
      #expect(try notes(ben).text == text && notes(newcomer).text == text, "\(note)")
      for name in ["ann", "ben"] {
        #expect(try Replica.verify(path: scratch.path(name)).isSound, "\(note)")
        #expect(try scratch.integer("SELECT count(*) FROM outbox", in: name) == 0, "\(note)")
      }
    }
  }

  @Test(arguments: Order.allCases) func whatTwoPushAtOnceUnderTwoIDsIsThereOnce(_ order: Order) throws {
    for isBegun in [true, false] {
      for bytes in [1000, 1] {
        var pair = try Pair(isBegun: isBegun)
        try pair.disown()
        try pair.send(order, bytes: bytes)
        let (entries, note) = (pair.relay.entries, "\(order) \(isBegun) \(bytes)")
        let names = entries.filter { $0.header.document.name.text == "notes.md" }.map(\.header.span.replica)
        // The log has them twice, which nobody can change.
        #expect(Set(names).count >= 2, "\(note)")
        try pair.notes(pair.ann).insert("later ", at: 0)
        try pair.expectOnce(["carrid ", "by ben ", "later "], note)
      }
    }
  }

  @Test(arguments: Order.allCases) func textOfTwoSessionsThatTwoPushAtOnceIsThereOnce(_ order: Order) throws {
    var pair = try Pair()
    let second = try pair.scratch.open("ann", .drawing(3, 103, 104, 105))
    try pair.notes(second).insert("second ", at: 0)
    try second.close()
    _ = try pair.ben.merge(from: pair.scratch.path("ann"))
    // The second session's id is Ann's as well.
    let other = try pair.scratch.open("ann", .drawing(106))
    try other.close()
    try pair.disown()
    try pair.send(order)
    try pair.expectOnce(["carrid ", "second ", "by ben "], "\(order)")
  }

  @Test func whatWasNotPushedYetUnderTheOtherIDGetsItsOwnBackWhenItsAuthorComes() throws {
    var pair = try Pair()
    try pair.disown(1)
    #expect(try pair.scratch.integer("SELECT count(*) FROM outbox WHERE replica = 1", in: "ben") == 0)
    try pair.relay.exchange(with: pair.ann, in: room, by: "ann")
    try pair.relay.exchange(with: pair.ben, in: room, by: "ben")
    let text = try pair.notes(pair.ben).text
    #expect(text == "sent carrid by ben ")
    // Nothing was pushed twice, and nothing had to be deleted.
    #expect(Set(pair.relay.entries.map(\.header.span.replica.rawValue)) == [1, 2])
    try pair.expectOnce(["sent ", "carrid ", "by ben "], "given back")
  }

  @Test func whoGoesOnAndOnCostsTheirAuthorNoMore() throws {
    var pair = try Pair()
    try pair.relay.exchange(with: pair.ann, in: room, by: "ann")
    try pair.notes(pair.ann).insert(String(repeating: "x", count: 150), at: 0)
    try pair.relay.exchange(with: pair.ann, in: room, by: "ann")
    var document = TextDocument()
    for entry in pair.relay.entries { _ = try document.apply(try Update(bytes: entry.payload)) }
    let event = EventID(replica: ReplicaID(rawValue: 1), seq: 14)
    let fresh = try #require(document.derivedID(for: event))
    document = document.reauthoring(event.replica, from: event.seq, as: fresh)
    let key = DocumentKey(name: DocumentName("notes.md")!, lineage: .blank)
    for seq: UInt32 in 0..<150 {
      let span = EventSpan(replica: fresh, seqs: seq..<seq + 1)
      let payload = try #require(document.update(of: span)).bytes
      _ = pair.relay.push(EntryHeader(document: key, span: span), payload, by: "mallory")
      try pair.relay.deliver(to: pair.ann, in: room)
    }
    let sql = "SELECT count(DISTINCT replica) FROM outbox"
    #expect(try pair.scratch.integer(sql, in: "ann") == Int64(Transaction.mostTwinChecks))
    try pair.expectOnce(["carrid "], "at length")
  }

  /// What somebody makes of others' events so that their client takes it for theirs.
  @Test func whatIsNotTheSameStaysThoughItsIDFollows() throws {
    for isMoved in [true, false] {
      var pair = try Pair()
      try pair.relay.exchange(with: pair.ann, in: room, by: "ann")
      var document = TextDocument()
      for entry in pair.relay.entries { _ = try document.apply(try Update(bytes: entry.payload)) }
      let event = EventID(replica: ReplicaID(rawValue: 1), seq: 5)
      let fresh = try #require(document.derivedID(for: event))
      var before = VersionVector()
      before[event.replica] = 5
      document = try #require(document.reduced(to: before))
      document.replica = fresh
      document.insert(isMoved ? "carried " : "carrots ", at: isMoved ? 0 : 5)
      let span = EventSpan(replica: fresh, seqs: 0..<8)
      let key = DocumentKey(name: DocumentName("notes.md")!, lineage: .blank)
      let payload = try #require(document.update(of: span)).bytes
      #expect(
        pair.relay.push(EntryHeader(document: key, span: span), payload, by: "mallory")
          == .acknowledged(cursor: 3))
      try pair.expectOnce(isMoved ? ["carried ", "carrid "] : ["carrots ", "carrid "], "\(isMoved)")
      #expect(
        Set(pair.relay.entries.map(\.subject)) == [
          Array("ann".utf8), Array("mallory".utf8), Array("ben".utf8),
        ])
      #expect(pair.relay.entries.allSatisfy { $0.header.span.replica.rawValue != 100 })
    }
  }
}
