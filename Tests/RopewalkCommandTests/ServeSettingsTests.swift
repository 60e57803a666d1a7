import Foundation
import RopewalkPlainText
import RopewalkRelay
import Testing

@testable import RopewalkCommand

/// Where settings come from, and what is said of those that are wrong.
@Suite struct ServeSettingsTests {
  private func settings(
    _ text: String, flags: [String: String] = [:], environment: [String: String] = [:]
  ) throws -> ServeSettings {
    try ServeSettings(
      flags: flags, environment: environment,
      file: try ConfigurationFile(TextFile(path: "relay.conf", content: Array(text.utf8))))
  }

  @Test func everyFlagIsASettingAndEverySettingAFlag() throws {
    var arguments: [String] = []
    for setting in Setting.all { arguments += ["--\(setting.key)", "x"] }
    let flags = try ServeFlags.parse(arguments)
    #expect(Set(flags.values.keys) == Set(Setting.all.map(\.key)))
    #expect(Set(Setting.all.map(\.key)).count == Setting.all.count)
  }

  @Test func flagsCountBeforeTheEnvironmentAndThatBeforeTheFile() throws {
    let text = """
      # A relay.
      [relay]
      data = "/srv/rope walk"
      threads = 3

      [network]
      listen = [::1]:1
      max-connections = 10
      allowed-origins = https://a.example, https://*.b.example
      [limits]
      silence = 2m
      largest-message = 8 MiB
      [access]
      key-file = k
      public-rooms = lobby/*=view, pad=edit
      [observation]
      log-level = debug
      log-format = json
      audit-age = 7d
      """
    let found = try settings(
      text, flags: ["max-connections": "30"],
      environment: ["ROPEWALK_MAX_CONNECTIONS": "20", "ROPEWALK_THREADS": "4", "ROPEWALK_TOKEN": "not one"])
    let configuration = found.configuration
    #expect(configuration.dataDirectory == "/srv/rope walk" && configuration.threads == 4)
    #expect(configuration.host == "::1" && configuration.port == 1 && configuration.maximumConnections == 30)
    #expect(configuration.allowedOrigins == ["https://a.example", "https://*.b.example"])
    #expect(configuration.limits.silence == 120_000 && configuration.limits.largestMessage == 8 << 20)
    #expect(
      configuration.publicRooms == [
        .init(pattern: "lobby/*", role: .view), .init(pattern: "pad", role: .edit),
      ])
    #expect(found.logLevel == .debug && found.logFormat == .json)
    #expect(configuration.auditAge == 7 * 86_400_000)
  }

  @Test(arguments: [
    ("[relay]\ndata", "relay.conf:2: a line is [section], key = value, or begins with #"),
    ("data = x", "relay.conf:1: a section comes first, as in [relay]"),
    (
      "[reley]\ndata = x",
      "relay.conf:2: there is no section [reley]; there are relay, network, access, limits, observation"
    ),
    (
      "\n[relay]\ndatum = x",
      "relay.conf:3: [relay] has no datum; it has data, threads, grace, drain-delay, checkpoint-grace, checkpoint-patience, reload-interval"
    ),
    ("[relay]\nlisten = 127.0.0.1:1", "relay.conf:2: [relay] has no listen; it belongs into [network]"),
    ("[relay]\ndata = x\ndata = y", "relay.conf:3: data was set in line 2 already"),
    (
      "[relay]\ndata = x\nthreads = 0",
      "relay.conf:3: threads is how many event loops, from 1 to 1024; it was '0'"
    ),
    ("[network]\nlisten = 7717", "relay.conf:2: listen is HOST:PORT, as in 127.0.0.1:7717; it was '7717'"),
    (
      "[access]\npublic-rooms = a=own",
      "relay.conf:2: public-rooms is ROOM=view, ROOM=edit, PREFIX*=view or PREFIX*=edit, between commas; it was "
        + "'a=own'"
    ),
    ("", "say where the log is kept: --data, ROPEWALK_DATA, or data in a file's [relay]"),
  ])
  func whatIsWrongIsSaidWithItsLine(_ text: String, _ problem: String) {
    #expect(throws: Failure(.usage, problem)) { try settings(text) }
  }

  /// What shows only when all is put together, or when files are read, is said with its places as well.
  @Test(arguments: [
    (
      "[network]\nallowed-origins = app.example",
      "relay.conf:4: An origin is *, loopback, https://HOST[:PORT] or https://*.DOMAIN[:PORT], not 'app.example' "
        + "(allowed-origins): it does not begin with http:// or https://."
    ),
    ("[access]\njwks-file = /nowhere/k", "relay.conf:4: The key file /nowhere/k cannot be read."),
    ("[access]\nsecret-file = /nowhere/k", "relay.conf:4: The key file /nowhere/k cannot be read."),
    (
      "[network]\nlisten = 192.0.2.1:1",
      "relay.conf:4: Without a key the relay serves on loopback only (127.0.0.1, ::1); to listen on 192.0.2.1, "
        + "give it a key."
    ),
    ("[network]\nprivate-key = k", "relay.conf:4: A certificate and its private key go together."),
    (
      "[limits]\nlargest-message = 1MiB\nlargest-payload = 1MiB",
      "relay.conf:4, relay.conf:5: The largest payload leaves 4 KiB of the largest message."
    ),
    (
      "[network]\ncertificate = /nowhere/c\nprivate-key = /nowhere/k",
      "relay.conf:4: The certificate or private key /nowhere/c cannot be used: it cannot be read (No such file "
        + "or directory)."
    ),
  ])
  func whatDoesNotGoTogetherIsSaidWithItsLines(_ text: String, _ problem: String) async throws {
    let found = try settings("[relay]\ndata = /nowhere/d\n" + text)
    do throws(RelayError) {
      try await Relay.check(found.configuration)
      Issue.record("it was taken")
    } catch { #expect(found.failure(error).message == problem) }
  }

  @Test func flagsAndVariablesAreNamedToo() {
    #expect(throws: Failure(.usage, "--log-format is text or json; it was 'xml'")) {
      try settings("", flags: ["data": "x", "log-format": "xml"])
    }
    #expect(throws: Failure(.usage, "ROPEWALK_LOG_FORMAT is text or json; it was 'xml'")) {
      try settings("", environment: ["ROPEWALK_DATA": "x", "ROPEWALK_LOG_FORMAT": "xml"])
    }
  }

  @Test func amountsHaveUnits() {
    #expect(Units.bytes("12") == 12 && Units.bytes("4KiB") == 4096 && Units.bytes("1 GiB") == 1 << 30)
    #expect(Units.milliseconds("15ms") == 15 && Units.milliseconds("2h") == 7_200_000)
    for text in ["", "x", "-1", "1kb", "9999999999999999999", "9223372036854775807GiB", "1.5MiB"] {
      #expect(Units.bytes(text) == nil, "\(text)")
    }
    #expect(Units.milliseconds("5") == nil)
  }
}
