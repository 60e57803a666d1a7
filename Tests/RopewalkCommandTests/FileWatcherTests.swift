import Foundation
import Synchronization
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

  @Test func readingIsNoChange() async throws {
    let folder = try TestFolder()
    try folder.write("x", to: "notes.md")
    let watcher = FileWatcher(folder: folder.path, names: ["notes.md"])
    var changes = watcher.changes.makeAsyncIterator()
    for _ in 0..<500 { _ = try FileLook.take(at: FilePlace(folder["notes.md"], in: "/"), leases: true) }
    // What is told comes in order: hardly anything came before this.
    try folder.replace("notes.md", by: "y")
    _ = await changes.next()
    #expect(watcher.toldCount < 5)
  }

  @Test func whoWritesAndWhoIsDoneIsHeard() async throws {
    let folder = try TestFolder()
    try folder.write("x", to: "notes.md")
    let heard = Mutex<[Bool]>([])
    let place = FilePlace(folder["notes.md"], in: "/")
    let watcher = FileWatcher(
      hears: { _, isWritten in heard.withLock { $0.append(isWritten) } }, places: { [place] })
    var changes = watcher.changes.makeAsyncIterator()
    let writer = open(folder["notes.md"], O_WRONLY | O_TRUNC | O_CLOEXEC)
    while heard.withLock({ $0.last }) != true { _ = await changes.next() }
    close(writer)
    while heard.withLock({ $0.last }) != false { _ = await changes.next() }
  }

  @Test func looksBecomeRareWhileNothingHappens() {
    var (pause, looks, time) = (FilePolling.shortest, 0, 0.0)
    while time < 60 {
      time += pause
      pause = FilePolling.next(after: pause, isChanged: false)
      looks += 1
    }
    #expect(looks <= 70)
    #expect(FilePolling.next(after: pause, isChanged: true) == FilePolling.shortest)
  }
}
