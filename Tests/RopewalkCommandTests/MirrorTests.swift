import Foundation
import Ropewalk
import Synchronization
import Testing

@testable import RopewalkCommand

/// The mirror's logic without a network: a file, a replica, and what happens between them.
@Suite struct MirrorTests {
  private let folder: TestFolder
  private let replica: Replica

  init() throws {
    folder = try TestFolder()
    replica = try Replica(path: folder["replica"])
  }

  private var file: PlainFile { PlainFile(path: folder["notes.md"]) }

  private func open(take: Mirror.Side? = nil) throws -> Mirror {
    try Mirror.open(file: file, replica: replica, name: "notes.md", room: "team", take: take).mirror
  }

  /// What somebody else does to the document.
  private func other(_ body: @escaping (inout TextDocument) -> Void) throws {
    let document = try replica.document("notes.md", in: "team")
    var theirs = try document.read()
    theirs.replica = ReplicaID(rawValue: UInt64.random(in: 1 ... .max))
    let before = theirs.versionVector
    body(&theirs)
    let update = theirs.update(since: before)
    try document.edit { _ = try $0.apply(update) }
  }

  @Test func aFilesTextSeedsAnEmptyRoom() throws {
    try folder.write("hello\n", to: "notes.md")
    var mirror = try open()
    #expect(try mirror.settle() == Mirror.Report())
    #expect(try mirror.document.text == "hello\n")
    #expect(try mirror.document.lineage == TextDocument.lineage(ofSeed: "hello\n"))
  }

  @Test func aMissingFileBecomesTheDocumentsText() throws {
    try replica.document("notes.md", in: "team").insert("hello", at: 0)
    var mirror = try open()
    let report = try mirror.settle()
    #expect(report.written.inserted == 5)
    #expect(folder.text("notes.md") == "hello")
    #expect(!folder.names.contains(".notes.md.ropewalk-new"))
  }

  @Test func aSaveIsAMinimalEdit() throws {
    try folder.write("one two three\n", to: "notes.md")
    var mirror = try open()
    try folder.replace("notes.md", by: "one 2 three\n")
    let report = try mirror.settle()
    #expect(report.saved == Mirror.Amount([TextPatch(position: 4, deleted: 4, inserted: [0x32, 0x20])]))
    #expect(report.written.isNothing)
    #expect(try mirror.document.text == "one 2 three\n")
  }

  @Test func aSaveOfAnOlderTextMergesWithWhatOthersDidSince() throws {
    try folder.write("one two three\n", to: "notes.md")
    var mirror = try open()
    _ = try mirror.settle()
    try other { $0.insert("zero ", at: 0) }
    // The editor had read the file before, and saves now.
    try folder.replace("notes.md", by: "one two three four\n")
    let report = try mirror.settle()
    #expect(report.saved.inserted == 5)
    #expect(folder.text("notes.md") == "zero one two three four\n")
    #expect(try mirror.document.text == "zero one two three four\n")
  }

  @Test func whatWasWrittenIsKnownAfterARestart() throws {
    try folder.write("abc", to: "notes.md")
    var mirror = try open()
    try other { $0.insert("X", at: 3) }
    _ = try mirror.settle()
    // Both sides change while no mirror runs.
    try other { $0.insert("Y", at: 0) }
    try folder.write("abcX!", to: "notes.md")
    var next = try open()
    _ = try next.settle()
    #expect(folder.text("notes.md") == "YabcX!")
    #expect(try next.document.text == "YabcX!")
  }

  @Test func bytesThatAreNotUTF8AreLeftAloneAndNothingIsLost() throws {
    try folder.write("abc\n", to: "notes.md")
    var mirror = try open()
    _ = try mirror.settle()
    try other { $0.insert("X", at: 0) }
    let bad: [UInt8] = [0x61, 0x0a, 0xff, 0xfe]
    try folder.write(bad, to: "notes.md")
    #expect(try mirror.settle().standing == .notText(line: 2))
    #expect(FileManager.default.contents(atPath: folder["notes.md"]) == Data(bad))
    try folder.write("abcd\n", to: "notes.md")
    #expect(try mirror.settle().standing == .equal)
    #expect(folder.text("notes.md") == "Xabcd\n")
  }

