import DamagedFiles
import Foundation
import Ropewalk
import Testing

@testable import RopewalkCommand

/// Commands used in ways that nobody meant: each says what is wrong, and does no harm.
@Suite(.timeLimit(.minutes(3))) struct StrangeUseTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  private func makeReplica(_ name: String) throws -> String {
    let replica = try Replica(path: folder[name])
    try replica.document("notes.md", in: "team").insert("hello", at: 0)
    try replica.close()
    return folder[name]
  }

  /// Runs by a shell, which can redirect; `$0` is the tool.
  private func shell(_ script: String) async throws -> Tool.Outcome {
    let process = try ChildProcess("/bin/sh", ["-c", script, Tool.executable])
    let status = await process.end()
    return Tool.Outcome(status: status, output: process.output.text, problems: process.problems.text)
  }

  #if os(Linux)
    @Test func outputThatIsLostIsAFailure() async throws {
      let path = try makeReplica("a")
      for command in ["cat '\(path)'", "status '\(path)' --offline", "log '\(path)'", "verify '\(path)'"] {
        let full = try await shell("\"$0\" \(command) > /dev/full")
        #expect(full.status == 2, "\(command): \(full)")
        #expect(
          full.problems == "ropewalk: standard output cannot be written (No space left on device)\n",
          "\(full)")
        let closed = try await shell("\"$0\" \(command) >&-")
        #expect(
          closed.status == 2 && closed.problems.contains("standard output cannot be written"), "\(closed)")
        // Who has seen enough is no failure to speak of.
        let pipe = try await shell("\"$0\" \(command) | head -c 0; echo done")
        #expect(pipe.output == "done\n" && pipe.problems.isEmpty, "\(pipe)")
      }
    }
  #endif

  @Test func aNameOfOneLetterIsAName() async throws {
    _ = try makeReplica("a")
    let outcome = try await shell("cd '\(folder.path)' && \"$0\" cat a && \"$0\" verify a")
    #expect(outcome.status == 0 && outcome.output.hasPrefix("hellosound "), "\(outcome)")
  }

  @Test func argumentsThatAreNotUTF8AreRefused() async throws {
    let path = try makeReplica("a")
    for command in ["cat '\(path)' --room", "sync '\(path)' --room", "cat", "mirror --room r"] {
      let before = folder.names
      let outcome = try await shell("\"$0\" \(command) \"$(printf 'r\\377')\"")
      #expect(outcome.status == 64, "\(outcome)")
      #expect(
        outcome.problems.contains(" is not UTF-8"), "\(outcome)")
      #expect(folder.names == before)
    }
  }

  /// Where the folder cannot be written, what only reads still reads. (Root can write everywhere.)
  @Test(.enabled(if: getuid() != 0 || FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv")))
  func aReplicaThatCannotBeWrittenCanBeRead() async throws {
    let path = try makeReplica("a")
    _ = try makeReplica("b")
    chmod(path, 0o444)
    chmod(folder.path, 0o555)
    defer { chmod(folder.path, 0o755) }
    let user = getuid() == 0 ? "setpriv --reuid 65534 --clear-groups --inh-caps=-all " : ""
    let before = try FolderContent(folder.path)
    for (command, output) in [
      ("cat", "hello"), ("status --offline", "replica \(path)\n"), ("log", ""), ("verify", "sound "),
    ] {
      let words = command.split(separator: " ")
      let outcome = try await shell("\(user)\"$0\" \(words[0]) '\(path)' \(words.dropFirst().joined())")
      #expect(outcome.status == 0 && outcome.output.hasPrefix(output), "\(command): \(outcome)")
    }
    let sync = try await shell("\(user)\"$0\" sync '\(path)' --room r --relay ws://127.0.0.1:1/sync")
    #expect(sync.status == 2 && sync.problems.contains("cannot be written"), "\(sync)")
    #expect(try FolderContent(folder.path) == before)
  }

  @Test func whatIsNoFileIsRefusedBeforeAnythingIsMade() async throws {
    try FileManager.default.createDirectory(atPath: folder["dir"], withIntermediateDirectories: true)
    let before = folder.names
    let mirror = try await Tool.run(
      "mirror", folder["dir"], "--room", "r", "--relay", "ws://127.0.0.1:1/sync")
    #expect(
      mirror.status == 2 && mirror.problems == "ropewalk: \(folder["dir"]) is a folder, not a plain file\n")
    let keys = try await Tool.run("keys", "new", "--out", folder["key"], "--jwks", folder["dir"])
    #expect(keys.status == 2 && keys.problems == "ropewalk: \(folder["dir"]): it is a folder\n", "\(keys)")
    let lost = try await Tool.run("keys", "new", "--out", folder["key"], "--jwks", folder["none/x"])
    #expect(
      lost.status == 2 && lost.output.isEmpty && lost.problems.hasSuffix("; no key was made\n"), "\(lost)")
    for command in ["replay", "conform"] {
      let outcome = try await Tool.run(command, folder["dir"])
      #expect(outcome.problems == "ropewalk: \(folder["dir"]): cannot be read (it is a folder)\n")
    }
    for arguments in [["cat", ""], ["mirror", "", "--room", "r"]] {
      let outcome = try await Tool.run(arguments)
      #expect(outcome.status == 64 && outcome.problems.contains("name is empty"), "\(outcome)")
    }
    #expect(folder.names == before)
  }

  /// Whatever a command would do with a replica of a later format, it leaves it and its folder as they are.
  @Test func everyCommandLeavesAReplicaOfALaterFormat() async throws {
    let path = try makeReplica(".notes.md.ropewalk")
    try folder.write("text", to: "notes.md")
    let handle = try #require(FileHandle(forUpdatingAtPath: path))
    try handle.seek(toOffset: 60)
    try handle.write(contentsOf: Data([0, 0, 3, 0xe7]))
    try handle.close()
    let other = try TestFolder()
    let sound = try Replica(path: other["a"])
    try sound.close()
    let before = try FolderContent(folder.path)
    let file = folder["notes.md"]
    for arguments in [
      ["cat", file], ["log", file], ["status", file, "--offline"], ["verify", file],
      ["merge", other["a"], file],
      ["merge", file, other["a"]], ["sync", file, "--room", "r", "--relay", "ws://127.0.0.1:1/sync"],
      ["mirror", file, "--room", "r", "--relay", "ws://127.0.0.1:1/sync"],
    ] {
      let outcome = try await Tool.run(arguments)
      #expect(outcome.status == 2 && outcome.problems.contains("has schema 999"), "\(arguments): \(outcome)")
      #expect(try FolderContent(folder.path) == before, "\(arguments)")
    }
  }
}
