import Foundation
import Testing

@testable import RopewalkCommand

/// Files with different texts that are mirrored under one name, as processes.
@Suite(.timeLimit(.minutes(3))) struct MirrorLineageTests {
  private let bench: MirrorBench

  init() throws { bench = try MirrorBench() }

  private func mirror(_ name: String, _ more: String...) async -> [String] {
    let room = ["--room", "team", "--document", "notes", "--relay", await bench.relay.url]
    return ["mirror", bench.folder["\(name).md"]] + room + more
  }

  /// A has typed into the room; B has a text of its own and was offline.
  private func meet() async throws -> Tool.Outcome {
    try await bench.relay.start()
    let a = try await bench.mirror("a")
    try bench.append("of a\n", to: "a")
    _ = try await a.line(beginning: "saved: +5")
    // When this returns the relay has it, whoever sent it.
    let sync = try await Tool.run("sync", bench.folder["a.md"], "--relay", await bench.relay.url)
    #expect(sync.status == 0, "\(sync)")
    await a.killAndWait()
    await bench.relay.stop()
    try bench.folder.write("of b\n", to: "b.md")
    let b = try await RunningTool(mirror("b"))
    _ = try await b.line(beginning: "mirroring ")
    try await bench.relay.start()
    return await b.end()
  }

  private func newcomer(_ name: String) async throws -> Tool.Outcome {
    let path = bench.folder["\(name).ropewalk"]
    let sync = try await Tool.run("sync", path, "--room", "team", "--relay", await bench.relay.url)
    #expect(sync.status == 0, "\(sync)")
    return try await Tool.run("cat", path)
  }

  @Test func aClashThatComesUpLaterChangesNothingInTheRoom() async throws {
    let clash = try await meet()
    #expect(clash.status == 5, "\(clash)")
    #expect(clash.problems.contains("neither began as the other. Nothing was changed."))
    #expect(bench.folder.text("b.md") == "of b\n")
    // A newcomer finds A's text, and nothing of B's.
    #expect(try await newcomer("new").output == "of a\n")
    let status = try await Tool.run("status", bench.folder["new.ropewalk"], "--offline")
    #expect(!status.output.contains("lineage"), "\(status)")
    // Neither another process on B's file nor another start sends it.
    let sync = try await Tool.run(
      "sync", bench.folder["b.md"], "--relay", await bench.relay.url)
    #expect(sync.status == 5 && sync.problems.contains("of notes in room team are not at"), "\(sync)")
    let again = await (try await RunningTool(mirror("b"))).end()
    #expect(again.status == 5, "\(again)")
    #expect(try await newcomer("newer").output == "of a\n")
    // A new mirror with an empty file takes A's text.
    let c = try await RunningTool(mirror("c"))
    _ = try await c.line(beginning: "mirroring ")
    try await bench.wait { bench.folder.text("c.md") == "of a\n" }
    await c.killAndWait()
    await bench.relay.stop()
  }

  @Test func bothTextsCanBeRead() async throws {
    _ = try await meet()
    await bench.relay.stop()
    let replica = bench.folder["b.md"]
    #expect(try await Tool.run("cat", replica).output == "of b\n")
    let status = try await Tool.run("status", replica, "--offline")
    let lines = status.output.split(separator: "\n").filter { $0.contains("(lineage ") }
    #expect(lines.count == 2, "\(status)")
    let rooms = try #require(lines.first { $0.hasSuffix("the room's)") })
    let own = try #require(lines.first { $0.hasSuffix("current here, on this device only)") })
    for (line, text) in [(rooms, "of a\n"), (own, "of b\n")] {
      let digits = try #require(line.split(separator: "(lineage ").last?.prefix(16))
      #expect(try await Tool.run("cat", replica, "--lineage", String(digits)).output == text)
      let log = try await Tool.run("log", replica, "--lineage", String(digits.prefix(8)))
      #expect(log.status == 0 && log.output.components(separatedBy: "lineage ").count == 3, "\(log)")
    }
    let none = try await Tool.run("cat", replica, "--lineage", "zz")
    #expect(none.status == 2 && none.problems.contains("of lineage zz"), "\(none)")
  }

  @Test func eitherTextGoesOnAndIsEverybodys() async throws {
    for (side, text, other) in [("room", "of a\n", "b.md.mine"), ("file", "of b\n", "b.md.room")] {
      let bench = try MirrorBench()
      let tests = MirrorLineageTests(bench)
      _ = try await tests.meet()
      let a = try await bench.mirror("a")
      let b = try await bench.mirror("b", "--take", side)
      try await bench.waitForBoth(toHold: [String(text.dropLast())])
      #expect(bench.folder.text(other) == (side == "room" ? "of b\n" : "of a\n"))
      // And later edits go both ways.
      try bench.append("more\n", to: "b")
      try await bench.waitForBoth(toHold: [String(text.dropLast()), "more"])
      #expect(try await tests.newcomer("new").output == text + "more\n")
      for mirror in [a, b] { await mirror.killAndWait() }
      await bench.relay.stop()
    }
  }

  private init(_ bench: MirrorBench) { self.bench = bench }
}
