import Foundation
import Testing

@testable import RopewalkCommand

/// The name that a person gave counts, whatever it leads to and wherever its folder is.
@Suite(.timeLimit(.minutes(1))) struct MirrorLinkTests {
  private let folder: TestFolder

  init() throws {
    folder = try TestFolder()
    for name in ["here", "there"] {
      try FileManager.default.createDirectory(atPath: folder[name], withIntermediateDirectories: false)
    }
  }

  @Test func aLinkIntoAnotherFolderIsFollowedBothWays() async throws {
    try folder.write("begin\n", to: "there/real")
    symlink("../there/real", folder["here/notes.md"])
    let mirror = try MirrorHarness(folder, name: "here/notes.md")
    try await mirror.wait(for: "begin\n")
    try folder.write("begin 2\n", to: "there/real")
    try await mirror.wait(for: "begin 2\n")
    try mirror.other { $0.insert("X", at: 0) }
    try await mirror.wait(forFile: "Xbegin 2\n", "there/real")
    #expect(
      (try? FileManager.default.destinationOfSymbolicLink(atPath: folder["here/notes.md"])) == "../there/real"
    )
    try await mirror.finish()
  }

  @Test func aLinkThatAnEditorReplacesByAFileIsMirroredAsAFile() async throws {
    try folder.write("begin\n", to: "there/real")
    symlink("../there/real", folder["here/notes.md"])
    let mirror = try MirrorHarness(folder, name: "here/notes.md")
    try await mirror.wait(for: "begin\n")
    try folder.replace("here/notes.md", by: "begin, saved\n")
    try await mirror.wait(for: "begin, saved\n")
    try await mirror.wait { mirror.problems.text.contains("notes.md was a symbolic link and is a file now") }
    try mirror.other { $0.insert("X", at: 0) }
    try await mirror.wait(forFile: "Xbegin, saved\n", "here/notes.md")
    #expect(folder.text("there/real") == "begin\n")
    try await mirror.finish()
  }

  @Test func aLinkThatComesToLeadElsewhereIsFollowed() async throws {
    try folder.write("begin\n", to: "there/one")
    try folder.write("begin, and more\n", to: "there/two")
    symlink("../there/one", folder["here/notes.md"])
    let mirror = try MirrorHarness(folder, name: "here/notes.md")
    try await mirror.wait(for: "begin\n")
    symlink("../there/two", folder["here/next"])
    rename(folder["here/next"], folder["here/notes.md"])
    try await mirror.wait(for: "begin, and more\n")
    try await mirror.wait {
      mirror.problems.text.contains("notes.md leads to \(folder["here/../there/two"]) from now on")
    }
    try folder.write("begin, and much more\n", to: "there/two")
    try await mirror.wait(for: "begin, and much more\n")
    #expect(folder.text("there/one") == "begin\n")
    try await mirror.finish()
  }

  @Test func aLinkToNothingMakesTheFile() async throws {
    symlink("../there/new", folder["here/notes.md"])
    let mirror = try MirrorHarness(folder, name: "here/notes.md")
    try await mirror.wait { mirror.output.text.contains("mirroring ") }
    try mirror.other { $0.insert("begin\n", at: 0) }
    try await mirror.wait(forFile: "begin\n", "there/new")
    try await mirror.finish()
  }

  @Test(arguments: [false, true]) func aFolderThatIsMovedAwayAndMadeAnewIsWatched(isAbove: Bool) async throws
  {
    let place = isAbove ? "here/below/notes.md" : "here/notes.md"
    if isAbove { mkdir(folder["here/below"], 0o755) }
    try folder.write("begin\n", to: place)
    let mirror = try MirrorHarness(folder, name: place)
    try await mirror.wait(for: "begin\n")
    rename(folder["here"], folder["away"])
    try await mirror.wait { mirror.problems.text.contains("there is no folder \(folder["here"])") }
    // What happens to the file in the old place is nothing to the mirror.
    try folder.write("elsewhere\n", to: place.replacing("here", with: "away"))
    mkdir(folder["here"], 0o755)
    if isAbove { mkdir(folder["here/below"], 0o755) }
    try folder.write("begin, anew\n", to: place)
    try await mirror.wait(for: "begin, anew\n")
    try mirror.other { $0.insert("X", at: 0) }
    try await mirror.wait(forFile: "Xbegin, anew\n", place)
    #expect(folder.text(place.replacing("here", with: "away")) == "elsewhere\n")
    try await mirror.finish()
  }

  @Test func aFolderThatComesBackWithItsReplicaGoesOn() async throws {
    try folder.write("begin\n", to: "here/notes.md")
    let mirror = try MirrorHarness(folder, name: "here/notes.md", replica: "here/replica")
    try await mirror.wait(for: "begin\n")
    rename(folder["here"], folder["away"])
    try await mirror.wait { mirror.problems.text.contains("there is no folder") }
    try folder.write("begin, edited\n", to: "away/notes.md")
    rename(folder["away"], folder["here"])
    try await mirror.wait(for: "begin, edited\n")
    try await mirror.finish()
  }

  @Test func aFolderThatIsMadeAnewWithoutTheReplicaBeginsAnew() async throws {
    try folder.write("begin\n", to: "here/notes.md")
    let mirror = try MirrorHarness(folder, name: "here/notes.md", replica: "here/replica")
    try await mirror.wait(for: "begin\n")
    rename(folder["here"], folder["away"])
    mkdir(folder["here"], 0o755)
    #expect(try await mirror.ended() == .replicaMoved)
  }

  @Test func aMirrorWhoseLinkComesToLeadToAnothersFileWaits() async throws {
    try folder.write("one\n", to: "there/one")
    try folder.write("two\n", to: "there/two")
    symlink("../there/one", folder["here/notes.md"])
    let first = try MirrorHarness(folder, name: "there/two", replica: "first")
    let mirror = try MirrorHarness(folder, name: "here/notes.md", replica: "second")
    try await mirror.wait(for: "one\n")
    try await first.wait(for: "two\n")
    symlink("../there/two", folder["here/next"])
    rename(folder["here/next"], folder["here/notes.md"])
    try await mirror.wait { mirror.problems.text.contains("another `ropewalk mirror` is keeping") }
    #expect(try mirror.text == "one\n")
    try await first.finish()
    try await mirror.wait(for: "two\n")
    try await mirror.finish()
  }
}
