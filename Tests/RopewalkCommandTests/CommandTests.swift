import Foundation
import Ropewalk
import Testing

@testable import RopewalkCommand

/// Commands that need no relay: exact output and exit codes.
@Suite struct CommandTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  /// A replica with one document, made by the library.
  private func replica(_ name: String = "a.ropewalk", _ text: String = "hello\n") throws -> String {
    let replica = try Replica(path: folder[name])
    try replica.document("notes.md", in: "team").insert(text, at: 0)
    try replica.close()
    return folder[name]
  }

  @Test func helpNamesEveryCommandAndTheExitCodes() async throws {
    let help = try await Tool.run("--help")
    #expect(help.status == 0)
    for name in [
      "serve", "mirror", "sync", "cat", "log", "status", "merge", "verify", "token", "replay", "demo",
      "conform",
    ] {
      #expect(help.output.contains("\n  \(name)"))
      #expect(try await Tool.run("help", name).output.hasPrefix("OVERVIEW: "))
    }
    #expect(help.output.contains("Exit codes: 0 done; 1 a check did not hold;"))
  }

  @Test func catPrintsTheTextByteForByte() async throws {
    let path = try replica("a.ropewalk", "héllo 🎉, no newline")
    #expect(
      try await Tool.run("cat", path) == Tool.Outcome(status: 0, output: "héllo 🎉, no newline", problems: ""))
  }

  @Test func aReplicaThatIsNotThereIsAnErrorWithAWayOut() async throws {
    let path = folder["none"]
    #expect(
      try await Tool.run("cat", path)
        == Tool.Outcome(
          status: 2, output: "",
          problems:
            "ropewalk: there is no replica at \(path); `ropewalk sync` or `ropewalk mirror` makes one\n"))
  }

  @Test func aFileThatIsNoReplicaIsNamed() async throws {
    try folder.write(
      "just some text that is long enough to look like something else entirely", to: "x.ropewalk")
    let file = folder["x.ropewalk"]
    let whole = try replica()
    for arguments in [["cat", file], ["verify", file], ["sync", file], ["merge", whole, file]] {
      let outcome = try await Tool.run(arguments)
      #expect(outcome.status == 2)
      #expect(outcome.problems == "ropewalk: \(file): the file is not a Ropewalk replica\n")
    }
    let outcome = try await Tool.run("verify", folder.path)
    #expect(outcome.problems == "ropewalk: \(folder.path) is a folder, not a replica\n")
  }

  @Test func aChoiceAmongDocumentsIsOffered() async throws {
    let path = try replica()
    let opened = try Replica(path: path)
    try opened.document("other.md", in: "team").insert("x", at: 0)
    try opened.close()
    #expect(
      try await Tool.run("cat", path)
        == Tool.Outcome(
          status: 64, output: "",
          problems: """
            ropewalk: the replica holds several documents; choose one:
              --room team --document notes.md
              --room team --document other.md

            """))
    #expect(try await Tool.run("cat", path, "--document", "other.md").output == "x")
  }

  @Test func aChoiceCanBeTakenAsItIsOfferedWhateverTheNameBeginsWith() async throws {
    let path = try replica()
    let opened = try Replica(path: path)
    try opened.document("-other.md", in: "-team").insert("x", at: 0)
    try opened.close()
    let offered = try await Tool.run("cat", path).problems.split(separator: "\n").dropFirst()
    #expect(offered.first == "  --room=-team --document=-other.md")
    #expect(try await Tool.run("cat", path, "--room=-team", "--document=-other.md").output == "x")
  }

  @Test func thePlainFileStandsForTheReplicaBesideIt() async throws {
    try folder.write("hello\n", to: "notes.md")
    _ = try replica(".notes.md.ropewalk")
    #expect(try await Tool.run("cat", folder["notes.md"]).output == "hello\n")
  }

  @Test func mergeTakesInTheOtherFile() async throws {
    let (a, b) = (try replica("a.ropewalk", "one\n"), try replica("b.ropewalk", "two\n"))
    #expect(
      try await Tool.run("merge", a, b)
        == Tool.Outcome(status: 0, output: "team/notes.md: 4 new events\n", problems: ""))
    #expect(try await Tool.run("merge", a, b).output == "nothing new\n")
    #expect(try await Tool.run("merge", b, a).status == 0)
    let texts = [try await Tool.run("cat", a).output, try await Tool.run("cat", b).output]
    #expect(texts[0] == texts[1])
    #expect(Set(["one\ntwo\n", "two\none\n"]).contains(texts[0]))
  }

  @Test func aCopiedReplicaThatWasEditedOnBothSidesMergesCleanly() async throws {
    let a = try replica("a.ropewalk", "middle\n")
    let b = folder["b.ropewalk"]
    let opened = try Replica(path: a)
    try opened.copy(to: b)
    try opened.document("notes.md", in: "team").insert("first\n", at: 0)
    try opened.close()
    let copy = try Replica(path: b)
    try copy.document("notes.md", in: "team").insert("last\n", at: 7)
    try copy.close()
    #expect(try await Tool.run("merge", a, b).status == 0)
    #expect(try await Tool.run("merge", b, a).status == 0)
    #expect(try await Tool.run("cat", a).output == "first\nmiddle\nlast\n")
    #expect(try await Tool.run("cat", b).output == "first\nmiddle\nlast\n")
  }

  @Test func statusSaysWhatIsUnsent() async throws {
    let outcome = try await Tool.run("status", try replica(), "--offline")
    let lines = outcome.output.split(separator: "\n")
    #expect(outcome.status == 0)
    #expect(
      lines.prefix(3) == [
        "replica \(folder["a.ropewalk"])", "room team: read to #0, 6 events unsent",
        "  notes.md: 6 characters, 6 events, 6 unsent",
      ])
    #expect(lines.last?.wholeMatch(of: /[ ]{4}version [0-9a-f]{16}@5/) != nil)
  }

  @Test func logSaysWhoWhenAndHowMuch() async throws {
    let outcome = try await Tool.run("log", try replica())
    let pattern = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  here  \+6 -0  [0-9a-f]{16}@0..<6  on this device\n/
    #expect(outcome.output.wholeMatch(of: pattern) != nil, "\(outcome)")
  }

  @Test func verifySaysWhatIsSoundAndWhatIsNot() async throws {
    let path = try replica()
    #expect(
      try await Tool.run("verify", path)
        == Tool.Outcome(
          status: 0, output: "sound    team/notes.md: 6 events\n1 document, nothing damaged\n", problems: ""))
    var bytes = try #require(FileManager.default.contents(atPath: path))
    for place in stride(from: 5000, to: bytes.count, by: 97) { bytes[place] ^= 0x55 }
    try bytes.write(to: URL(fileURLWithPath: path))
    let outcome = try await Tool.run("verify", path)
    #expect([1, 2].contains(outcome.status), "\(outcome)")
    #expect(!outcome.problems.isEmpty)
  }

  @Test func conformCountsWhatAgrees() async throws {
    let agreeing =
      #"{"txns": [{"span": [0, 2], "parents": [], "agent": "a", "seqStart": 0, "ops": [[0, 0, "hi"]]}], "endContent": "hi"}"#
    let other = agreeing.replacing(#""endContent": "hi""#, with: #""endContent": "ho!""#)
    try folder.write("[\(agreeing), \(other)]", to: "cases.json")
    #expect(
      try await Tool.run("conform", folder["cases.json"])
        == Tool.Outcome(
          status: 1, output: "1 of 2 agree\n",
          problems: "case 1: differs from scalar 1 on; 2 scalars instead of 3\n"))
    try folder.write("[\(agreeing)]", to: "cases.json")
    #expect(
      try await Tool.run("conform", folder["cases.json"])
        == Tool.Outcome(status: 0, output: "1 of 1 agree\n", problems: ""))
    try folder.write("[{]", to: "cases.json")
    #expect(
      try await Tool.run("conform", folder["cases.json"])
        == Tool.Outcome(
          status: 2, output: "", problems: "ropewalk: \(folder["cases.json"]): is not JSON in UTF-8\n"))
  }

  @Test func mistakesAreAnsweredWithAWayOut() async throws {
    let noKey = try await Tool.run("serve", "--data", folder["data"], "--listen", "0.0.0.0:0")
    #expect(noKey.status == 2)
    #expect(
      noKey.problems
        == "ropewalk: --listen: Without a key the relay serves on loopback only (127.0.0.1, ::1); to listen on 0.0.0.0, give it a key.\n"
    )
    let noPort = try await Tool.run("serve", "--data", folder["data"], "--listen", "localhost")
    #expect(noPort.status == 64)
    #expect(
      noPort.problems == "ropewalk: --listen is HOST:PORT, as in 127.0.0.1:7717; it was 'localhost'\n")
    let noFile = try await Tool.run("replay", folder["none.json"])
    #expect(noFile.status == 2)
    #expect(noFile.problems == "ropewalk: \(folder["none.json"]): cannot be read (no such file)\n")
    #expect(try await Tool.run("mirror", folder["notes.md"]).status == 64)
    #expect(try await Tool.run("nonsense").status == 64)
  }

  @Test func tokensAreSignedAndChecked() async throws {
    let secret = "yz4McpGQXG-_g6SpNYjQ8m3QBTCeic__XJxsvaMQBWs"
    try folder.write(secret + "\n", to: "key")
    let token = try await Tool.run(
      "token", "--secret-file", folder["key"], "--subject", "ada", "--room", "team/*=edit")
    #expect(token.status == 0)
    #expect(token.output.split(separator: ".").count == 3)
    let exposed = "warning: Everybody on this machine may read \(folder["key"]), which is secret: chmod o-r\n"
    #expect(token.problems == exposed)
    #expect(chmod(folder["key"], 0o600) == 0)
    let stranger = try await Tool.run(
      "token", "--secret-file", folder["key"], "--subject", "anonymous", "--room", "team=edit")
    #expect(stranger.status != 0 && stranger.output.isEmpty)
    #expect(stranger.problems.contains("The subject anonymous is everybody without a token"), "\(stranger)")
    try folder.write("short", to: "key")
    let who = ["--subject", "ada", "--room", "x=edit"]
    let short = try await Tool.run(["token", "--secret-file", folder["key"]] + who)
    #expect(
      short
        == Tool.Outcome(
          status: 2, output: "",
          problems:
            "ropewalk: The key file \(folder["key"]) cannot be used: its end is not one of base64url, as if "
            + "something had been cut off; 'ropewalk keys new --algorithm HS256 --out FILE' makes one.\n"))
    let variable = try await Tool.run(
      ["token", "--secret-environment", "RELAY_SECRET"] + who, environment: ["RELAY_SECRET": secret])
    #expect(variable.status == 0 && variable.output.hasPrefix("eyJhbGciOiJIUzI1NiIs"), "\(variable)")
    let text = try await Tool.run(
      ["token", "--secret-environment", "RELAY_SECRET"] + who, environment: ["RELAY_SECRET": "correct horse"])
    let expected = "RELAY_SECRET cannot be used as a secret: it is not base64url"
    #expect(text.status == 2 && text.problems.contains(expected), "\(text)")
    #expect(
      try await Tool.run("token", "--secret-file", folder["key"], "--subject", "ada", "--room", "x=boss")
        .status
        == 64)
    let both = try await Tool.run(["token", "--secret-file", "a", "--key-file", "b"] + who)
    #expect(both.status == 64 && both.problems.contains("Give one of --key-file, --secret-file"), "\(both)")
  }

  @Test func serveListensAndStopsCleanly() async throws {
    for number in [SIGINT, SIGTERM] {
      let relay = try RunningTool(["serve", "--data", folder["data"], "--listen", "127.0.0.1:0"])
      let line = try await relay.line(beginning: "listening on ")
      #expect(line.wholeMatch(of: /listening on ws:\/\/127\.0\.0\.1:\d+\/sync/) != nil)
      let second = try await Tool.run("serve", "--data", folder["data"], "--listen", "127.0.0.1:0")
      #expect(second.status == 2)
      relay.signal(number)
      let outcome = await relay.end()
      #expect(outcome.status == 0)
      #expect(outcome.output.hasSuffix("\nstopped\n"))
    }
  }
}
