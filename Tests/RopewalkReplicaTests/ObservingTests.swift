import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

/// The patches of a stream, applied in order to the text that it began with, give the document's text, whatever
/// happens to the document.
@Suite struct ObservingTests {
  let scratch: Scratch
  let room: RoomName

  init() throws {
    scratch = try Scratch()
    room = try #require(RoomName("team"))
  }

  @Test func whatIsCarriedOverIsDelivered() async throws {
    for how in [CarryOver.nothing, .replacing, .appending] {
      let scratch = try Scratch()
      let (a, b) = (try scratch.open("a"), try scratch.open("b"))
      try a.seed("notes.md", in: "team", with: "the room's")
      let notes = try b.seed("notes.md", in: "team", with: "mine")
      var relay = RelayDouble()
      for replica in [a, b] { try relay.exchange(with: replica, in: room) }
      let (text, changes) = try notes.observe()
      let watched = Watched((text, changes))
      try notes.adoptRoomLineage(carryingOver: how)
      let expected = try notes.text
      try b.close()
      #expect(await watched.drained() == expected, "\(how)")
    }
  }

  @Test func aWatcherWhoComesWhileOthersWroteHasThatOnce() async throws {
    let (one, two) = (try scratch.open(), try scratch.open())
    let (a, b) = (try one.document("notes.md", in: "team"), try two.document("notes.md", in: "team"))
    try a.insert("abc", at: 0)
    let early = Watched(try a.observe())
    try b.insert("def", at: 3)
    let late = Watched(try a.observe())
    try one.close()
    #expect(await early.drained() == "abcdef")
    #expect(await late.drained() == "abcdef")
  }

  @Test func adoptionInAnotherProcessWithEditsBeforeAndAfterIsDelivered() async throws {
    let (a, b) = (try scratch.open("a"), try scratch.open("b"))
    try a.seed("notes.md", in: "team", with: "the room's")
    let notes = try b.seed("notes.md", in: "team", with: "mine")
    var relay = RelayDouble()
    for replica in [a, b] { try relay.exchange(with: replica, in: room) }
    let lineages = try notes.lineages()
    let pinned = try lineages.map {
      Watched(try b.document(DocumentKey(name: notes.name, lineage: $0.lineage), in: room).observe())
    }
    let watched = Watched(try notes.observe())
    let other = try scratch.open("b").document("notes.md", in: "team")
    try other.insert("still ", at: 0)
    try other.adoptRoomLineage(carryingOver: .appending)
    try other.insert("!", at: 0)
    try b.refresh()
    let expected = try notes.text
    let old = try b.document(DocumentKey(name: notes.name, lineage: lineages[1].lineage), in: room).text
    try b.close()
    #expect(expected == "!the room'sstill mine")
    #expect(await watched.drained() == expected)
    #expect(await pinned[0].drained() == expected)
    #expect(await pinned[1].drained() == old)
  }

  @Test func aNameWhoseBeginningFailedIsWatchedOn() async throws {
    struct Mishap: Error {}
    let replica = try scratch.open()
    let notes = try replica.document("notes.md", in: "team")
    let watched = Watched(try notes.observe())
    #expect(throws: Mishap.self) {
      try notes.edit { text in
        try text.append("lost")
        throw Mishap()
      }
    }
    // The row that the failed edit made may get the number of another document.
    try replica.document("other.md", in: "team").insert("elsewhere", at: 0)
    try notes.insert("abc", at: 0)
    try replica.close()
    #expect(await watched.drained() == "abc")
  }

  @Test func aDocumentThatCouldNotBeReadForAWhileIsDeliveredWhole() async throws {
    let (one, two) = (try scratch.open(), try scratch.open())
    let notes = try one.document("notes.md", in: "team")
    try notes.insert("abc", at: 0)
    let watched = Watched(try notes.observe())
    try two.document("notes.md", in: "team").insert("def", at: 3)
    try scratch.execute("UPDATE updates SET payload = CAST('x' || payload AS BLOB) WHERE id = 2")
    try one.refresh()
    #expect(throws: ReplicaError.self) { try notes.text }
    try scratch.execute(
      "UPDATE updates SET payload = CAST(substr(CAST(payload AS BLOB), 2) AS BLOB) WHERE id = 2")
    try one.refresh()
    try notes.insert("g", at: 6)
    try one.close()
    #expect(await watched.drained() == "abcdefg")
  }

  /// Everything at once: several replicas in several processes each, streams that begin at any time, ids used
  /// twice, lineages, failing edits, merged files, logs that begin anew.
  @Test func randomActsAreDeliveredInFull() async throws {
    for _ in 0..<6 {
      let seed = testSeed()
      try await ObservedActs(seed: seed, room: room).run(acts: 200)
    }
  }
}
