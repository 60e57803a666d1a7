import Foundation
import Ropewalk
import Testing

@testable import RopewalkCommand

/// Programs that read, change and save a file while others' changes are written into it.
@Suite struct MirrorPastTests {
  private let folder: TestFolder
  private let document: ReplicaDocument
  private var mirror: Mirror

  init() throws {
    folder = try TestFolder()
    let replica = try Replica(path: folder["replica"])
    try folder.write("one\n", to: "notes.md")
    mirror = try Mirror.open(
      file: PlainFile(path: folder["notes.md"]), replica: replica, name: "notes.md", room: "team", take: nil
    ).mirror
    document = mirror.document
    _ = try mirror.settle()
    try document.insert("zero\n", at: 0)
    mirror.now = { Self.moment }
    _ = try mirror.settle()
  }

  /// When "zero" is written into the file, in seconds since 1970.
  private static let moment = 1_000_000_000.0

  private func save(_ text: String, secondsLater: Double) throws {
    try folder.write(text, to: "notes.md")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: Self.moment + secondsLater)],
      ofItemAtPath: folder["notes.md"])
  }

  @Test mutating func aSaveOfWhatWasReadBeforeTheWriteTakesNothingBack() throws {
    #expect(folder.text("notes.md") == "zero\none\n")
    try save("one\ntwo\n", secondsLater: 0.02)
    _ = try mirror.settle()
    #expect(folder.text("notes.md") == "zero\none\ntwo\n")
  }

  @Test mutating func anEditorThatWasOpenForMinutesTakesNothingBackEither() throws {
    try save("one\ntwo\n", secondsLater: 200)
    let report = try mirror.settle()
    #expect(report.savedOfThePast)
    #expect(folder.text("notes.md") == "zero\none\ntwo\n")
    // It goes on from what it has.
    try save("one\ntwo\nthree\n", secondsLater: 250)
    #expect(try mirror.settle().savedOfThePast)
    #expect(folder.text("notes.md") == "zero\none\ntwo\nthree\n")
  }

  @Test mutating func whoTakesItOutAgainIsObeyed() throws {
    try save("one\ntwo\n", secondsLater: 5)
    _ = try mirror.settle()
    try save("one\ntwo!\n", secondsLater: 9)
    _ = try mirror.settle()
    #expect(folder.text("notes.md") == "zero\none\ntwo!\n")
    try save("one\ntwo!\n", secondsLater: 15)
    #expect(try !mirror.settle().savedOfThePast)
    #expect(folder.text("notes.md") == "one\ntwo!\n")
  }

  @Test mutating func afterTheBlinkTheEarlierTextItselfIsWhatItLooksLike() throws {
    try save("one\n", secondsLater: 1)
    _ = try mirror.settle()
    #expect(folder.text("notes.md") == "one\n")
  }

  @Test mutating func whoEmptiesTheFileEmptiesIt() throws {
    try save("", secondsLater: 1)
    #expect(try !mirror.settle().savedOfThePast)
    #expect(folder.text("notes.md") == "")
    try save("anew\n", secondsLater: 2)
    #expect(try !mirror.settle().savedOfThePast)
    #expect(folder.text("notes.md") == "anew\n")
  }

  @Test mutating func whoChangesALineThatOthersJustWroteChangesIt() throws {
    try save("zero!\none\n", secondsLater: 1)
    #expect(try !mirror.settle().savedOfThePast)
    #expect(folder.text("notes.md") == "zero!\none\n")
  }

  @Test mutating func longAfterItIsAnEditLikeAnyOther() throws {
    try save("one\ntwo\n", secondsLater: 1000)
    _ = try mirror.settle()
    #expect(folder.text("notes.md") == "one\ntwo\n")
  }

  @Test mutating func anEditOfWhatWasWrittenIsTakenAsSuch() throws {
    try save("zero\none\ntwo\n", secondsLater: 0.02)
    let report = try mirror.settle()
    #expect(report.saved.inserted == 4)
    #expect(report.saved.deleted == 0)
    #expect(folder.text("notes.md") == "zero\none\ntwo\n")
  }

  @Test func whatLooksLikeAPastTextButKeepsWhatWasWrittenIsNoSaveOfThePast() {
    var whole = TextDocument(seed: "one\na 1\na 2\na 3\na 4\na 5\n")
    whole.replica = ReplicaID(rawValue: 1)
    var past = MirrorPast()
    past.remember(MirrorBase(whole), until: Self.moment)
    whole.replace(4..<whole.scalarCount, with: "b 1\n")
    let taken = past.saving(
      Array("one\nb 1\na 6\na 7\na 8\na 9\n".utf8), MirrorBase(whole), at: Self.moment, into: whole)
    #expect(!taken.isOfThePast)
    #expect(taken.saving.patches.map(\.deleted) == [0])
    #expect(taken.saving.cost == 16)
  }
}
