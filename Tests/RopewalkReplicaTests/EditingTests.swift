import Foundation
import RopewalkCore
import RopewalkSync
import Testing

@testable import RopewalkReplica

@Suite struct EditingTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test func editsAreThereAfterReopening() throws {
    let replica = try scratch.open()
    let notes = try replica.document("notes.md", in: "team")
    #expect(try notes.text == "")
    try notes.insert("Hello wörld 👩🏽‍🚀", at: 0)
    try notes.replace(6..<11, with: "there")
    try notes.delete(0..<1)
    try replica.close()
    #expect(throws: ReplicaError.closed) { try notes.insert("x", at: 0) }

    let again = try scratch.open()
    let document = try again.document("notes.md", in: "team")
    #expect(try document.text == "ello there 👩🏽‍🚀")
    #expect(try document.status().unsentEventCount == document.read().eventCount)
    #expect(try document.status().scalarCount == 15)
  }

  @Test func openingReplaysNothingAndKeepsHistoryAcrossSnapshots() throws {
    var options = ReplicaOptions.forTests()
    options.updatesPerSnapshot = 10
    let replica = try scratch.open("replica.sqlite", options)
    let notes = try replica.document("notes.md", in: "team")
    for number in 0..<57 { try notes.insert("\(number % 10)", at: number) }
    #expect(try scratch.integer("SELECT count(*) FROM updates") == 7)
    let history = try notes.history()
    #expect(history.count == 1)
    #expect(history.first?.inserted == 57)
    #expect(history.first?.deleted == 0)
    let again = try scratch.open()
    #expect(try again.document("notes.md", in: "team").text == notes.text)
  }

  @Test func aPartThatIsMergedFromAFileSaysWhatItAdded() throws {
    let (a, b) = (try scratch.open("a"), try scratch.open("b"))
    let (mine, theirs) = (try a.document("notes.md", in: "team"), try b.document("notes.md", in: "team"))
    try mine.insert("abc", at: 0)
    _ = try b.merge(from: scratch.path("a"))
    try mine.insert("défg", at: 3)
    try mine.delete(0..<2)
    _ = try b.merge(from: scratch.path("a"))
    #expect(try mine.history().map { [$0.inserted, $0.deleted] } == [[7, 2]])
    #expect(try theirs.history().map { [$0.inserted, $0.deleted] } == [[3, 0], [4, 2]])
  }

  @Test func everySessionWritesUnderAnIDOfItsOwn() throws {
    for session in 0..<3 {
      let replica = try scratch.open()
      try replica.document("a", in: "r").insert("x", at: session)
      try replica.document("b", in: "r").insert("x", at: session)
      try replica.close()
    }
    let vector = try scratch.open().document("a", in: "r").read().versionVector
    #expect(vector.entries.count == 3)
    #expect(vector.entries.allSatisfy { $0.count == 1 })
  }

  @Test func anIDThatTheFileHasSeenIsDrawnAgain() throws {
    let first = try scratch.open("replica.sqlite", .drawing(5))
    try first.document("a", in: "r").insert("x", at: 0)
    let second = try scratch.open("replica.sqlite", .drawing(5, 5, 6))
    try second.document("a", in: "r").insert("y", at: 0)
    let vector = try second.document("a", in: "r").read().versionVector
    #expect(vector.entries.map { $0.replica.rawValue } == [5, 6])
  }

  @Test func aFailingEditLeavesNothingBehind() throws {
    struct Mishap: Error {}
    let replica = try scratch.open()
    let notes = try replica.document("notes.md", in: "team")
    try notes.insert("abc", at: 0)
    #expect(throws: Mishap.self) {
      try notes.edit(localValues: ["k": [1]]) { document in
        try document.insert("lost", at: 0)
        throw Mishap()
      }
    }
    #expect(throws: ReplicaError.outOfBounds(scalarCount: 3)) { try notes.insert("x", at: 4) }
    #expect(try notes.text == "abc")
    #expect(try notes.localValue("k") == nil)
    try notes.insert("d", at: 3)
    #expect(try scratch.open().document("notes.md", in: "team").text == "abcd")
    #expect(try Replica.verify(path: scratch.path()).isSound)
  }

  @Test func localValuesAreStoredWithTheEdit() throws {
    let replica = try scratch.open()
    let notes = try replica.document("notes.md", in: "team")
    try notes.edit(localValues: ["seen": [1, 2]]) { try $0.insert("abc", at: 0) }
    #expect(try scratch.open().document("notes.md", in: "team").localValue("seen") == [1, 2])
    try notes.setLocalValue(nil, for: "seen")
    #expect(try notes.localValue("seen") == nil)
  }

  @Test func theFileShowsItsTextToAnybody() throws {
    let replica = try scratch.open()
    let text = "line\nwith \u{0} and ünïcödé"
    try replica.document("notes.md", in: "team").insert(text, at: 0)
    let stored = try scratch.blob("SELECT CAST(text AS BLOB) FROM document_texts WHERE document = 'notes.md'")
    #expect(stored == Array(text.utf8))
  }

  @Test func longTextsAreUpToDateInTheFileWhenItIsClosed() throws {
    let replica = try scratch.open()
    let notes = try replica.document("notes.md", in: "team")
    try notes.insert(String(repeating: "0123456789", count: 10_000), at: 0)
    for number in 0..<5 { try notes.insert("\(number)", at: 0) }
    let text = try notes.text
    #expect(try Replica.verify(path: scratch.path()).damage == [])
    try replica.close()
    #expect(try scratch.blob("SELECT CAST(text AS BLOB) FROM document_texts") == Array(text.utf8))
    #expect(try Replica.verify(path: scratch.path()).damage == [])
    #expect(try scratch.open().document("notes.md", in: "team").text == text)
  }

  @Test func updatesOfOthersAreCommittedAsLocalEdits() throws {
    var other = TextDocument()
    other.replica = ReplicaID(rawValue: 77)
    other.insert("from elsewhere", at: 0)
    let replica = try scratch.open()
    let notes = try replica.document("notes.md", in: "team")
    _ = try notes.edit { try $0.apply(other.update(since: VersionVector())) }
    #expect(try notes.text == "from elsewhere")
    #expect(try notes.receipts().unsentCount == 14)
    let room = try #require(RoomName("team"))
    let cuts = try replica.cuts(in: room, maximumBytes: 1000, limit: 10, excluding: [])
    #expect(cuts.map { $0.header.span } == [EventSpan(replica: ReplicaID(rawValue: 77), seqs: 0..<14)])
  }

  @Test func updatesThatWaitForOthersSurviveAndArePushedWhenTheyCan() throws {
    var other = TextDocument()
    other.replica = ReplicaID(rawValue: 77)
    other.insert("abc", at: 0)
    let first = other.update(since: VersionVector())
    let known = other.versionVector
    other.insert("def", at: 3)
    let second = other.update(since: known)
    let notes = try scratch.open().document("notes.md", in: "team")
    _ = try notes.edit { try $0.apply(second) }
    #expect(try notes.text == "")
    let again = try scratch.open().document("notes.md", in: "team")
    #expect(try again.read().pendingEventCount == 3)
    _ = try again.edit { try $0.apply(first) }
    #expect(try again.text == "abcdef")
    #expect(try again.status().unsentEventCount == 6)
  }

  @Test func namesAreChecked() throws {
    let replica = try scratch.open()
    #expect(throws: ReplicaError.invalidRoomName) { try replica.document("a", in: "") }
    #expect(throws: ReplicaError.invalidDocumentName) { try replica.document("a\n", in: "r") }
  }

  @Test func aCopyIsCompleteInOneFile() throws {
    let replica = try scratch.open()
    try replica.document("notes.md", in: "team").insert("abc", at: 0)
    try replica.copy(to: scratch.path("copy.sqlite"))
    #expect(try scratch.open("copy.sqlite").document("notes.md", in: "team").text == "abc")
    #expect(throws: ReplicaError.self) { try replica.copy(to: scratch.path("copy.sqlite")) }
  }
}
