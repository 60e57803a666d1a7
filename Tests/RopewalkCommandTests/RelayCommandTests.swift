import Foundation
import Ropewalk
import Testing

@testable import RopewalkCommand

/// Commands that talk to a relay.
@Suite(.timeLimit(.minutes(3))) struct RelayCommandTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  @Test func syncExchangesOnceAndSaysHowMuch() async throws {
    let relay = RelayProcess(dataDirectory: folder["relay"], executable: Tool.executable)
    try await relay.start()
    let url = await relay.url
    let replica = try Replica(path: folder["a"])
    try replica.document("notes.md", in: "team").insert("hello", at: 0)
    try replica.close()
    #expect(
      try await Tool.run("sync", folder["a"], "--relay", url)
        == Tool.Outcome(status: 0, output: "sent 5 events, fetched 0 events\n", problems: ""))
    #expect(
      try await Tool.run("sync", folder["b"], "--room", "team", environment: ["ROPEWALK_RELAY": url])
        == Tool.Outcome(status: 0, output: "sent 0 events, fetched 5 events\n", problems: ""))
    #expect(try await Tool.run("cat", folder["b"]).output == "hello")
    let log = try await Tool.run("log", folder["b"]).output
    #expect(log.contains("  anonymous  +5 -0  "), "\(log)")
    #expect(log.hasSuffix("  at relay #1\n"), "\(log)")
    let status = try await Tool.run("status", folder["b"], "--relay", url).output
    #expect(status.contains("room team: read to #1, 0 events unsent\n"), "\(status)")
    #expect(status.hasSuffix("relay \(url): reachable\n"), "\(status)")
    await relay.stop()
    let down = try await Tool.run("sync", folder["a"], "--relay", url)
    #expect(down.status == 3)
    #expect(down.problems.hasPrefix("ropewalk: the relay cannot be reached ("))
  }

  /// Ben carries what Ann wrote, and the log names him as who pushed it, under another session than hers.
  @Test func whoCarriesWhatAnotherWroteIsShownAsWhoPushedIt() async throws {
    _ = try await Tool.run("keys", "new", "--out", folder["key"])
    let relay = try RunningTool([
      "serve", "--data", folder["data"], "--key-file", folder["key"], "--listen", "127.0.0.1:0",
      "--log-level", "info", "--log-format", "json",
    ])
    let url = String(try await relay.line(beginning: "listening on ").dropFirst("listening on ".count))
    for name in ["ann", "ben", "cleo"] {
      let token = try await Tool.run(
        "token", "--key-file", folder["key"], "--subject", name, "--room", "team=edit")
      try folder.write(token.output, to: "token-\(name)")
    }
    @discardableResult func sync(_ name: String) async throws -> Tool.Outcome {
      let outcome = try await Tool.run(
        "sync", folder[name], "--room", "team", "--relay", url, "--token-file", folder["token-\(name)"])
      #expect(outcome.status == 0, "\(outcome)")
      return outcome
    }
    let replica = try Replica(path: folder["ann"])
    let notes = try replica.document("notes.md", in: "team")
    try notes.insert("by ann", at: 0)
    try await sync("ann")
    try await sync("ben")
    try notes.insert(", offline", at: 6)
    try replica.close()
    #expect(try await Tool.run("merge", folder["ben"], folder["ann"]).status == 0)
    let carried = try await sync("ben")
    let words = "9 events of notes.md in room team have another id now, since somebody else uses the one"
    #expect(carried.problems.contains(words), "\(carried)")
    try await sync("cleo")
    let seen = try await Tool.run("log", folder["cleo"]).output.split(separator: "\n")
    try #require(seen.count == 2)
    #expect(seen[0].contains("  ann  +6 -0  "), "\(seen)")
    #expect(seen[1].contains("  ben  +9 -0  "), "\(seen)")
    #expect(seen[0].split(separator: "@")[0].suffix(16) != seen[1].split(separator: "@")[0].suffix(16))
    try await sync("ann")
    let own = try await Tool.run("log", folder["ann"]).output
    #expect(own.contains("  here, pushed by ben  "), "\(own)")
    #expect(try await Tool.run("cat", folder["ann"]).output == "by ann, offline")
    let status = try await Tool.run("status", folder["ann"], "--offline").output
    #expect(status.contains("    1 stretch of what was written here has another id now"), "\(status)")
    let merged = try await Tool.run("log", folder["ben"]).output
    #expect(merged.contains("  from a file, pushed by ben  "), "\(merged)")
    relay.signal(SIGTERM)
    let problems = await relay.end().problems
    #expect(problems.contains(/"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/), "\(problems)")
  }

  /// Otherwise it seems to hang.
  @Test func whoeverMustWaitForTheRelayIsToldWhy() async throws {
    _ = try await Tool.run("keys", "new", "--out", folder["key"])
    let relay = try RunningTool([
      "serve", "--data", folder["data"], "--key-file", folder["key"], "--listen", "127.0.0.1:0",
    ])
    let url = String(try await relay.line(beginning: "listening on ").dropFirst("listening on ".count))
    let token = try await Tool.run(
      "token", "--key-file", folder["key"], "--subject", "ann", "--room", "*=own"
    ).output
    let client = try Client(
      replica: try Replica(path: folder["own"]), relay: url,
      token: token.trimmingCharacters(in: .whitespacesAndNewlines))
    for days in 1...10 as ClosedRange<UInt32> { _ = try await client.setRetention(.days(days), of: "other") }
    await client.close()
    try folder.write(token, to: "token")
    let asking = try RunningTool([
      "relay", "retention", "team", "--days", "1", "--relay", url, "--token-file", folder["token"],
    ])
    let line = try await asking.problem(beginning: "room team: the relay puts this off: ")
    #expect(
      line.hasPrefix(
        "room team: the relay puts this off: Rooms are administered more often than the relay allows; waiting "
      ),
      "\(line)")
    #expect(line.hasSuffix(" seconds"), "\(line)")
    asking.signal(SIGTERM)
    _ = await asking.end()
    relay.signal(SIGTERM)
    _ = await relay.end()
  }

  @Test func aCertificateOfOnesOwnIsTrustedByEveryCommandThatAsksARelay() async throws {
    for command in [["sync", folder["a"], "--room", "team"], ["relay", "retention", "team"]] {
      let running = try RunningTool(
        command + ["--relay", "wss://127.0.0.1:1", "--ca-file", folder["nowhere.pem"]])
      let outcome = await running.end()
      #expect(
        outcome.status != 0 && outcome.problems.contains("nowhere.pem cannot be trusted: it cannot be read"),
        "\(outcome)")
    }
  }

  @Test func syncWithoutARoomAsksForOne() async throws {
    #expect(
      try await Tool.run("sync", folder["new"])
        == Tool.Outcome(
          status: 64, output: "", problems: "ropewalk: the replica knows no room yet; name one with --room\n")
    )
    let wrong = try await Tool.run("sync", folder["new"], "--room", "x", "--relay", "http://nowhere")
    #expect(wrong.status == 64)
    #expect(
      wrong.problems == "ropewalk: a relay's address looks like ws://127.0.0.1:7717/sync or wss://HOST/sync\n"
    )
  }

  @Test func aTokenIsNeededWhereThereIsAKey() async throws {
    try folder.write("yz4McpGQXG-_g6SpNYjQ8m3QBTCeic__XJxsvaMQBWs", to: "key")
    let relay = try RunningTool([
      "serve", "--data", folder["relay"], "--listen", "127.0.0.1:0", "--secret-file", folder["key"],
    ])
    let url = String(try await relay.line(beginning: "listening on ").dropFirst("listening on ".count))
    let none = try await Tool.run("sync", folder["a"], "--room", "team", "--relay", url)
    #expect(none.status == 4, "\(none)")
    let token = try await Tool.run(
      "token", "--secret-file", folder["key"], "--subject", "ada", "--room", "team=edit")
    try folder.write(token.output, to: "token")
    let sync = try await Tool.run(
      "sync", folder["a"], "--room", "team", "--relay", url, "--token-file", folder["token"])
    #expect(sync.status == 0, "\(sync)")
    let elsewhere = try await Tool.run(
      "sync", folder["a"], "--room", "secret", "--relay", url, "--token-file", folder["token"])
    #expect(elsewhere.status == 4, "\(elsewhere)")
    relay.signal(SIGTERM)
    _ = await relay.end()
  }

  @Test func aRelayThatEndsWithItsInputDoesNotOutliveItsParent() async throws {
    let arguments = ["serve", "--data", folder["relay"], "--listen", "127.0.0.1:0", "--ends-with-input"]
    // Whoever starts it has no input for it: as if gone at once.
    let orphan = try await RunningTool(arguments).end()
    #expect(orphan.status == 0)
    #expect(orphan.output.hasSuffix("stopped\n"))
    let kept = try ChildProcess(Tool.executable, arguments, holdsInput: true)
    #expect(await kept.output.line(beginning: "listening on ") != nil)
    kept.signal(SIGTERM)
    #expect(await kept.end() == 0)
  }

  @Test func theDemoShowsTheMergeStepByStep() async throws {
    let demo = try await Tool.run("demo")
    #expect(demo.status == 0, "\(demo)")
    let expected = """

      • Ada writes, and Ben has it:
          The fox jumps over the dog.

      • Both go offline and edit at the same time.
          Ada sees  The quick brown fox jumps over the dog.
          Ben sees  Once upon a time. / The fox jumps over the lazy dog 🐕.
          Ada: 28 events at the relay, 12 only on this device
          Ben: 0 events at the relay, 39 only on this device

      • Both are back. Neither edit is lost, and no one had to choose:
          Ada sees  Once upon a time. / The quick brown fox jumps over the lazy dog 🐕.
          Ben sees  Once upon a time. / The quick brown fox jumps over the lazy dog 🐕.
          Ada: 40 events at the relay, 0 only on this device
          Ben: 39 events at the relay, 0 only on this device

      """
    #expect(demo.output.contains(expected), "\(demo.output)")
    #expect(demo.output.contains("\nThree replicas, one text."))
  }
}
