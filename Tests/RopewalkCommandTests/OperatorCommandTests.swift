import Foundation
import Testing

@testable import RopewalkCommand

/// Keys, tokens, revocation and the audit log, as an operator uses them.
@Suite(.timeLimit(.minutes(3))) struct OperatorCommandTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  @Test func keysAreMadeAndTokensOfThemHoldUntilTheyAreRevoked() async throws {
    let new = try await Tool.run("keys", "new", "--algorithm", "eddsa", "--out", folder["key"])
    #expect(new.status == 0, "\(new)")
    let mode = try FileManager.default.attributesOfItem(atPath: folder["key"])[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(try await Tool.run("keys", "new", "--out", folder["key"]).status == 2)
    // A second key joins the set.
    let second = try await Tool.run(
      "keys", "new", "--out", folder["key2"], "--jwks", folder["key.jwks"])
    #expect(second.status == 0, "\(second)")
    try folder.write(
      """
      [relay]
      data = \(folder["data"])
      reload-interval = 10ms
      [network]
      listen = 127.0.0.1:0
      [access]
      jwks-file = \(folder["key.jwks"])
      """, to: "relay.conf")
    let check = try await Tool.run("serve", "--config", folder["relay.conf"], "--check-config")
    #expect(check == Tool.Outcome(status: 0, output: "the configuration is good\n", problems: ""))
    let bad = try await Tool.run(
      "serve", "--config", folder["relay.conf"], "--check-config", "--jwks-file", folder["key"])
    #expect(bad.status == 2 && bad.problems.contains("is no JSON Web Key Set"), "\(bad)")
    let relay = try RunningTool(["serve", "--config", folder["relay.conf"]])
    let url = String(try await relay.line(beginning: "listening on ").dropFirst("listening on ".count))
    for key in ["key", "key2"] {
      let token = try await Tool.run(
        "token", "--key-file", folder[key], "--subject", "ada", "--room", "team=edit", "--id", "of-\(key)")
      try folder.write(token.output, to: "token-\(key)")
      #expect(try await sync(url, key).status == 0)
    }
    #expect(try await Tool.run("relay", "revoke", folder["data"], "--token", "of-key").output == "revoked\n")
    // It is read within moments.
    while try await sync(url, "key").status == 0 {}
    #expect(try await sync(url, "key").problems.contains("revoked"))
    #expect(try await sync(url, "key2").status == 0)
    relay.signal(SIGTERM)
    _ = await relay.end()
    let audit = try await Tool.run("audit", folder["data"], "--subject", "ada")
    #expect(audit.output.contains(" joined ada room=team role=edit from=127.0.0.1 "), "\(audit)")
    #expect(audit.output.contains(" revoked ada code=revoked "), "\(audit)")
    let json = try await Tool.run("audit", folder["data"], "--room", "team", "--json", "--since", "1h")
    #expect(
      json.output.split(separator: "\n").allSatisfy { $0.hasPrefix("{\"act\":") && $0.contains("team") })
    let none = try await Tool.run("audit", folder["nowhere"])
    #expect(none.status == 2, "\(none)")
  }

  private func sync(_ url: String, _ key: String) async throws -> Tool.Outcome {
    try await Tool.run(
      "sync", folder["replica-\(key)"], "--room", "team", "--relay", url, "--token-file",
      folder["token-\(key)"])
  }
}
