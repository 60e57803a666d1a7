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

  @Test mutating func someTimeLaterItIsAnEditLikeAnyOther() throws {
    try save("one\ntwo\n", secondsLater: 1)
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
    let whole = TextDocument(seed: "one\n")
    var past = MirrorPast()
    past.remember(MirrorBase(TextDocument(seed: "one\na 1\na 2\na 3\na 4\na 5\n")), until: Self.moment)
    let written = MirrorBase(TextDocument(seed: "one\nb 1\n"))
    let saving = past.saving(
      Array("one\nb 1\na 6\na 7\na 8\na 9\n".utf8), written, at: Self.moment, into: whole)
    #expect(saving.patches.map(\.deleted) == [0])
    #expect(saving.cost == 16)
  }
}