  @Test func theModeOfTheFileIsKept() throws {
    try folder.write("abc", to: "notes.md")
    chmod(folder["notes.md"], 0o640)
    var mirror = try open()
    try other { $0.insert("X", at: 0) }
    _ = try mirror.settle()
    let attributes = try FileManager.default.attributesOfItem(atPath: folder["notes.md"])
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o640)
    #expect(folder.text("notes.md") == "Xabc")
  }

  @Test func aFileThatWasRemovedComesBackWithItsMode() throws {
    for removedWhileMirrored in [true, false] {
      try folder.write("abc", to: "notes.md")
      chmod(folder["notes.md"], 0o600)
      var mirror = try open()
      _ = try mirror.settle()
      if !removedWhileMirrored { mirror = try open() }
      try FileManager.default.removeItem(atPath: folder["notes.md"])
      #expect(try mirror.settle().standing == .equal)
      let attributes = try FileManager.default.attributesOfItem(atPath: folder["notes.md"])
      #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
      #expect(folder.text("notes.md") == "abc")
    }
  }

  @Test func whatIsKeptBesideAFileIsAsPrivateAsTheFile() throws {
    try folder.write("abc", to: "notes.md")
    chmod(folder["notes.md"], 0o600)
    let kept = try PlainFile(path: folder["notes.md"]).keepBeside([65], as: "mine")
    let attributes = try FileManager.default.attributesOfItem(atPath: kept)
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
  }

  @Test func aWriterThatIsNotDoneIsWaitedFor() throws {
    try folder.write("abc", to: "notes.md")
    var mirror = try open()
    _ = try mirror.settle()
    try other { $0.insert("X", at: 0) }
    let writer = Foundation.open(folder["notes.md"], O_WRONLY | O_TRUNC | O_CLOEXEC)
    #expect(try mirror.settle().standing == .busy)
    #expect(FileBytes.write(Array("abc!".utf8), to: writer))
    #expect(try mirror.settle().standing == .busy)
    close(writer)
    #expect(try mirror.settle().standing == .equal)
    #expect(folder.text("notes.md") == "Xabc!")
  }

  @Test func aProgramThatKeepsTheFileOpenIsReadButNotCutOff() throws {
    let time = Mutex(0.0)
    func later() { time.withLock { $0 += 60 } }
    let file = PlainFile(at: FilePlace(folder["notes.md"], in: "/")) { time.withLock { $0 } }
    try folder.write("log 1\n", to: "notes.md")
    let writer = Foundation.open(folder["notes.md"], O_WRONLY | O_APPEND | O_CLOEXEC)
    #expect(try file.read() == .busy)
    later()
    var mirror = try Mirror.open(file: file, replica: replica, name: "notes.md", room: "team", take: nil)
      .mirror
    #expect(FileBytes.write(Array("log 2\n".utf8), to: writer))
    #expect(try mirror.settle().standing == .busy)
    later()
    #expect(try mirror.settle().saved.inserted == 6)
    try other { $0.insert("X", at: 0) }
    #expect(try mirror.settle().standing == .open)
    #expect(folder.text("notes.md") == "log 1\nlog 2\n")
    close(writer)
    #expect(try mirror.settle().standing == .equal)
    #expect(folder.text("notes.md") == "Xlog 1\nlog 2\n")
  }

  @Test func twoTextsThatNeverMetAreNotMixed() throws {
    try replica.document("notes.md", in: "team").insert("theirs", at: 0)
    try folder.write("mine", to: "notes.md")
    let failure = #expect(throws: Failure.self) { try open() }
    #expect(failure?.code == .lineageClash)
    #expect(failure?.message.contains("--take room") == true)
    #expect(folder.text("notes.md") == "mine")
    #expect(try replica.document("notes.md", in: "team").text == "theirs")
  }

  @Test func takingTheRoomKeepsTheFileBeside() throws {
    try replica.document("notes.md", in: "team").insert("theirs", at: 0)
    try folder.write("mine", to: "notes.md")
    var mirror = try open(take: .room)
    #expect(try mirror.settle() == Mirror.Report())
    #expect(folder.text("notes.md") == "theirs")
    #expect(folder.text("notes.md.mine") == "mine")
  }

  @Test func takingTheFileKeepsTheRoomsTextBeside() throws {
    try replica.document("notes.md", in: "team").insert("theirs", at: 0)
    try folder.write("mine", to: "notes.md")
    var mirror = try open(take: .file)
    _ = try mirror.settle()
    #expect(folder.text("notes.md") == "mine")
    #expect(folder.text("notes.md.room") == "theirs")
    #expect(try mirror.document.text == "mine")
  }

  @Test func aSymbolicLinkIsFollowed() throws {
    try folder.write("abc", to: "real.md")
    try FileManager.default.createSymbolicLink(atPath: folder["notes.md"], withDestinationPath: "real.md")
    var mirror = try open()
    try other { $0.insert("X", at: 0) }
    _ = try mirror.settle()
    #expect(folder.text("real.md") == "Xabc")
    #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: folder["notes.md"])) == "real.md")
  }
}
