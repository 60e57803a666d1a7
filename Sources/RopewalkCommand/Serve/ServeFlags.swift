import ArgumentParser

/// The flags of `serve`, each one of `Setting.all`. Values are read by the setting, so that flags,
/// environment and file mean the same.
struct ServeFlags: ParsableArguments {
  @Option(help: "Where the log is kept; made if it is not there.", completion: .directory) var data: String?
  @Option(help: "HOST:PORT to listen on; port 0 takes any that is free.") var listen: String?
  @Option(help: "A PEM file with the certificate: connections are encrypted.", completion: .file())
  var certificate: String?
  @Option(help: "A PEM file with the certificate's private key.", completion: .file()) var privateKey: String?
  @Option(help: "From which sites' pages browsers may connect, between commas.") var allowedOrigins: String?
  @Option(help: "A file with PEM keys of ES256 or EdDSA.", completion: .file()) var keyFile: String?
  @Option(help: "A file with a JSON Web Key Set.", completion: .file()) var jwksFile: String?
  @Option(help: "A file with the secret of HS256 (base64url without padding).", completion: .file())
  var secretFile: String?
  @Option(help: "An environment variable that holds the secret of HS256.") var secretEnvironment: String?
  @Option(help: "What tokens must name as iss.") var issuer: String?
  @Option(help: "What tokens must name in aud.") var audience: String?
  @Option(help: "A file of revocations. (default: revoked in the data directory)") var revocationFile: String?
  @Option(help: "Rooms that are open to all, as in 'lobby/*=view', between commas.") var publicRooms: String?
  @Option(help: "The most sockets.") var maxConnections: String?
  @Option(help: "The most sockets that have not shown a token that holds.") var maxStrangers: String?
  @Option(help: "How long a socket may take to show one, as in 10s.") var patience: String?
  @Option(help: "How many event loops. (default: one per core)") var threads: String?
  @Option(help: "How long a stop takes at most.") var grace: String?
  @Option(help: "How long /readyz says so before a stop.") var drainDelay: String?
  @Option(help: "How long a checkpoint can be objected to before entries are forgotten for it, as in 7d.")
  var checkpointGrace: String?
  @Option(help: "How long members that are asked to confirm a checkpoint are waited for.")
  var checkpointPatience: String?
  @Option(help: "How often keys, revocations and certificate are looked at for changes.")
  var reloadInterval: String?
  @Option(help: "The largest message, as in 4MiB.") var largestMessage: String?
  @Option(help: "The largest update, as in 1MiB.") var largestPayload: String?
  @Option(help: "How many pushes may wait for an answer.") var pushWindow: String?
  @Option(help: "How many bytes of pushes may wait for an answer.") var pushWindowBytes: String?
  @Option(help: "How many bytes of pushes of all connections may wait for the disk.") var pendingBytes:
    String?
  @Option(help: "Pushes of one connection a second; 0 for any.") var pushesPerSecond: String?
  @Option(help: "Messages of one connection a second; 0 for any.") var messagesPerSecond: String?
  @Option(help: "Bytes of one connection a second; 0 for any.") var bytesPerSecond: String?
  @Option(help: "Rooms of one connection.") var rooms: String?
  @Option(help: "Connections of one subject; 0 for any.") var subjectConnections: String?
  @Option(help: "Messages of all connections of one subject a second; 0 for any.")
  var subjectMessagesPerSecond: String?
  @Option(help: "Bytes of all connections of one subject a second; 0 for any.")
  var subjectBytesPerSecond: String?
  @Option(help: "How long a client may say nothing.") var silence: String?
  @Option(help: "trace, debug, info, notice, warning, error or critical, to standard error.")
  var logLevel: String?
  @Option(help: "text or json.") var logFormat: String?
  @Option(help: "HOST:PORT that answers /metrics, /healthz and /readyz to everybody.") var metricsListen:
    String?
  @Option(help: "A file with a secret that opens /metrics, also on the main address.") var metricsTokenFile:
    String?
  @Option(help: "The largest file of the audit log.") var auditFileSize: String?
  @Option(help: "How many closed files of the audit log are kept.") var auditFiles: String?
  @Option(help: "How long they are kept, as in 90d.") var auditAge: String?
  @Option(help: "How many closed files of its rare acts are kept.") var auditRareFiles: String?
  @Option(help: "How long those are kept, as in 730d.") var auditRareAge: String?

  /// What was given, by key.
  var values: [String: String] {
    let all: [String: String?] = [
      "data": data, "listen": listen, "certificate": certificate, "private-key": privateKey,
      "allowed-origins": allowedOrigins, "key-file": keyFile, "jwks-file": jwksFile,
      "secret-file": secretFile, "secret-environment": secretEnvironment, "issuer": issuer,
      "audience": audience, "revocation-file": revocationFile,
      "public-rooms": publicRooms, "max-connections": maxConnections, "max-strangers": maxStrangers,
      "patience": patience, "threads": threads, "grace": grace, "drain-delay": drainDelay,
      "checkpoint-grace": checkpointGrace, "checkpoint-patience": checkpointPatience,
      "reload-interval": reloadInterval, "largest-message": largestMessage, "largest-payload": largestPayload,
      "push-window": pushWindow, "push-window-bytes": pushWindowBytes, "pending-bytes": pendingBytes,
      "pushes-per-second": pushesPerSecond,
      "messages-per-second": messagesPerSecond, "bytes-per-second": bytesPerSecond, "rooms": rooms,
      "subject-connections": subjectConnections,
      "subject-messages-per-second": subjectMessagesPerSecond,
      "subject-bytes-per-second": subjectBytesPerSecond, "silence": silence, "log-level": logLevel,
      "log-format": logFormat, "metrics-listen": metricsListen,
      "metrics-token-file": metricsTokenFile, "audit-file-size": auditFileSize, "audit-files": auditFiles,
      "audit-age": auditAge, "audit-rare-files": auditRareFiles, "audit-rare-age": auditRareAge,
    ]
    return all.compactMapValues { $0 }
  }
}

extension ServeSettings {
  /// Flags before environment, environment before file, file before defaults.
  init(flags: [String: String], environment: [String: String], file: ConfigurationFile?) throws {
    try file?.apply(to: &self)
    for setting in Setting.all {
      guard let value = environment[setting.variable] else { continue }
      try set(setting, to: value, at: setting.variable, named: setting.variable)
    }
    for setting in Setting.all {
      guard let value = flags[setting.key] else { continue }
      try set(setting, to: value, at: "--\(setting.key)", named: "--\(setting.key)")
    }
    guard !configuration.dataDirectory.isEmpty else {
      throw Failure(.usage, "say where the log is kept: --data, ROPEWALK_DATA, or data in a file's [relay]")
    }
  }
}
