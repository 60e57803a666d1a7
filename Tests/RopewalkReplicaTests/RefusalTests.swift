import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

/// Updates that wait, and contradict what is known when what they waited for comes.
@Suite struct RefusalTests {
  private let scratch: Scratch
  private let room = RoomName("team")!
  private let key = DocumentKey(name: DocumentName("notes.md")!, lineage: .blank)

  init() throws { scratch = try Scratch() }

  /// What `replica` wrote after it had seen the one event of replica 9.
  private func following(_ replica: UInt64, _ text: String) throws -> (earlier: Update, waiting: Update) {
    var document = TextDocument()
    document.replica = ReplicaID(rawValue: 9)
    document.insert("9", at: 0)
    document.replica = ReplicaID(rawValue: replica)
    document.insert(text, at: 1)
    let end = UInt32(text.unicodeScalars.count)
    return (
      try #require(document.update(of: EventSpan(replica: ReplicaID(rawValue: 9), seqs: 0..<1))),
      try #require(document.update(of: EventSpan(replica: ReplicaID(rawValue: replica), seqs: 0..<end)))
    )
  }

  private func push(_ update: Update, to relay: inout RelayDouble) {
    _ = relay.push(EntryHeader(document: key, span: update.spans[0]), update.bytes, by: "bob")
  }

  @Test func ownEventsThatNobodyHasMakeWayForThem() throws {
    let (earlier, waiting) = try following(5, "theirs")
    let a = try scratch.open("a", .drawing(5, 6))
    var relay = RelayDouble()
    push(waiting, to: &relay)
    try relay.deliver(to: a, in: room)
    // The id was drawn before, by a copy of this machine.
    try a.document("notes.md", in: "team").insert("mine", at: 0)
    push(earlier, to: &relay)
    try relay.exchange(with: a, in: room)
    let text = try a.document("notes.md", in: "team").text
    #expect(["9theirsmine", "mine9theirs"].contains(text))
    let b = try scratch.open("b")
    try relay.exchange(with: b, in: room)
    #expect(try b.document("notes.md", in: "team").text == text)
    #expect(try a.held() == [])
    #expect(try a.document("notes.md", in: "team").receipts().unsentCount == 0)
    #expect(try Replica.verify(path: scratch.path("a")).isSound)
    #expect(try scratch.open("a").document("notes.md", in: "team").text == text)
  }

  @Test func whatContradictsOthersIsKeptAsideAndTold() throws {
    let (earlier, waiting) = try following(7, "waits")
    // It comes with a file, whose room has another log.
    let file = try scratch.open("file")
    var old = RelayDouble()
    push(waiting, to: &old)
    try old.exchange(with: file, in: room)
    let a = try scratch.open("a")
    try a.document("notes.md", in: "team").insert("own ", at: 0)
    _ = try a.merge(from: scratch.path("file"))
    var other = TextDocument()
    other.replica = ReplicaID(rawValue: 7)
    other.insert("other", at: 0)
    var relay = RelayDouble()
    push(
      try #require(other.update(of: EventSpan(replica: ReplicaID(rawValue: 7), seqs: 0..<5))), to: &relay)
    try relay.exchange(with: a, in: room)
    push(earlier, to: &relay)
    try relay.exchange(with: a, in: room)
    let text = try a.document("notes.md", in: "team").text
    #expect(text.contains("own ") && text.contains("other") && text.contains("9"))
    #expect(!text.contains("waits"))
    let held = try a.held(in: "team")
    #expect(held.map(\.byteCount) == [waiting.bytes.count])
    #expect(held.first?.cursor == nil)
    #expect(held.first?.reason.hasSuffix("event 0 is there already with other content") == true)
    // It is told once, however often the file is read anew, and is no damage.
    let again = try scratch.open("a")
    try again.document("notes.md", in: "team").insert("!", at: 0)
    try relay.exchange(with: again, in: room)
    #expect(try again.held() == held)
    let report = try Replica.verify(path: scratch.path("a"))
    #expect(report.isSound && report.held == held)
  }

  @Test func whatALostLogHadAcknowledgedMakesWayAtEverybodysInTheSameWay() throws {
    let a = try scratch.open("a", .drawing(5))
    let c = try scratch.open("c")
    try a.document("notes.md", in: "team").insert("acknowledged", at: 0)
    var lost = RelayDouble()
    try lost.exchange(with: a, in: room)
    try lost.exchange(with: c, in: room)
    try c.document("notes.md", in: "team").insert("c ", at: 0)
    try lost.exchange(with: c, in: room)
    // The relay lost its log, and somebody who had used the same id was there first.
    var twin = TextDocument()
    twin.replica = ReplicaID(rawValue: 5)
    twin.insert("the twin's", at: 0)
    var relay = RelayDouble()
    push(
      try #require(twin.update(of: EventSpan(replica: ReplicaID(rawValue: 5), seqs: 0..<10))), to: &relay)
    for replica in [a, c, a, c] { try relay.exchange(with: replica, in: room) }
    try a.document("notes.md", in: "team").insert("later ", at: 0)
    let b = try scratch.open("b")
    for replica in [a, b, c] { try relay.exchange(with: replica, in: room) }
    let text = try a.document("notes.md", in: "team").text
    for part in ["acknowledged", "the twin's", "c ", "later "] {
      #expect(text.ranges(of: part).count == 1, "\(text)")
    }
    for replica in [b, c] { #expect(try replica.document("notes.md", in: "team").text == text) }
    #expect(try a.held() == [])
    #expect(try c.held() == [])
    #expect(relay.holdsNothingTwice)
    for name in ["a", "b", "c"] { #expect(try Replica.verify(path: scratch.path(name)).isSound) }
  }

  @Test func anEntryThatContradictsTheLogIsKeptAsideWithItsPlace() throws {
    let a = try scratch.open("a")
    var (one, two) = (TextDocument(), TextDocument())
    one.replica = ReplicaID(rawValue: 5)
    one.insert("one", at: 0)
    two.replica = ReplicaID(rawValue: 5)
    two.insert("second", at: 0)
    var relay = RelayDouble()
    push(
      try #require(one.update(of: EventSpan(replica: ReplicaID(rawValue: 5), seqs: 0..<3))), to: &relay)
    // No relay takes this; a broken one might.
    relay.pushUnchecked(
      EntryHeader(document: key, span: EventSpan(replica: ReplicaID(rawValue: 5), seqs: 0..<6)),
      two.update(since: VersionVector()).bytes)
    try relay.exchange(with: a, in: room)
    #expect(try a.document("notes.md", in: "team").text == "one")
    let held = try #require(try a.held().first)
    #expect(held.cursor == 2 && held.subject == "ann" && held.key == key)
    #expect(held.reason.contains("known with other content"))
    #expect(try Replica.verify(path: scratch.path("a")).held == [held])
  }
}
