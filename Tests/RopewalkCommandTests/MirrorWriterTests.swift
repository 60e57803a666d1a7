import Foundation
import Ropewalk
import Testing

@testable import RopewalkCommand

/// Programs that write a file in place while it is mirrored.
@Suite(.timeLimit(.minutes(3))) struct MirrorWriterTests {
  /// Lines of which one letter each changes.
  private static func lines(_ count: Int) -> [String] {
    (0..<count).map { "line \($0) a of many that are all alike" }
  }

  private func run(_ program: String, _ arguments: String...) async throws {
    let child = try ChildProcess(program, arguments)
    #expect(await child.end() == 0)
  }

  /// As an old file: nothing is read off a modification time.
  private func age(_ path: String) throws {
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -3600)], ofItemAtPath: path)
  }

  @Test func hundredsOfSavesInPlaceTakeNothingOutAndPutNothingInAgain() async throws {
    let bench = try MirrorBench()
    var lines = Self.lines(120)
    try bench.folder.write(lines.joined(separator: "\n") + "\n", to: "a.md")
    try await bench.relay.start()
    let mirrors = [try await bench.mirror("a"), try await bench.mirror("b")]
    try await bench.waitForBoth(toHold: lines)
    let rounds = 240
    for round in 0..<rounds {
      let at = (round * 37) % lines.count
      lines[at] = lines[at].replacing(" a ", with: " b ")
      if round >= lines.count { lines[at] = lines[at].replacing(" b ", with: " c ") }
      let text = lines.joined(separator: "\n") + "\n"
      try bench.folder.write(text, to: "new")
      let name = round % 3 == 0 ? "b.md" : "a.md"
      if round % 2 == 0 { try age(bench.folder[name]) }
      switch round % 4 {
      case 0: try await run("/bin/cp", bench.folder["new"], bench.folder[name])
      case 1: try await run("/bin/sh", "-c", "cat '\(bench.folder["new"])' > '\(bench.folder[name])'")
      case 2: try bench.folder.write(text, to: name)
      default:
        let new = bench.folder["new"]
        try await run(
          "/bin/sh", "-c", "{ head -c 999 '\(new)'; tail -c +1000 '\(new)'; } > '\(bench.folder[name])'")
      }
      try await bench.wait { bench.folder.text("a.md") == text && bench.folder.text("b.md") == text }
    }
    for mirror in mirrors { await mirror.killAndWait() }
    await bench.relay.stop()
    // A letter with its blank went and came with each save. Were the text ever taken out and put in again, it would be thousands.
    let seeded = Self.lines(120).joined(separator: "\n").unicodeScalars.count + 1
    for name in ["a", "b"] {
      let replica = try Replica(path: bench.folder[".\(name).md.ropewalk"])
      let document = try replica.document("notes", in: "team").read()
      #expect(document.eventCount == seeded + 4 * rounds)
    }
  }

  @Test func whatIsWrittenSlowlyIsOneSave() async throws {
    let folder = try TestFolder()
    let lines = Self.lines(50)
    try folder.write(lines.joined(separator: "\n"), to: "notes.md")
    let mirror = try MirrorHarness(folder)
    try await mirror.wait(for: lines.joined(separator: "\n"))
    let before = try mirror.eventCount
    var saved = lines
    saved[7] = saved[7].replacing(" a ", with: " b ")
    let bytes = Array(saved.joined(separator: "\n").utf8)
    let writer = open(folder["notes.md"], O_WRONLY | O_TRUNC | O_CLOEXEC)
    try await mirror.waitForARound()
    for piece in [bytes[..<10], bytes[10..<700], bytes[700...]] {
      // Others write meanwhile, so that the mirror has a reason to look; and much time passes.
      try mirror.other { $0.insert("!", at: $0.scalarCount) }
      try await mirror.waitForARound()
      #expect(FileBytes.write(Array(piece), to: writer))
      try await mirror.waitForARound()
    }
    close(writer)
    let text = saved.joined(separator: "\n") + "!!!"
    try await mirror.wait(for: text)
    try await mirror.wait(forFile: text)
    #expect(try mirror.eventCount == before + 3 + 4)
    try await mirror.finish()
  }

  @Test func twoPiecesBetweenWhichTheFileIsClosedAreOneSave() async throws {
    let folder = try TestFolder()
    let text = Self.lines(50).joined(separator: "\n") + "\n"
    try folder.write(text, to: "notes.md")
    let mirror = try MirrorHarness(folder, patience: .init(quiet: 60, doubt: 60, moment: 0.02, failing: 0.5))
    try await mirror.wait(for: text)
    let before = try mirror.eventCount
    try folder.write(Array(text.utf8.prefix(900)), to: "notes.md")
    try await mirror.waitForARound()
    let writer = open(folder["notes.md"], O_WRONLY | O_APPEND | O_CLOEXEC)
    #expect(FileBytes.write(Array(text.utf8.dropFirst(900)) + [0x21], to: writer))
    close(writer)
    try await mirror.wait(for: text + "!")
    #expect(try mirror.eventCount == before + 1)
    try await mirror.finish()
  }

  @Test func aProgramThatIsKilledAfterItEmptiedTheFileDeletesNothing() async throws {
    let folder = try TestFolder()
    try folder.write("begin\n", to: "notes.md")
    let mirror = try MirrorHarness(folder)
    try await mirror.wait(for: "begin\n")
    let before = try mirror.eventCount
    let rounds = mirror.rounds.value
    let child = try ChildProcess(
      "/bin/sh", ["-c", "exec 3> '\(folder["notes.md"])'; echo emptied; read nothing"], holdsInput: true)
    _ = await child.output.line(beginning: "emptied")
    try await mirror.wait { mirror.rounds.value > rounds }
    try mirror.other { $0.insert("X", at: 0) }
    try await mirror.waitForARound()
    #expect(folder.text("notes.md") == "")
    mirror.skip(1)
    child.signal(SIGKILL)
    _ = await child.end()
    try await mirror.wait(forFile: "Xbegin\n")
    #expect(try mirror.eventCount == before + 1)
    try await mirror.wait {
      mirror.problems.text.contains("a program emptied notes.md and wrote nothing; its text is put back")
    }
    // Now it is meant, of what its editor can have had: not the other's.
    try folder.write("", to: "notes.md")
    try await mirror.wait(for: "X")
    try await mirror.wait(forFile: "X")
    try await mirror.finish()
  }

  @Test func aProgramThatIsKilledInTheMiddleOfALineLeavesWhatWasThereBeside() async throws {
    let folder = try TestFolder()
    let text = Self.lines(30).joined(separator: "\n") + "\n"
    try folder.write(text, to: "notes.md")
    let mirror = try MirrorHarness(folder)
    try await mirror.wait(for: text)
    try folder.write(Array(text.utf8.prefix(333)), to: "notes.md")
    try await mirror.wait(for: String(decoding: text.utf8.prefix(333), as: UTF8.self))
    #expect(folder.text("notes.md.before") == text)
    try await mirror.wait {
      mirror.problems.text.contains("notes.md may have been cut off")
        && mirror.problems.text.contains("notes.md.before")
    }
    try await mirror.finish()
  }

  @Test(arguments: [PlainFile.System(), .init(leases: false), .init(leases: false, events: false)])
  func aFileIsEmptiedOnPurposeAndFilledAgain(system: PlainFile.System) async throws {
    let folder = try TestFolder()
    try folder.write("begin\n", to: "notes.md")
    let mirror = try MirrorHarness(folder, system: system)
    try await mirror.wait(for: "begin\n")
    let ways = [
      ": > '\(folder["notes.md"])'", "truncate -s 0 '\(folder["notes.md"])'",
      "printf '' > '\(folder["notes.md"])'",
    ]
    for way in ways {
      try await run("/bin/sh", "-c", way)
      try await mirror.wait(for: "")
      try folder.write("begin\n", to: "notes.md")
      try await mirror.wait(for: "begin\n")
    }
    try folder.replace("notes.md", by: "")
    try await mirror.wait(for: "")
    try await mirror.finish()
    #expect(mirror.problems.text == "" || mirror.problems.text.contains("offline"))
  }

  @Test func aFileThatIsEmptyWhenTheMirrorBeginsIsFilledAgain() async throws {
    let folder = try TestFolder()
    try folder.write("begin\n", to: "notes.md")
    let first = try MirrorHarness(folder)
    try await first.wait(for: "begin\n")
    try await first.finish()
    try folder.write("", to: "notes.md")
    let second = try MirrorHarness(folder)
    try await second.wait(forFile: "begin\n")
    try await second.wait {
      second.problems.text.contains("notes.md was empty when the mirror began; its text is put back")
    }
    #expect(try second.text == "begin\n")
    try await second.finish()
    #expect(!folder.names.contains(".notes.md.ropewalk-new"))
    try folder.write("", to: "notes.md")
    let third = try MirrorHarness(folder, take: .file)
    try await third.wait(for: "")
    try await third.finish()
  }

  @Test func aFileThatIsRemovedAndMadeAnewEmptyIsFilledAgain() async throws {
    let folder = try TestFolder()
    try folder.write("begin\n", to: "notes.md")
    let mirror = try MirrorHarness(folder)
    try await mirror.wait(for: "begin\n")
    let rounds = mirror.rounds.value
    unlink(folder["notes.md"])
    try await mirror.wait { mirror.rounds.value > rounds }
    try folder.write("", to: "notes.md")
    try await mirror.wait(forFile: "begin\n")
    #expect(try mirror.text == "begin\n")
    try await mirror.finish()
  }

  @Test func aLogThatAProgramKeepsOpenIsReadAsItGrows() async throws {
    for system in [PlainFile.System(), .init(leases: false)] {
      let folder = try TestFolder()
      try folder.write("begin\n", to: "notes.md")
      let writer = open(folder["notes.md"], O_WRONLY | O_APPEND | O_CLOEXEC)
      let mirror = try MirrorHarness(folder, system: system)
      try await mirror.wait(for: "begin\n")
      for number in 0..<3 {
        #expect(FileBytes.write(Array("\(number)\n".utf8), to: writer))
        try await mirror.wait { try mirror.text.hasSuffix("\n\(number)\n") }
      }
      try mirror.other { $0.insert("X", at: 0) }
      try await mirror.wait { mirror.output.text.contains("is open for writing in another program") }
      #expect(folder.text("notes.md") == "begin\n0\n1\n2\n")
      close(writer)
      try await mirror.wait(forFile: "Xbegin\n0\n1\n2\n")
      try await mirror.finish()
    }
  }
}
