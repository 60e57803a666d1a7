import Foundation
import Testing

@testable import RopewalkCommand

/// Two files of one room in one folder, the relay between their mirrors, and programs that edit them.
struct MirrorBench {
  let folder: TestFolder
  let relay: RelayProcess
  let relayData: String

  init() throws {
    folder = try TestFolder()
    relayData = folder["relay"]
    relay = RelayProcess(dataDirectory: relayData, executable: Tool.executable)
  }

  /// The file `NAME.md` as the room's document `notes`.
  func mirror(_ name: String, _ more: String...) async throws -> RunningTool {
    let running = try RunningTool(
      ["mirror", folder["\(name).md"], "--room", "team", "--document", "notes", "--relay", await relay.url]
        + more)
    _ = try await running.line(beginning: "mirroring ")
    return running
  }

  /// Appends in one step, as a program that writes a log does: whatever happens to the file meanwhile.
  func append(_ text: String, to name: String) throws {
    let descriptor = open(folder["\(name).md"], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    defer { close(descriptor) }
    #expect(FileBytes.write(Array(text.utf8), to: descriptor))
  }

  /// Waits until the files hold what they should. The suite's time limit is the deadline.
  func wait(until isSettled: () -> Bool) async throws {
    let watcher = FileWatcher(folder: folder.path, names: folder.names.union(["a.md", "b.md"]))
    if isSettled() { return }
    for await _ in watcher.changes where isSettled() { return }
    throw Failure(.other, "not in time: \(folder.text("a.md") ?? "") \(folder.text("b.md") ?? "")")
  }

  /// Waits until both files hold one text with just these lines, in any order.
  func waitForBoth(toHold lines: [String]) async throws {
    let expected = lines.sorted()
    try await wait {
      guard let a = folder.text("a.md"), a == folder.text("b.md") else { return false }
      return a.split(separator: "\n").map(String.init).sorted() == expected
    }
  }
}
