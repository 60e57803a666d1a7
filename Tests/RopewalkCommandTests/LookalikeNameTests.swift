import Foundation
import Ropewalk
import RopewalkRelay
import RopewalkSync
import Testing

@testable import RopewalkCommand

/// Names that differ only in their Unicode normalisation are different names, for every command.
@Suite(.timeLimit(.minutes(3))) struct LookalikeNameTests {
  private let folder: TestFolder
  /// é as one code point, and as two.
  private static let names = ["caf\u{e9}", "cafe\u{301}"]
  /// As lists show the second, and as it can be written.
  private static let quoted = #""cafe\u{301}""#

  init() throws { folder = try TestFolder() }

  /// Each name as room and as document; the text says which is which.
  private func makeReplica(_ name: String) throws {
    let replica = try Replica(path: folder[name])
    for (roomNumber, room) in Self.names.enumerated() {
      for (number, document) in Self.names.enumerated() {
        try replica.document(document, in: room).insert("\(roomNumber)\(number)", at: 0)
      }
    }
    try replica.close()
  }

  @Test func everyDocumentOfAReplicaCanBeNamed() async throws {
    try makeReplica("a")
    for (roomNumber, room) in (Self.names + [Self.quoted]).enumerated() {
      for (number, document) in (Self.names + [Self.quoted]).enumerated() {
        let place = ["--room", room, "--document", document]
        let text = try await Tool.run(["cat", folder["a"]] + place)
        #expect(text.output == "\(min(roomNumber, 1))\(min(number, 1))" && text.status == 0, "\(text)")
        let log = try await Tool.run(["log", folder["a"]] + place)
        #expect(log.output.contains("+2 -0") && log.output.split(separator: "\n").count == 1, "\(log)")
      }
    }
    let several = try await Tool.run("cat", folder["a"])
    #expect(several.status == 64)
    let lines = Set(several.problems.split(separator: "\n").dropFirst())
    #expect(lines.count == 4, "\(several)")
    #expect(several.problems.contains(#"--room '"cafe\u{301}"' --document '"caf\u{e9}"'"#), "\(several)")
    let none = try await Tool.run("cat", folder["a"], "--document", "cafe\u{300}")
    #expect(none.problems == "ropewalk: the replica holds no document named \"cafe\\u{300}\"\n", "\(none)")
    #expect(try await Tool.run("cat", folder["a"], "--room", "\"x").status == 64)
  }

  @Test func listsMakeTheDifferenceVisible() async throws {
    try makeReplica("a")
    let status = try await Tool.run("status", folder["a"], "--offline")
    for line in [#"room "caf\u{e9}": read"#, #"room "cafe\u{301}": read"#, #"  "caf\u{e9}": 2"#] {
      #expect(status.output.contains(line), "\(status)")
    }
    let verified = try await Tool.run("verify", folder["a"])
    #expect(Set(verified.output.split(separator: "\n").filter { $0.hasPrefix("sound") }).count == 4)
    #expect(verified.output.contains(#""cafe\u{301}"/"caf\u{e9}": 2 events"#), "\(verified)")
    let merged = try Replica(path: folder["b"])
    try merged.close()
    let merge = try await Tool.run("merge", folder["b"], folder["a"])
    #expect(Set(merge.output.split(separator: "\n")).count == 4, "\(merge)")
    // Without its twin, a name in the composed form stands as it is.
    let alone = try Replica(path: folder["c"])
    try alone.document(Self.names[0], in: "команда").insert("x", at: 0)
    try alone.close()
    let plain = try await Tool.run("status", folder["c"], "--offline")
    #expect(plain.output.contains("room команда: ") && plain.output.contains("  caf\u{e9}: 1"), "\(plain)")
  }

  /// A token that names both grants each exactly what it says.
  @Test func tokensRoomsAndTheRelayTellThemApart() async throws {
    try makeReplica("a")
    _ = try await Tool.run("keys", "new", "--algorithm", "eddsa", "--out", folder["key"])
    let relay = try RunningTool([
      "serve", "--data", folder["data"], "--listen", "127.0.0.1:0", "--jwks-file", folder["key.jwks"],
      "--public-rooms", "cafe\u{301}s*=view",
    ])
    let url = String(try await relay.line(beginning: "listening on ").dropFirst("listening on ".count))
    func token(_ subject: String, _ grants: String...) async throws -> String {
      let grants = grants.flatMap { ["--room", $0] }
      let made = try await Tool.run(["token", "--key-file", folder["key"], "--subject", subject] + grants)
      #expect(made.status == 0, "\(made)")
      return made.output
    }
    func sync(_ file: String, _ room: String, _ token: String) async throws -> Tool.Outcome {
      try await Tool.run("sync", folder[file], "--room", room, "--relay", url, "--token", token)
    }
    let both = try await token(Self.names[1], "\(Self.names[0])=view", "\(Self.names[1])=own")
    let first = try await sync("a", Self.names[1], both)
    #expect(first.output == "sent 4 events, fetched 0 events\n", "\(first)")
    // The other room may only be viewed.
    let viewed = try await sync("a", Self.names[0], both)
    #expect(viewed.status == 4 && viewed.problems.contains("caf"), "\(viewed)")
    let one = try await token(Self.names[0], "\(Self.quoted)=edit", "\(Self.quoted)*=view")
    #expect(try await sync("b", Self.names[1], one).output == "sent 0 events, fetched 4 events\n")
    let refused = try await sync("b", Self.names[0], one)
    #expect(refused.status == 4 && refused.problems.contains("room caf\u{e9}"), "\(refused)")
    #expect(try await Tool.run("cat", folder["b"], "--document", Self.names[0]).output == "10")
    let retention = try await Tool.run(
      "relay", "retention", Self.names[1], "--relay", url, "--token", both, "--days", "3")
    #expect(retention.output.hasPrefix(Self.quoted + ": what a checkpoint holds"), "\(retention)")
    // Prefixes are bytes: what is open to all begins with e and the accent.
    let open = try await sync("c", "cafe\u{301}s/x", one)
    #expect(open.status == 0, "\(open)")
    let closed = try await Tool.run("sync", folder["d"], "--room", "caf\u{e9}s/x", "--relay", url)
    #expect(closed.status == 4, "\(closed)")
    try await revoke(Self.names, one: one, both: both, sync)
    relay.signal(SIGTERM)
    _ = await relay.end()
    try await auditAndVerify()
  }

  /// Revoking one subject leaves the other.
  private func revoke(
    _ names: [String], one: String, both: String,
    _ sync: (String, String, String) async throws -> Tool.Outcome
  ) async throws {
    #expect(
      try await Tool.run("relay", "revoke", folder["data"], "--subject", names[0]).output == "revoked\n")
    while try await sync("b", names[1], one).status == 0 {}
    #expect(try await sync("a", names[1], both).status == 0)
    let other = try await Tool.run("relay", "revoke", folder["data"], "--subject", names[1])
    #expect(other.output == "revoked\n")
    let again = try await Tool.run("relay", "revoke", folder["data"], "--subject", Self.quoted)
    #expect(again.output == "was revoked already\n", "\(again)")
    let list = try #require(folder.text("data/revoked"))
    #expect(list.contains("subject caf\u{e9}\nsubject \"cafe\\u{301}\"\n"), "\(list)")
    let undone = try await Tool.run("relay", "revoke", folder["data"], "--subject", names[1], "--undo")
    #expect(undone.output == "taken back\n")
    #expect(folder.text("data/revoked")?.contains("subject caf\u{e9}\n") == true)
  }

  private func auditAndVerify() async throws {
    let forms = [Self.names[0], Self.quoted]
    for (name, (shown, other)) in zip(Self.names, zip(forms, forms.reversed())) {
      let audit = try await Tool.run("audit", folder["data"], "--subject", name, "--room", Self.names[1])
      #expect(audit.output.contains(" joined \(shown) room=\(Self.quoted) "), "\(audit)")
      #expect(!audit.output.contains(" joined \(other) "), "\(audit)")
    }
    let verified = try await Tool.run("relay", "verify", folder["data"])
    #expect(verified.output.contains("sound    \(Self.quoted): 2 entries"), "\(verified)")
  }
}
