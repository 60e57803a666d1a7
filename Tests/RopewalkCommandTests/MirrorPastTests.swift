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
    let start = ContinuousClock.now
    mirror.past.now = { start }
    _ = try mirror.settle()
    try document.insert("zero\n", at: 0)
    _ = try mirror.settle()
  }

  @Test mutating func aSaveOfWhatWasReadBeforeTheWriteTakesNothingBack() throws {
    #expect(folder.text("notes.md") == "zero\none\n")
    try folder.write("one\ntwo\n", to: "notes.md")
    _ = try mirror.settle()
    #expect(folder.text("notes.md") == "zero\none\ntwo\n")
  }

  @Test mutating func someTimeLaterItIsAnEditLikeAnyOther() throws {
    let later = ContinuousClock.now + .seconds(60)
    mirror.past.now = { later }
    try folder.write("one\ntwo\n", to: "notes.md")
    _ = try mirror.settle()
    #expect(folder.text("notes.md") == "one\ntwo\n")
  }

  @Test mutating func anEditOfWhatWasWrittenIsTakenAsSuch() throws {
    try folder.write("zero\none\ntwo\n", to: "notes.md")
    let report = try mirror.settle()
    #expect(report.saved.inserted == 4)
    #expect(report.saved.deleted == 0)
    #expect(folder.text("notes.md") == "zero\none\ntwo\n")
  }
}
