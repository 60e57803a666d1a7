import Foundation
import Ropewalk
import Testing

@testable import RopewalkCommand

/// The process ends between two steps of replacing the file; the next one must neither lose nor double a text.
@Suite struct MirrorRecoveryTests {
  private let folder: TestFolder
  private let replica: Replica
  private let document: ReplicaDocument

  /// The file holds "abc"; somebody else has put "X" before it.
  init() throws {
    folder = try TestFolder()
    replica = try Replica(path: folder["replica"])
    try folder.write("abc", to: "notes.md")
    var mirror = try Mirror.open(
      file: PlainFile(path: folder["notes.md"]), replica: replica, name: "notes.md", room: "team", take: nil
    ).mirror
    _ = try mirror.settle()
    document = mirror.document
    try document.insert("X", at: 0)
  }

  private func settled() throws {
    let file = PlainFile(path: folder["notes.md"])
    var mirror = try Mirror.open(file: file, replica: replica, name: "notes.md", room: "team", take: nil)
      .mirror
    #expect(try mirror.settle().standing == .equal)
    #expect(!folder.names.contains(".notes.md.ropewalk-new"))
    #expect(try !seen().isWriting)
    #expect(try document.text == folder.text("notes.md"))
  }

  private func seen() throws -> SeenTexts {
    let encoded = try #require(try document.localValue(Mirror.seenKey))
    return try #require(SeenTexts(encoded: encoded))
  }

  private func noteWriting(isBegun: Bool = true) throws {
    let next = try seen().writing(try document.read(), at: 0, isBegun: isBegun)
    try document.setLocalValue(next.encoded, for: Mirror.seenKey)
  }

  @Test func whileTheTemporaryFileIsWritten() throws {
    try folder.write("Xa", to: ".notes.md.ropewalk-new")
    try settled()
    #expect(folder.text("notes.md") == "Xabc")
  }

  @Test func beforeTheExchange() throws {
    try folder.write("Xabc", to: ".notes.md.ropewalk-new")
    try noteWriting()
    try settled()
    #expect(folder.text("notes.md") == "Xabc")
  }

  @Test func beforeTheExchangeWithASaveMeanwhile() throws {
    try folder.write("Xabc", to: ".notes.md.ropewalk-new")
    try noteWriting()
    try folder.write("abc!", to: "notes.md")
    try settled()
    #expect(folder.text("notes.md") == "Xabc!")
  }

  @Test func afterTheExchange() throws {
    try folder.write("Xabc", to: "notes.md")
    try folder.write("abc", to: ".notes.md.ropewalk-new")
    try noteWriting()
    try settled()
    #expect(folder.text("notes.md") == "Xabc")
  }

  @Test func afterTheExchangeThatReplacedASaveNobodyHadRead() throws {
    try folder.write("Xabc", to: "notes.md")
    try folder.write("abc!", to: ".notes.md.ropewalk-new")
    try noteWriting()
    try settled()
    #expect(folder.text("notes.md") == "Xabc!")
  }

  @Test func afterSuchAnExchangeAndAnotherSave() throws {
    try folder.write("Xabc?", to: "notes.md")
    try folder.write("ab!c", to: ".notes.md.ropewalk-new")
    try noteWriting()
    try settled()
    #expect(folder.text("notes.md") == "Xab!c?")
  }

  @Test func afterEverythingWasNotedButBeforeTheTemporaryFileWasRemoved() throws {
    try folder.write("Xabc", to: "notes.md")
    try folder.write("abc", to: ".notes.md.ropewalk-new")
    try noteWriting(isBegun: false)
    try settled()
    #expect(folder.text("notes.md") == "Xabc")
  }
}
