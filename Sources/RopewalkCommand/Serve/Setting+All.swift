import Logging
import RopewalkRelay
import RopewalkSync

extension Setting {
  /// Everything that can be set, in the order of the operator's manual.
  static let all = relay + network + access + limits + observation

  private static let relay: [Setting] = [
    .text("relay", "data", "the directory that holds the relay's log") {
      $0.configuration.dataDirectory = $1
    },
    .number("relay", "threads", 1...1024, of: "how many event loops") { $0.configuration.threads = $1 },
    .duration("relay", "grace", 0...600_000, of: "how long a stop takes at most") {
      $0.configuration.grace = $1
    },
    .duration("relay", "drain-delay", 0...600_000, of: "how long /readyz says so before a stop") {
      $0.configuration.drainDelay = $1
    },
    .duration(
      "relay", "checkpoint-grace", 0...315_360_000_000,
      of: "how long a checkpoint can be objected to before entries are forgotten for it"
    ) { $0.configuration.checkpointGrace = $1 },
    .duration(
      "relay", "checkpoint-patience", 0...3_600_000,
      of: "how long members that are asked to confirm a checkpoint are waited for"
    ) { $0.configuration.checkpointPatience = $1 },
    .duration("relay", "reload-interval", 0...3_600_000, of: "how often files are looked at, 0s for never") {
      $0.configuration.reloadInterval = $1
    },
  ]

  private static let network: [Setting] = [
    Setting(section: "network", key: "listen", allowed: "HOST:PORT, as in 127.0.0.1:7717") {
      guard let address = ListenAddress(argument: $0) else { return false }
      ($1.configuration.host, $1.configuration.port) = (address.host, address.port)
      return true
    },
    .text("network", "certificate", "a PEM file with the certificate and those that vouch for it") {
      $0.configuration.certificateFile = $1
    },
    .text("network", "private-key", "a PEM file with the certificate's private key") {
      $0.configuration.privateKeyFile = $1
    },
    Setting(
      section: "network", key: "allowed-origins",
      allowed: "origins between commas: *, loopback, https://HOST[:PORT], https://*.DOMAIN[:PORT]"
    ) {
      let origins = list($0)
      $1.configuration.allowedOrigins = origins
      return !origins.contains("")
    },
    .number("network", "max-connections", 1...1_000_000, of: "the most sockets") {
      $0.configuration.maximumConnections = $1
    },
    .number("network", "max-strangers", 1...1_000_000, of: "the most sockets without a token that holds") {
      $0.configuration.maximumStrangers = $1
    },
    .duration("network", "patience", 10...600_000, of: "how long a socket may take to show its token") {
      $0.configuration.patience = $1
    },
  ]

  private static let access: [Setting] = [
    .text("access", "key-file", "a file with PEM keys of ES256 or EdDSA") {
      $0.configuration.keyFile = $1
    },
    .text("access", "jwks-file", "a file with a JSON Web Key Set") { $0.configuration.jwksFile = $1 },
    .text("access", "secret-file", "a file with the secret of HS256, in base64url without padding") {
      $0.configuration.secretFile = $1
    },
    .text("access", "secret-environment", "the name of a variable that holds the secret of HS256") {
      $0.secretEnvironment = $1
    },
    .text("access", "issuer", "what tokens must name as iss") { $0.configuration.issuer = $1 },
    .text("access", "audience", "what tokens must name in aud") { $0.configuration.audience = $1 },
    .text("access", "revocation-file", "a file of revocations") { $0.configuration.revocationFile = $1 },
    Setting(
      section: "access", key: "public-rooms",
      allowed: "ROOM=view, ROOM=edit, PREFIX*=view or PREFIX*=edit, between commas"
    ) {
      let grants = list($0).map { RoomGrant(argument: $0) }
      $1.configuration.publicRooms = grants.compactMap { grant in
        grant.map { .init(pattern: $0.pattern, role: $0.role) }
      }
      return grants.allSatisfy { ($0?.role ?? .own) <= .edit }
    },
  ]

