import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

/// A file that was written before opens.
@Suite struct FixtureTests {
  @Test func aReplicaOfSchemaOneOpensAndGoesOn() throws {
    let scratch = try Scratch()
    try scratch.execute(replicaVersion1)
    let replica = try scratch.open()
    let notes = try replica.document("notes.md", in: "team")
    #expect(try notes.text == "?漢Hello world!")
    #expect(try replica.document("seeded.md", in: "team").text == "A text that was there.\n")
    #expect(try notes.localValue("key") == [1, 2])
    let history = try notes.history()
    #expect(history.map(\.inserted) == [14, 0])
    #expect(history.first?.time == 1_700_000_000_000...1_700_000_000_000)
    #expect(try notes.receipts().onThisDevice.map(\.seqs) == [13..<14])
    #expect(try notes.receipts().atRelay.map(\.cursor) == [1])
    #expect(try replica.held().map(\.subject) == ["bob"])
    let rooms = try replica.rooms()
    #expect(rooms.map(\.cursor) == [2])
    #expect(rooms.map(\.role) == [.edit])
    #expect(rooms.map(\.unsentEventCount) == [24])

    try notes.insert("!", at: 0)
    var relay = RelayDouble()
    try relay.exchange(with: replica, in: rooms[0].room)
    let other = try scratch.open("other")
    try relay.exchange(with: other, in: rooms[0].room)
    #expect(try other.document("notes.md", in: "team").text == "!?漢Hello world!")
    try replica.close()
    #expect(try Replica.verify(path: scratch.path()).damage == [])
    #expect(try scratch.integer("PRAGMA user_version") == Int64(Schema.current))
  }
}
