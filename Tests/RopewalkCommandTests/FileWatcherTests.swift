import Foundation
import Testing

@testable import RopewalkCommand

@Suite(.timeLimit(.minutes(1))) struct FileWatcherTests {
  @Test(arguments: [false, true]) func savesOfEveryKindAreNoticed(polls: Bool) async throws {
    let folder = try TestFolder()
    let watcher = FileWatcher(folder: folder.path, names: ["notes.md"], polls: polls)
    var changes = watcher.changes.makeAsyncIterator()
    for round in 0..<3 {
      // The watcher may have told of the save before once more: what counts is that it tells of this one.
      let text = String(repeating: "x", count: round + 1)
      try folder.write(text, to: "notes.md")
      repeat { #expect(await changes.next() != nil) } while folder.text("notes.md") != text
      try folder.replace("notes.md", by: text + "!")
      repeat { #expect(await changes.next() != nil) } while folder.text("notes.md") != text + "!"
      try FileManager.default.removeItem(atPath: folder["notes.md"])
      repeat { #expect(await changes.next() != nil) } while folder.text("notes.md") != nil
    }
  }
}
