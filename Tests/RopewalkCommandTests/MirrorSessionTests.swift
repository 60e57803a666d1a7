import Foundation
import Testing

@testable import RopewalkCommand

/// A running mirror, and what happens to its file.
@Suite(.timeLimit(.minutes(2))) struct MirrorSessionTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  private static let ways: [PlainFile.System] = [
    .init(), .init(leases: false), .init(exchanges: false), .init(events: false),
    .init(leases: false, exchanges: false, events: false),
  ]

  // MARK: Idling

  @Test(arguments: ways) func aSaveCostsAFewRoundsAndNothingCostsNone(system: PlainFile.System) async throws {
    try folder.write("begin\n", to: "notes.md")
    let mirror = try MirrorHarness(folder, system: system)
    try await mirror.wait(for: "begin\n")
    let before = mirror.rounds.value
    let count = 12
    for number in 0..<count {
      let text = "begin \(number)\n"
      if number % 2 == 0 {
        try folder.write(text, to: "notes.md")
      } else {
        try folder.replace("notes.md", by: text)
      }
      try await mirror.wait(for: text)
    }
    // Reading, which others do too, is not a change.
    for _ in 0..<200 { _ = folder.text("notes.md") }
    try mirror.other { $0.insert("X", at: 0) }
    try await mirror.wait(forFile: "Xbegin \(count - 1)\n")
    try await mirror.finish()
    // Truncating, writing and closing are three changes; what is not known to be complete is looked at twice.
    #expect(mirror.rounds.value - before <= 6 * count + 8)
  }

  @Test(arguments: ways) func othersChangesAndSavesMeet(system: PlainFile.System) async throws {
    try folder.write("one two three\n", to: "notes.md")
    let mirror = try MirrorHarness(folder, system: system)
    try await mirror.wait(for: "one two three\n")
    for number in 0..<4 {
      try mirror.other { $0.insert("\(number)", at: 0) }
      try await mirror.wait { folder.text("notes.md")?.hasPrefix("\(number)") == true }
      let text = "\(folder.text("notes.md") ?? "")mine \(number)\n"
      try folder.write(text, to: "notes.md")
      try await mirror.wait(for: text)
    }
    #expect(folder.text("notes.md") == "3210one two three\nmine 0\nmine 1\nmine 2\nmine 3\n")
    try await mirror.finish()
    #expect(folder.names.filter { $0.contains("ropewalk-new") || $0.contains("ropewalk-old") }.isEmpty)
  }

  // MARK: Files that are not texts

  @Test func whatIsInTheWayIsToldAndTheMirrorGoesOnWithoutIt() async throws {
    try folder.write("begin\n", to: "notes.md")
    let mirror = try MirrorHarness(folder)
    try await mirror.wait(for: "begin\n")
    let (path, aside) = (folder["notes.md"], folder["aside"])
    let ways: [(String, () -> Void)] = [
      ("is a folder, not a plain file", { mkdir(aside, 0o755) }),
      ("is a pipe, not a plain file", { mkfifo(aside, 0o644) }),
      ("is a symbolic link that leads back to itself", { symlink("notes.md", aside) }),
      (
        "is larger than 256 MiB",
        {
          close(open(aside, O_CREAT | O_WRONLY | O_CLOEXEC, 0o644))
          truncate(aside, off_t(PlainFile.maximumBytes) + 1)
        }
      ),
      ("there is no folder", { symlink("nowhere/at/all", aside) }),
    ]
    for (number, (words, make)) in ways.enumerated() {
      make()
      // In one step: while there is no file, it may be written again.
      #expect(FileExchange.exchange(aside, path))
      try await mirror.wait { mirror.problems.text.contains(words) }
      #expect(mirror.problems.text.contains("the mirror goes on when that is mended"))
      remove(aside)
      let text = "begin\nand \(number)\n"
      try folder.write(text, to: "aside")
      #expect(FileExchange.exchange(aside, path))
      remove(aside)
      try await mirror.wait(for: text)
    }
    try await mirror.finish()
  }

  @Test func whatCannotBeWrittenIsToldOnceAndWrittenLater() async throws {
    try folder.write("begin\n", to: "notes.md")
    let mirror = try MirrorHarness(folder)
    try await mirror.wait(for: "begin\n")
    // Where the next text is prepared, there is a folder.
    let obstacle = PlainFile(path: folder["notes.md"]).temporaryPath
    try FileManager.default.createDirectory(atPath: obstacle + "/x", withIntermediateDirectories: true)
    try mirror.other { $0.insert("X", at: 0) }
    try await mirror.wait { mirror.problems.text.contains("the mirror goes on") }
    try mirror.other { $0.insert("Y", at: 0) }
    try await mirror.waitForARound()
    #expect(folder.text("notes.md") == "begin\n")
    try FileManager.default.removeItem(atPath: obstacle)
    try await mirror.wait(forFile: "YXbegin\n")
    try await mirror.finish()
    #expect(mirror.problems.text.split(separator: "\n").filter { $0.contains("goes on when") }.count == 1)
    #expect(mirror.output.text.contains("notes.md is mirrored again\n"))
  }

  @Test func modificationTimesFarAwayHoldNothingUp() async throws {
    for system in [PlainFile.System(), .init(leases: false), .init(leases: false, events: false)] {
      let folder = try TestFolder()
      try folder.write("begin\n", to: "notes.md")
      let mirror = try MirrorHarness(folder, system: system)
      try await mirror.wait(for: "begin\n")
      for (number, time) in [4_000_000_000, 0, 1].enumerated() {
        let text = "begin \(number)\n"
        try folder.write(text, to: "notes~")
        let date = Date(timeIntervalSince1970: Double(time))
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: folder["notes~"])
        rename(folder["notes~"], folder["notes.md"])
        // What the other wrote meanwhile stays.
        let others = String(repeating: "X", count: number)
        try await mirror.wait(for: others + text)
        try mirror.other { $0.insert("X", at: 0) }
        try await mirror.wait(forFile: "X" + others + text)
      }
      try await mirror.finish()
    }
  }

  @Test func otherNamesOfAFileAreTold() async throws {
    try folder.write("begin\n", to: "notes.md")
    link(folder["notes.md"], folder["other"])
    let mirror = try MirrorHarness(folder)
    try await mirror.wait { mirror.problems.text.contains("notes.md has 1 other name (hard links)") }
    try mirror.other { $0.insert("X", at: 0) }
    try await mirror.wait(forFile: "Xbegin\n")
    #expect(folder.text("other") == "begin\n")
    try await mirror.finish()
  }

  @Test func aFileThatNobodyMayWriteIsReplacedAndStaysSo() async throws {
    try folder.write("begin\n", to: "notes.md")
    chmod(folder["notes.md"], 0o444)
    let mirror = try MirrorHarness(folder)
    try await mirror.wait(for: "begin\n")
    try mirror.other { $0.insert("X", at: 0) }
    try await mirror.wait(forFile: "Xbegin\n")
    let attributes = try FileManager.default.attributesOfItem(atPath: folder["notes.md"])
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o444)
    try await mirror.finish()
  }

  @Test(arguments: [" spaces ", "a\nb", "-rf", "\u{1b}[2J", String(repeating: "n", count: 255), "e\u{301}"])
  func everyNameIsItsOwn(name: String) async throws {
    try folder.write("begin\n", to: name)
    let mirror = try MirrorHarness(folder, name: name, replica: "r")
    try await mirror.wait(for: "begin\n")
    try mirror.other { $0.insert("X", at: 0) }
    try await mirror.wait(forFile: "Xbegin\n", name)
    try folder.write("Xbegin!\n", to: name)
    try await mirror.wait(for: "Xbegin!\n")
    try await mirror.finish()
    #expect(mirror.output.text.split(separator: "\n").allSatisfy { !$0.contains("\u{1b}") })
  }
}
