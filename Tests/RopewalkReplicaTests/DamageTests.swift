import Foundation
import GRDB
import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

@Suite struct DamageTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// A file with snapshots, a tail, an outbox with a fixed cut, a log and two documents.
  private func makeFile(_ name: String = "replica.sqlite") throws {
    var options = ReplicaOptions.forTests()
    options.updatesPerSnapshot = 6
    let replica = try scratch.open(name, options)
    let notes = try replica.document("notes.md", in: "team")
    for number in 0..<40 { try notes.insert("word \(number) ", at: 0) }
    try replica.seed("seeded.md", in: "team", with: "A text that was there at the beginning.")
    let room = try #require(RoomName("team"))
    var relay = RelayDouble()
    try relay.exchange(with: replica, in: room)
    for number in 0..<9 { try notes.insert("unsent \(number) ", at: 3) }
    _ = try replica.cuts(in: room, maximumBytes: 1000, limit: 3, excluding: [])
    try notes.insert("tail", at: 0)
    try replica.close()
  }

  @Test func verificationNamesWhatIsDamagedAndWhatIsSafe() throws {
    try makeFile()
    #expect(try Replica.verify(path: scratch.path()).isSound)
    try scratch.execute(
      "UPDATE snapshots SET snapshot = zeroblob(20) WHERE document = 1")
    let report = try Replica.verify(path: scratch.path())
    #expect(report.damage.map { $0.place } == ["snapshots"])
    #expect(report.soundDocuments.map { $0.key.name.text } == ["seeded.md"])
    #expect(report.damagedDocuments.map { $0.name } == ["notes.md"])
    #expect(report.damagedDocuments.first?.readableTextBytes ?? 0 > 300)

    let replica = try scratch.open()
    #expect(try replica.document("seeded.md", in: "team").text.hasPrefix("A text"))
    #expect {
      try replica.document("notes.md", in: "team").text
    } throws: { error in
      if case ReplicaError.damaged(let damage) = error { damage.place == "snapshots" } else { false }
    }
  }

  @Test func verificationFindsATextThatIsNotTheDocuments() throws {
    try makeFile()
    try scratch.execute("UPDATE texts SET text = 'x' WHERE document = 2")
    let report = try Replica.verify(path: scratch.path())
    #expect(report.damage.map { $0.problem } == ["the plain text is not the document's"])
  }

  @Test func aRoomsOtherDocumentsGoOnWhenOneIsDamaged() throws {
    try makeFile()
    try scratch.execute("UPDATE snapshots SET snapshot = zeroblob(20) WHERE document = 1")
    let replica = try scratch.open()
    let room = try #require(RoomName("team"))
    var relay = RelayDouble()
    // Of a relay that has lost its log.
    try relay.exchange(with: replica, in: room)
    #expect(relay.entries.contains { $0.header.document.name.text == "seeded.md" })
  }

  // MARK: Files of other kinds

  @Test func otherFilesAreRefused() throws {
    try Data("not a database, but long enough to look at".utf8).write(to: URL(filePath: scratch.path("text")))
    #expect(throws: ReplicaError.notAReplica) { try scratch.open("text") }
    try scratch.execute("CREATE TABLE t (x)", in: "other.sqlite")
    #expect(throws: ReplicaError.notAReplica) { try scratch.open("other.sqlite") }
    #expect(try scratch.integer("SELECT count(*) FROM sqlite_master", in: "other.sqlite") == 1)
    #expect(throws: ReplicaError.notAReplica) { try Replica.verify(path: scratch.path("other.sqlite")) }
  }

  @Test func aMissingFolderIsSaidWithSQLitesCode() throws {
    #expect {
      try Replica(path: scratch.path("missing/replica.sqlite"))
    } throws: { error in
      if case ReplicaError.storage(let code, _) = error { code == 14 } else { false }
    }
    #expect(throws: ReplicaError.self) { try Replica.verify(path: scratch.path("missing")) }
  }

  @Test func aLaterSchemaIsRefusedAndLeftAlone() throws {
    try makeFile()
    try scratch.execute("PRAGMA user_version = 99")
    #expect(throws: ReplicaError.newerSchema(found: 99, supported: Schema.current)) { try scratch.open() }
    #expect(throws: ReplicaError.newerSchema(found: 99, supported: Schema.current)) {
      try Replica.verify(path: scratch.path())
    }
    #expect(try scratch.integer("PRAGMA user_version") == 99)
  }

  @Test func anEmptyFileBecomesAReplica() throws {
    try Data().write(to: URL(filePath: scratch.path()))
    try scratch.open().document("a", in: "r").insert("x", at: 0)
    #expect(try scratch.open().document("a", in: "r").text == "x")
  }
}
