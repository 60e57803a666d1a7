import Foundation
import Ropewalk
import Testing

@testable import RopewalkCommand

/// Commands say what the relay refuses, and what to do.
@Suite(.timeLimit(.minutes(3))) struct RefusalCommandTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  /// A relay with a key, and its address.
  private func relay(_ more: String...) async throws -> (relay: RunningTool, url: String) {
    let secret = "yz4McpGQXG-_g6SpNYjQ8m3QBTCeic__XJxsvaMQBWs"
    if folder.text("key") == nil { try folder.write(secret, to: "key") }
    let relay = try RunningTool(
      ["serve", "--data", folder["data"], "--listen", "127.0.0.1:0", "--secret-file", folder["key"]] + more)
    return (relay, String(try await relay.line(beginning: "listening on ").dropFirst("listening on ".count)))
  }

  private func giveToken(_ role: String) async throws {
    let token = try await Tool.run(
      "token", "--secret-file", folder["key"], "--subject", "ann", "--room", "team=\(role)")
    try folder.replace("token", by: token.output)
  }

  @Test func aMirrorSaysWhatIsRefusedAtOnceAndAtEachStartAndSendsItWhenItMay() async throws {
    let (relay, url) = try await relay()
    try await giveToken("view")
    let arguments = [
      "mirror", folder["notes.md"], "--room", "team", "--relay", url, "--token-file", folder["token"],
    ]
    var mirror = try RunningTool(arguments)
    _ = try await mirror.line(beginning: "everything is at the relay")
    try folder.replace("notes.md", by: "hello")
    _ = try await mirror.line(beginning: "saved: +5")
    let words =
      "5 events of room team are not at the relay: the token does not allow editing in this room. They are "
      + "kept, and sent with a token that allows it; `ropewalk discard` takes them out"
    #expect(try await mirror.problem(beginning: "5 events") == words)
    await mirror.killAndWait()
    mirror = try RunningTool(arguments)
    #expect(try await mirror.problem(beginning: "5 events") == words)
    let status = try await Tool.run("status", folder["notes.md"], "--offline").output
    #expect(status.contains("5 events unsent, may only be viewed\n"), "\(status)")
    #expect(
      status.contains("\n    refused: 5 events of notes.md are not at the relay: the token does not"),
      "\(status)")
    #expect(!(await mirror.endsSaying("everything is at the relay")))
    mirror = try RunningTool(arguments)
    _ = try await mirror.problem(beginning: "5 events")
    try await giveToken("edit")
    _ = try await mirror.line(beginning: "everything is at the relay")
    _ = await mirror.endsSaying("")
    let other = try await Tool.run(
      "sync", folder["other"], "--room", "team", "--relay", url, "--token-file", folder["token"])
    #expect(other.status == 0, "\(other)")
    #expect(try await Tool.run("cat", folder["other"]).output == "hello")
    await relay.killAndWait()
  }

  @Test func syncSendsWhatItMaySaysTheRestAndDiscardTakesItOut() async throws {
    let (relay, url) = try await relay()
    try await giveToken("edit")
    let replica = try Replica(path: folder["a"])
    try replica.document("notes.md", in: "team").insert("hello", at: 0)
    let arguments = ["sync", folder["a"], "--relay", url, "--token-file", folder["token"]]
    #expect(try await Tool.run(arguments).status == 0)
    try await giveToken("view")
    try replica.document("notes.md", in: "team").insert(", world", at: 5)
    try replica.close()
    for _ in 0..<2 {
      let sync = try await Tool.run(arguments)
      #expect(sync.status == 4)
      #expect(sync.output == "sent 0 events, fetched 0 events\n")
      #expect(
        sync.problems.hasPrefix("7 events of notes.md in room team are not at the relay: the token does not"))
    }
    let discard = try await Tool.run("discard", folder["a"])
    #expect(discard.status == 0)
    #expect(discard.output.hasPrefix("took 7 events out of notes.md; the text with them is kept as "))
    #expect(folder.text("notes.md.discarded") == "hello, world")
    #expect(try await Tool.run("cat", folder["a"]).output == "hello")
    #expect(try await Tool.run(arguments).status == 0)
    #expect(
      try await Tool.run("discard", folder["a"])
        == Tool.Outcome(status: 0, output: "nothing that can be taken out was refused\n", problems: ""))
    await relay.killAndWait()
  }

  @Test func whatIsBeyondARelaysLimitIsSaidAndSentWhenTheLimitIsRaised() async throws {
    let (small, smallURL) = try await relay("--largest-payload", "10B")
    try await giveToken("edit")
    try folder.write("hello", to: "notes.md")
    let file = ["mirror", folder["notes.md"], "--room", "team", "--token-file", folder["token"], "--relay"]
    let first = try RunningTool(file + [smallURL])
    let words = try await first.problem(beginning: "1 event of room team")
    #expect(words.contains("is not at the relay: the relay does not take an update of this size. "))
    #expect(!(await first.endsSaying("everything is at the relay")))
    await small.killAndWait()
    let (large, largeURL) = try await relay("--largest-payload", "100B")
    let second = try RunningTool(file + [largeURL])
    _ = try await second.line(beginning: "everything is at the relay")
    _ = await second.endsSaying("")
    await large.killAndWait()
  }
}

extension RunningTool {
  /// Ends it properly, and tells whether it has ever said so.
  fileprivate func endsSaying(_ line: String) async -> Bool {
    signal(SIGTERM)
    return await end().output.split(separator: "\n").contains(Substring(line))
  }
}
