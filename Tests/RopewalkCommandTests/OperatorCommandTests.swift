import Foundation
import Testing

@testable import RopewalkCommand

/// Keys, tokens, revocation and the audit log, as an operator uses them.
@Suite(.timeLimit(.minutes(3))) struct OperatorCommandTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  @Test func aSecretIsMadeForTokensAndRelays() async throws {
    let new = try await Tool.run("keys", "new", "--algorithm", "hs256", "--out", folder["key"])
    #expect(
      new.output
        == "private key: \(folder["key"])\nthe relay needs the same file: ropewalk serve --secret-file "
        + "\(folder["key"])\n", "\(new)")
    let serve = ["serve", "--data", folder["data"], "--check-config"]
    let check = try await Tool.run(serve + ["--secret-file", folder["key"]])
    #expect(check.status == 0, "\(check)")
    let secret = try #require(folder.text("key"))
    let variable = try await Tool.run(
      serve + ["--secret-environment", "RELAY_SECRET"], environment: ["RELAY_SECRET": secret])
    #expect(variable.status == 0, "\(variable)")
    let both = try await Tool.run(serve + ["--secret-file", folder["key"], "--secret-environment", "X"])
    let expected = "--secret-file, --secret-environment: give secret-file or secret-environment, not both"
    #expect(both.status == 64 && both.problems == "ropewalk: \(expected)\n", "\(both)")
    let misplaced = try await Tool.run(serve + ["--key-file", folder["key"]])
    #expect(misplaced.status == 2 && misplaced.problems.contains("belongs into secret-file"), "\(misplaced)")
    // The other way round, with every file that a relay is given beside it.
    _ = try await Tool.run("keys", "new", "--out", folder["sign"])
    for (file, problem) in [
      ("sign", "it is a private key (PEM), not a secret; it belongs into key-file"),
      ("sign.jwks", "it is a JSON Web Key Set, not a secret; it belongs into jwks-file"),
    ] {
      let outcome = try await Tool.run(serve + ["--secret-file", folder[file]])
      #expect(outcome.status == 2 && outcome.problems.contains("--secret-file: "), "\(outcome)")
      #expect(outcome.problems.contains(problem), "\(outcome)")
    }
  }

  /// However a subject is called: as it is, and as lists show it.
  @Test func subjectsWithOddNamesAreRevoked() async throws {
    try FileManager.default.createDirectory(atPath: folder["data"], withIntermediateDirectories: true)
    for (name, shown) in [
      (" ada", #"" ada""#), ("ada ", #""ada ""#), ("\u{301}ada", #""\u{301}ada""#),
      ("cafe\u{301}", #""cafe\u{301}""#),
      ("caf\u{e9}", "caf\u{e9}"), ("a\nb", #""a\u{a}b""#), ("-ada", "-ada"),
    ] {
      let argument = name.hasPrefix("-") ? ["--subject=\(name)"] : ["--subject", name]
      let revoke = ["relay", "revoke", folder["data"]]
      #expect(try await Tool.run(revoke + argument).output == "revoked\n", "\(shown)")
      #expect(folder.text("data/revoked")?.utf8.contains(0x0d) == false)
      #expect(folder.text("data/revoked")?.hasSuffix("\nsubject \(shown)\n") == true, "\(shown)")
      let again = try await Tool.run(revoke + ["--subject=\(shown)"])
      #expect(again.output == "was revoked already\n", "\(shown) \(again)")
    }
    let outcome = try await Tool.run(
      "token", "--secret-environment", "S", "--subject", "a", "--room", #""team/*"=edit"#)
    #expect(outcome.status == 64, "\(outcome)")
  }

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
    #expect(
      bad.status == 2 && bad.problems.contains("it is a private key (PEM), not a JSON Web Key Set"), "\(bad)")
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
