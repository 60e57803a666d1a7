import Foundation
import Testing

@testable import RopewalkCommand

/// Mirrors, a relay and programs that edit, all as processes of their own.
@Suite(.timeLimit(.minutes(3))) struct MirrorProcessTests {
  private let bench: MirrorBench

  init() throws { bench = try MirrorBench() }

  /// Lines that nobody else writes.
  private func lines(_ name: String, _ range: Range<Int>) -> [String] { range.map { "\(name) \($0)" } }

  /// Appends lines to both files at the same time.
  private func editBoth(_ range: Range<Int>) async throws {
    let bench = bench
    let (a, b) = (lines("a", range), lines("b", range))
    async let first: Void = { for line in a { try bench.append(line + "\n", to: "a") } }()
    async let second: Void = { for line in b { try bench.append(line + "\n", to: "b") } }()
    _ = try await (first, second)
  }

  @Test func bothFilesEditedAtOnceConverge() async throws {
    try await bench.relay.start()
    let a = try await bench.mirror("a")
    let b = try await bench.mirror("b")
    try await editBoth(0..<40)
    try await bench.waitForBoth(toHold: lines("a", 0..<40) + lines("b", 0..<40))
    for mirror in [a, b] {
      mirror.signal(SIGTERM)
      let outcome = await mirror.end()
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output.hasSuffix("\nstopped\n"))
    }
    await bench.relay.stop()
  }

  @Test func theSameFileMirroredByTwoIntoANewRoomOfflineIsOneText() async throws {
    try await bench.relay.start()
    await bench.relay.kill()
    for name in ["a", "b"] { try bench.folder.write("shared\n", to: "\(name).md") }
    let a = try await bench.mirror("a")
    let b = try await bench.mirror("b")
    try await editBoth(0..<5)
    try await bench.relay.start()
    try await bench.waitForBoth(toHold: ["shared"] + lines("a", 0..<5) + lines("b", 0..<5))
    for mirror in [a, b] { await mirror.killAndWait() }
    await bench.relay.stop()
  }

  @Test func killedMirrorsAndAKilledRelayLoseAndDoubleNothing() async throws {
    try await bench.relay.start()
    var a = try await bench.mirror("a")
    let b = try await bench.mirror("b")
    for round in 0..<4 {
      try await editBoth(round * 10..<round * 10 + 10)
      await a.killAndWait()
      if round % 2 == 1 { await bench.relay.kill() }
      try bench.append("while away \(round)\n", to: "a")
      if round % 2 == 1 { try await bench.relay.start() }
      a = try await bench.mirror("a")
    }
    try await bench.waitForBoth(
      toHold: lines("a", 0..<40) + lines("b", 0..<40) + (0..<4).map { "while away \($0)" })
    for mirror in [a, b] { await mirror.killAndWait() }
    await bench.relay.stop()
  }

  @Test func aRelayWhoseDataWasDeletedIsFilledAgain() async throws {
    try await bench.relay.start()
    let a = try await bench.mirror("a")
    let b = try await bench.mirror("b")
    try await editBoth(0..<5)
    try await bench.waitForBoth(toHold: lines("a", 0..<5) + lines("b", 0..<5))
    await bench.relay.kill()
    try FileManager.default.removeItem(atPath: bench.relayData)
    try await editBoth(5..<10)
    try await bench.relay.start()
    try await bench.waitForBoth(toHold: lines("a", 0..<10) + lines("b", 0..<10))
    for mirror in [a, b] { await mirror.killAndWait() }
    // A newcomer gets it all from the relay.
    let sync = try await Tool.run(
      "sync", bench.folder["new.ropewalk"], "--room", "team", "--relay", await bench.relay.url)
    #expect(sync.status == 0, "\(sync)")
    #expect(try await Tool.run("cat", bench.folder["new.ropewalk"]).output == bench.folder.text("a.md"))
    await bench.relay.stop()
  }

  @Test func aRelayThatWasPutBackFromAnOlderCopyIsFilledAgain() async throws {
    try await bench.relay.start()
    let a = try await bench.mirror("a")
    let b = try await bench.mirror("b")
    try await editBoth(0..<5)
    try await bench.waitForBoth(toHold: lines("a", 0..<5) + lines("b", 0..<5))
    await bench.relay.stop()
    let backup = bench.folder["backup"]
    try FileManager.default.copyItem(atPath: bench.relayData, toPath: backup)
    try await bench.relay.start()
    try await editBoth(5..<10)
    try await bench.waitForBoth(toHold: lines("a", 0..<10) + lines("b", 0..<10))
    await bench.relay.kill()
    try FileManager.default.removeItem(atPath: bench.relayData)
    try FileManager.default.moveItem(atPath: backup, toPath: bench.relayData)
    try await bench.relay.start()
    try await editBoth(10..<15)
    try await bench.waitForBoth(toHold: lines("a", 0..<15) + lines("b", 0..<15))
    for mirror in [a, b] { await mirror.killAndWait() }
    await bench.relay.stop()
  }

  @Test func aCopiedReplicaThatWasEditedOnBothSidesMergesCleanly() async throws {
    try await bench.relay.start()
    var a = try await bench.mirror("a")
    try bench.append("start\n", to: "a")
    _ = try await a.line(beginning: "saved: +6")
    _ = try await a.line(beginning: "everything is at the relay")
    await a.killAndWait()
    for name in bench.folder.names where name.hasPrefix(".a.md.ropewalk") || name == "a.md" {
      let copy = name.replacing("a.md", with: "b.md")
      try FileManager.default.copyItem(atPath: bench.folder[name], toPath: bench.folder[copy])
    }
    await bench.relay.kill()
    a = try await bench.mirror("a")
    let b = try await bench.mirror("b")
    try await editBoth(0..<5)
    try await bench.relay.start()
    try await bench.waitForBoth(toHold: ["start"] + lines("a", 0..<5) + lines("b", 0..<5))
    for mirror in [a, b] { await mirror.killAndWait() }
    await bench.relay.stop()
  }

  @Test func textsThatNeverMetAreAClashWithTwoWaysOut() async throws {
    try await bench.relay.start()
    try bench.folder.write("of a\n", to: "a.md")
    let a = try await bench.mirror("a")
    _ = try await a.line(beginning: "everything is at the relay")
    try bench.folder.write("of b\n", to: "b.md")
    let url = await bench.relay.url
    let arguments = ["mirror", bench.folder["b.md"], "--room", "team", "--document", "notes", "--relay", url]
    let clash = await (try RunningTool(arguments)).end()
    #expect(clash.status == 5)
    #expect(clash.problems.hasPrefix("ropewalk: b.md and room team both have a text already, and neither"))
    #expect(bench.folder.text("b.md") == "of b\n")
    let b = try await bench.mirror("b", "--take", "room")
    try await bench.waitForBoth(toHold: ["of a"])
    #expect(bench.folder.text("b.md.mine") == "of b\n")
    for mirror in [a, b] { await mirror.killAndWait() }
    await bench.relay.stop()
  }

  @Test func textsThatBeganOfflineAreAClashWhenTheyMeet() async throws {
    try await bench.relay.start()
    for name in ["a", "b"] { try bench.folder.write("of \(name)\n", to: "\(name).md") }
    let a = try await bench.mirror("a")
    _ = try await a.line(beginning: "everything is at the relay")
    // Nobody listens on port 1.
    let file = ["mirror", bench.folder["b.md"], "--room", "team", "--document", "notes", "--relay"]
    let alone = try RunningTool(file + ["ws://127.0.0.1:1/sync"])
    _ = try await alone.line(beginning: "mirroring ")
    await alone.killAndWait()
    let url = await bench.relay.url
    let clash = await (try RunningTool(file + [url])).end()
    #expect(clash.status == 5, "\(clash)")
    #expect(bench.folder.text("b.md") == "of b\n")
    let b = try await bench.mirror("b", "--take", "file")
    try await bench.waitForBoth(toHold: ["of b"])
    #expect(bench.folder.text("b.md.room") == "of a\n")
    for mirror in [a, b] { await mirror.killAndWait() }
    await bench.relay.stop()
  }

  @Test func oneMirrorAtATimeKeepsAFile() async throws {
    try await bench.relay.start()
    let a = try await bench.mirror("a")
    let second = await (try RunningTool(["mirror", bench.folder["a.md"], "--room", "team"])).end()
    #expect(second.status == 2)
    #expect(second.problems.contains("another `ropewalk mirror` is keeping"))
    await a.killAndWait()
    await bench.relay.stop()
  }
}