  private static let limits: [Setting] = [
    .bytes("limits", "largest-message", 65_536...1 << 28, of: "the largest message") {
      $0.configuration.limits.largestMessage = UInt32($1)
    },
    .bytes("limits", "largest-payload", 1...1 << 28, of: "the largest update") {
      $0.configuration.limits.largestPayload = UInt32($1)
    },
    .number("limits", "push-window", 1...100_000, of: "pushes without an answer") {
      $0.configuration.limits.pushWindow = UInt32($1)
    },
    .bytes("limits", "push-window-bytes", 1...1 << 30, of: "pushes without an answer") {
      $0.configuration.limits.pushWindowBytes = UInt32($1)
    },
    .bytes("limits", "pending-bytes", 1...1 << 40, of: "pushes of all that wait for the disk") {
      $0.configuration.pendingBytes = $1
    },
    .number("limits", "pushes-per-second", 0...1_000_000, of: "pushes of one connection, 0 for any") {
      $0.configuration.limits.pushesPerSecond = UInt32($1)
    },
    .number("limits", "messages-per-second", 0...1_000_000, of: "messages of one connection, 0 for any") {
      $0.configuration.limits.messagesPerSecond = UInt32($1)
    },
    .bytes("limits", "bytes-per-second", 0...1 << 31, of: "bytes of one connection a second, 0 for any") {
      $0.configuration.limits.bytesPerSecond = UInt32($1)
    },
    .number("limits", "rooms", 1...1_000_000, of: "rooms of one connection") {
      $0.configuration.limits.rooms = UInt32($1)
    },
    .number("limits", "subject-connections", 0...1_000_000, of: "connections of one subject, 0 for any") {
      $0.configuration.subjectLimits.connections = $1
    },
    .number(
      "limits", "subject-messages-per-second", 0...1_000_000,
      of: "messages of all connections of one subject, 0 for any"
    ) { $0.configuration.subjectLimits.messagesPerSecond = UInt32($1) },
    .bytes(
      "limits", "subject-bytes-per-second", 0...1 << 31,
      of: "bytes of all connections of one subject a second, 0 for any"
    ) { $0.configuration.subjectLimits.bytesPerSecond = UInt32($1) },
    .duration("limits", "silence", 1000...3_600_000, of: "how long a client may say nothing") {
      $0.configuration.limits.silence = UInt32($1)
    },
  ]

  private static let observation: [Setting] = [
    Setting(
      section: "observation", key: "log-level",
      allowed: "one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))"
    ) {
      guard let level = Logger.Level(rawValue: $0) else { return false }
      $1.logLevel = level
      return true
    },
    Setting(section: "observation", key: "log-format", allowed: "text or json") {
      guard let format = ServeSettings.LogFormat(rawValue: $0) else { return false }
      $1.logFormat = format
      return true
    },
    Setting(section: "observation", key: "metrics-listen", allowed: "HOST:PORT, as in 127.0.0.1:7718") {
      guard let address = ListenAddress(argument: $0) else { return false }
      $1.configuration.metricsAddress = .init(host: address.host, port: address.port)
      return true
    },
    .text("observation", "metrics-token-file", "a file with a secret that opens /metrics") {
      $0.configuration.metricsTokenFile = $1
    },
    .bytes("observation", "audit-file-size", 4096...1 << 32, of: "the largest file of the audit log") {
      $0.configuration.auditFileBytes = $1
    },
    .number("observation", "audit-files", 0...10_000, of: "how many closed files of the audit log are kept") {
      $0.configuration.auditFiles = $1
    },
    .duration("observation", "audit-age", 1000...315_360_000_000, of: "how long they are kept") {
      $0.configuration.auditAge = $1
    },
    .number("observation", "audit-rare-files", 1...10_000, of: "how many closed files of rare acts are kept")
    {
      $0.configuration.auditRareFiles = $1
    },
    .duration("observation", "audit-rare-age", 1000...315_360_000_000, of: "how long those are kept") {
      $0.configuration.auditRareAge = $1
    },
  ]

  /// What stands between commas, without blanks; an empty part is not left out.
  private static func list(_ text: String) -> [String] {
    text.utf8.split(separator: 0x2c, omittingEmptySubsequences: false).map { part in
      var part = part.drop { $0 == 0x20 || $0 == 0x09 }
      while let last = part.last, last == 0x20 || last == 0x09 { part.removeLast() }
      return String(decoding: part, as: UTF8.self)
    }
  }
}
