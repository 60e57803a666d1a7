import DamagedFiles
import Foundation
import Logging
import Ropewalk
import RopewalkPlainText
import RopewalkRelay
import Testing

@testable import RopewalkCommand

/// Whatever others have written, and wherever it is shown: nothing of it does anything to a terminal, begins a line, or hides what a
/// line says.
@Suite(.timeLimit(.minutes(5))) struct HostileTextTests {
  private let folder: TestFolder

  /// Sets a title, rings, clears by a C1 control, turns the direction of writing, and begins lines.
  private static let hostile =
    "a\u{1b}]0;x\u{7}\u{9b}2J\u{202e}b\u{2066}c\u{200f}\u{feff}\u{200b}\u{7f}\u{85}forged\u{2028}forged\u{2029}forged\r\nforged"
  /// Without what no file's name can hold by the system's rules.
  private var hostilePath: String { folder[Self.hostile] }

  init() throws { folder = try TestFolder() }

  /// Fails if anything in the output does more than being seen.
  private func expectHarmless(
    _ text: String, _ what: String, at location: Testing.SourceLocation = #_sourceLocation
  ) {
    let harmful = text.unicodeScalars.filter { $0 != "\n" && VisibleText.isHidden($0) }
    #expect(
      harmful.isEmpty, "\(what): \(harmful.map { String($0.value, radix: 16) })", sourceLocation: location)
    let isForged = text.utf8.split(separator: 0x0a).contains { $0.starts(with: "forged".utf8) }
    #expect(!isForged, "\(what): \(text)", sourceLocation: location)
  }

  /// - Parameter shows: whether the hostile text must be there, escaped.
  @discardableResult
  private func check(
    _ arguments: [String], shows: Bool = false, environment: [String: String] = [:],
    at location: Testing.SourceLocation = #_sourceLocation
  ) async throws -> Tool.Outcome {
    let outcome = try await Tool.run(arguments, environment: environment)
    let all = outcome.output + outcome.problems
    expectHarmless(all, arguments.first ?? "", at: location)
    if shows {
      let isShown = all.contains("\\u{1b}]0;x") || all.contains("\\u001b]0;x")
      #expect(isShown, "\(arguments): \(all)", sourceLocation: location)
    }
    return outcome
  }

  @Test func aRelayThatSaysHostileThings() async throws {
    let relay = try await HostileRelay(saying: Self.hostile)
    let place = ["--relay", relay.url]
    let replica = folder["r"]
    try await check(["sync", replica, "--room", "open"] + place)
    try await check(["sync", replica, "--room", "open", "--room", "refused"] + place, shows: true)
    try await check(["sync", replica, "--room", "open", "--token", "refuse"] + place, shows: true)
    try await check(["status", replica] + place, shows: true)
    try await check(["status", replica, "--token", "refuse"] + place, shows: true)
    try await check(["log", replica], shows: true)
    try await check(["verify", replica], shows: true)
    let text = try await check(["cat", replica])
    #expect(text.output == "text\n")
    try await check(["merge", replica, replica])
    try await check(["discard", replica])
    try await check(["relay", "retention", "open"] + place)
    try await check(["relay", "retention", "refused"] + place, shows: true)
    try await check(["mirror", folder["refused.md"], "--room", "refused"] + place, shows: true)
    try await check(
      ["mirror", folder["denied.md"], "--room", "open", "--token", "refuse"] + place, shows: true)
    let mirror = try RunningTool(["mirror", folder["notes"], "--room", "open"] + place)
    _ = try await mirror.line(beginning: "from others")
    mirror.signal(SIGTERM)
    let end = await mirror.end()
    expectHarmless(end.output + end.problems, "mirror")
    await relay.stop()
  }

  @Test func aReplicaThatHoldsHostileThings() async throws {
    let names = try Replica(path: folder["names"])
    try names.document("notes", in: "room").insert("text", at: 0)
    try names.close()
    let quoted = Self.hostile.replacing("'", with: "''")
    for (number, sql) in [
      "INSERT INTO held (room, cursor, kind, reason, payload) VALUES (1, 5, 0, '\(quoted)', x'00')",
      "UPDATE rooms SET name = '\(quoted)'", "UPDATE documents SET name = '\(quoted)'",
      "UPDATE rooms SET name = substr(name, 1, 2) || char(155) || 'x'",
      "CREATE TABLE \"\(quoted)\" (x)",
    ].enumerated() {
      let copy = folder["copy\(number)"]
      try FileManager.default.copyItem(atPath: folder["names"], toPath: copy)
      try DamagedDatabase.write(sql, to: copy)
      let commands = [
        ["status", copy, "--offline"], ["log", copy], ["verify", copy], ["cat", copy], ["discard", copy],
        ["merge", copy, folder["names"]], ["merge", folder["names"], copy],
        ["sync", copy, "--relay", "ws://127.0.0.1:1/sync"],
        ["mirror", folder["m\(number)"], "--replica", copy, "--room", Self.hostile],
      ]
      for command in commands { try await check(command, shows: number == 0 && command[0] == "status") }
    }
  }

  @Test func filesAndArgumentsThatHaveHostileNames() async throws {
    // Nothing can be made there.
    let nowhere = folder["nowhere/"] + Self.hostile
    for command in [
      ["sync", nowhere], ["cat", nowhere], ["log", nowhere], ["status", nowhere], ["verify", nowhere],
      ["merge", nowhere, nowhere],
      ["merge", folder["x"], nowhere], ["discard", nowhere], ["conform", nowhere], ["replay", nowhere],
      ["mirror", nowhere + "/x", "--room", "r"], ["serve", "--config", nowhere],
      ["serve", "--data", nowhere + "\u{0}x"],
      ["token", "--key-file", nowhere, "--subject", "a", "--room", "a=view"], ["audit", nowhere],
      ["relay", "verify", nowhere], ["relay", "backup", nowhere, nowhere], ["relay", "compact", nowhere],
      ["relay", "revoke", nowhere, "--subject", "a"], ["keys", "new", "--out", nowhere + "/x/y"],
      ["sync", folder["r"], "--room", "r", "--relay", Self.hostile],
      ["sync", folder["r"], "--room", "r", "--token-file", nowhere],
      ["sync", folder["r"], "--room", "r", "--ca-file", nowhere],
      ["sync", folder["r"], "--room", Self.hostile], [Self.hostile], ["sync", "--" + Self.hostile],
      ["sync", folder["r"], "--room", "\"" + Self.hostile], ["audit", "x", "--since", Self.hostile],
      ["audit", "x", "--since=" + Self.hostile], ["log", folder["r"], "--last", Self.hostile],
      ["token", "--secret-environment", Self.hostile, "--subject", "a", "--room", "a=view"],
      ["serve", "--data", folder["d"], "--allowed-origins", Self.hostile],
      ["serve", "--data", folder["d"], "--jwks-file", nowhere, "--log-level", Self.hostile],
      ["serve", "--data", folder["d"], "--secret-file", nowhere],
    ] {
      let outcome = try await check(command)
      #expect(outcome.status != 0, "\(command): \(outcome)")
    }
    // And those that are there.
    let path = hostilePath
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    for command in [
      ["cat", path], ["relay", "verify", path], ["audit", path], ["mirror", path, "--room", "r"],
    ] {
      #expect(try await check(command, shows: true).status != 0)
    }
    let replica = try Replica(path: path + "/r")
    try replica.document("notes", in: "room").insert("text", at: 0)
    try replica.close()
    try await check(["status", path + "/r", "--offline"], shows: true)
    try await check(["keys", "new", "--algorithm", "eddsa", "--out", path + "/k"], shows: true)
  }

  @Test func settingsThatHoldHostileThings() async throws {
    let words = Self.hostile.filter { $0 != "\r\n" && $0 != "\n" && $0 != "\u{1b}" && $0 != "\u{7}" }
    for text in [
      "[\(words)]\ndata = x\n", "[relay]\n\(words) = x\n", "[relay]\ndata = x\nthreads = \(words)\n",
      "[relay]\ndata = \"\(words)\n", "[relay]\ndata = x\n[network]\nlisten = \(words)\n",
      "[relay]\ndata = \(folder["d"])\n[access]\npublic-rooms = \(words)\n", "[relay]\n\(Self.hostile)\n",
    ] {
      try folder.write(text, to: "conf")
      let outcome = try await check(["serve", "--config", folder["conf"]])
      #expect(outcome.status != 0, "\(outcome)")
    }
    for name in ["ROPEWALK_LISTEN", "ROPEWALK_THREADS", "ROPEWALK_JWKS_FILE", "ROPEWALK_CONFIG"] {
      let outcome = try await check(["serve", "--data", folder["d"]], environment: [name: Self.hostile])
      #expect(outcome.status != 0, "\(name)")
    }
  }

  @Test func anAuditLogThatHoldsHostileThings() async throws {
    try FileManager.default.createDirectory(
      atPath: folder["data/audit"], withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    var record = AuditRecord(time: 1, act: .joined, subject: Self.hostile, room: Self.hostile)
    (record.role, record.code, record.detail) = (Self.hostile, Self.hostile, Self.hostile)
    (record.from, record.session) = (Self.hostile, Self.hostile)
    // As the relay writes it, and as anybody may.
    expectHarmless(record.line, "line")
    #expect(AuditRecord(line: record.line) == record)
    let raw = String(decoding: try JSONEncoder().encode(record), as: UTF8.self)
    #expect(raw.contains("\u{202e}"))
    try folder.write(record.line + "\n" + raw + "\n", to: "data/audit/current.jsonl")
    for more in [[], ["--json"], ["--subject", Self.hostile]] {
      let outcome = try await check(["audit", folder["data"]] + more, shows: true)
      #expect(outcome.status == 0 && outcome.output.split(separator: "\n").count == 2, "\(outcome)")
    }
  }

  @Test(arguments: ["text", "json"]) func aRelaysOwnLogIsHarmless(_ format: String) async throws {
    // What a setting may hold: control characters are refused.
    let name = String(
      String.UnicodeScalarView(
        Self.hostile.unicodeScalars.filter { $0.properties.generalCategory != .control }))
    try FileManager.default.createDirectory(
      atPath: folder[name], withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    let keys = name + "/keys"
    _ = try await Tool.run("keys", "new", "--out", folder["k"], "--jwks", folder[keys])
    let relay = try RunningTool([
      "serve", "--data", folder[name], "--listen", "127.0.0.1:0", "--jwks-file", folder[keys], "--log-level",
      "trace",
      "--log-format", format, "--reload-interval", "0s",
    ])
    _ = try await relay.line(beginning: "listening on ")
    try folder.replace(keys, by: "{}")
    relay.signal(SIGHUP)
    try await relay.problem(containing: format == "text" ? "\\u{202e}" : "\\u202e")
    relay.signal(SIGTERM)
    let end = await relay.end()
    expectHarmless(end.output + end.problems, format)
    var event = LogEvent(
      level: .error, message: "\(Self.hostile)", metadata: ["x": "\(Self.hostile)"], source: "s", file: "f",
      function: "f",
      line: 1)
    event.metadata?[Self.hostile] = "y"
    let handler = LineLogHandler(label: "l", format: format == "text" ? .text : .json)
    let line = handler.line(event, at: Date(timeIntervalSince1970: 0))
    expectHarmless(line, format)
    #expect(line.utf8.count > 3 * Self.hostile.utf8.count && !line.contains("\n"))
    if format == "json" {
      let read = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      #expect(read?["message"] as? String == Self.hostile)
    }
  }
}
