import RopewalkSync

extension Relay {
  /// What a relay goes by.
  public struct Configuration: Sendable {
    /// Where the log is kept: a directory, made if it is not there. One relay per directory.
    public var dataDirectory: String
    /// The address to listen on. Without a key it must be a loopback address.
    public var host: String
    /// The port, 0 for any that is free.
    public var port: Int
    /// A key that tokens are signed with; nil for none but those in files. Without any key, loopback
    /// without tokens.
    public var key: RelayKey?
    /// A file with PEM keys of ES256 or EdDSA, read anew when it changes.
    public var keyFile: String?
    /// A file with a JSON Web Key Set, which is public, read anew when it changes.
    public var jwksFile: String?
    /// A file with the secret of HS256: at least 32 random bytes as one line of base64url without padding. Read anew
    /// when it changes.
    public var secretFile: String?
    /// What tokens must name as `iss`; nil for anything.
    public var issuer: String?
    /// What tokens must name in `aud`; nil for anything.
    public var audience: String?
    /// A file of revocations, read anew when it changes; nil for `revoked` in the data directory. It need
    /// not be there.
    public var revocationFile: String?
    /// Rooms that everybody may view or edit, once there are keys.
    public var publicRooms: [PublicRooms] = []
    /// From which sites' pages browsers may connect: `*`, `loopback`, `https://HOST[:PORT]`,
    /// `https://*.DOMAIN[:PORT]`. Nil for all with keys, and for this machine's without.
    public var allowedOrigins: [String]?
    /// A PEM file with the certificate and those between it and the root; nil for no TLS. Read anew when it
    /// changes.
    public var certificateFile: String?
    /// A PEM file with the certificate's private key.
    public var privateKeyFile: String?
    /// Where `/metrics` is answered to everybody, or with a `metricsTokenFile` to who knows its secret; nil for nowhere.
    /// Neither WebSocket nor TLS there.
    public var metricsAddress: Address?
    /// A file with a secret, of at least 16 bytes, that opens `/metrics` to `Authorization: Bearer SECRET`, also on
    /// the main address; without it `/metrics` is not answered there.
    public var metricsTokenFile: String?
    /// What one connection may do.
    public var limits: Limits
    /// What the connections of one subject may do together.
    public var subjectLimits = SubjectLimits()
    /// How many bytes of pushes may wait for the disk, all connections together; further ones are put off.
    public var pendingBytes = 256 << 20
    /// How many event loops; nil for one per core.
    public var threads: Int?
    /// The most sockets that are served.
    public var maximumConnections = 10_000
    /// The most sockets that have not shown a token that holds; further ones wait in the system's queue.
    public var maximumStrangers = 2000
    /// How long a connection may take from its first byte to a valid token, in milliseconds.
    public var patience: UInt64
    /// How many entries of a room come after a checkpoint before another is asked for.
    public var checkpointInterval: UInt64 = 4096
    /// How long members that were asked what a checkpoint must be are waited for, in milliseconds.
    public var checkpointPatience: UInt64 = 60_000
    /// How long a checkpoint that members have confirmed is announced at least, and can be objected to, before it comes
    /// into use, in milliseconds.
    public var checkpointGrace: UInt64 = 7 * 24 * 3_600_000
    /// How long `stop` may take after the drain delay, to wait for peers to close and to put the log in order, in
    /// milliseconds.
    public var grace: UInt64
    /// How long `stop` goes on as before but says so at `/readyz`, in milliseconds.
    public var drainDelay: UInt64 = 0
    /// How often files are looked at for changes, in milliseconds; 0 for never but when asked.
    public var reloadInterval: UInt64 = 1000
    /// A file of the audit log that is larger is closed, in bytes.
    public var auditFileBytes = 16 << 20
    /// How many closed files of the audit log are kept.
    public var auditFiles = 8
    /// Closed files of the audit log are removed after so many milliseconds.
    public var auditAge: UInt64 = 90 * 24 * 3_600_000
    /// How many closed files of the audit log's rare acts are kept.
    public var auditRareFiles = 32
    /// Those are removed after so many milliseconds.
    public var auditRareAge: UInt64 = 730 * 24 * 3_600_000

    /// A host and a port.
    public struct Address: Hashable, Sendable {
      /// The host.
      public var host: String
      /// The port, 0 for any that is free.
      public var port: Int

      /// Makes an address.
      public init(host: String, port: Int) {
        self.host = host
        self.port = port
      }
    }

    /// Rooms that everybody may view or edit.
    public struct PublicRooms: Hashable, Sendable {
      /// A room's name, or a prefix followed by `*`.
      public var pattern: String
      /// `view` or `edit`.
      public var role: Role

      /// Names rooms.
      public init(pattern: String, role: Role) {
        self.pattern = pattern
        self.role = role
      }
    }

    /// Makes a configuration.
    public init(
      dataDirectory: String, host: String = "127.0.0.1", port: Int = WireProtocol.defaultPort,
      key: RelayKey? = nil, limits: Limits = Limits(), threads: Int? = nil, patience: UInt64 = 10_000,
      grace: UInt64 = 3000
    ) {
      self.dataDirectory = dataDirectory
      self.host = host
      self.port = port
      self.key = key
      self.limits = limits
      self.threads = threads
      self.patience = patience
      self.grace = grace
    }

    /// Whether tokens are asked for.
    public var hasKeys: Bool { key != nil || keyFile != nil || jwksFile != nil || secretFile != nil }

    var revocationPath: String { revocationFile ?? dataDirectory + "/revoked" }

    /// Checks what can be checked without opening anything.
    ///
    /// - Throws: `RelayError.badSetting` or `.keyRequired`, which say what is allowed.
    public func validate() throws(RelayError) {
      try validateNetwork()
      guard threads.map({ (1...1024).contains($0) }) ?? true else {
        throw .badSetting("The number of threads is between 1 and 1024.", of: ["threads"])
      }
      guard limits.largestMessage >= 65_536, limits.largestMessage <= 1 << 28 else {
        throw .badSetting("The largest message is between 64 KiB and 256 MiB.", of: ["largest-message"])
      }
      guard limits.largestPayload > 0, limits.largestPayload <= limits.largestMessage - 4096 else {
        throw .badSetting(
          "The largest payload leaves 4 KiB of the largest message.",
          of: ["largest-payload", "largest-message"])
      }
      guard limits.pushWindow > 0, limits.pushWindowBytes >= limits.largestPayload else {
        throw .badSetting(
          "The push window holds at least one push of the largest payload.",
          of: ["push-window", "push-window-bytes", "largest-payload"])
      }
      guard limits.silence >= 1000, limits.presenceLifetime >= 1000 else {
        throw .badSetting("Silence and the lifetime of presence are at least a second.", of: ["silence"])
      }
      guard pendingBytes >= Int(limits.largestPayload) else {
        throw .badSetting(
          "What waits for the disk is at least one push of the largest payload.",
          of: ["pending-bytes", "largest-payload"])
      }
      guard subjectLimits.connections >= 0 else {
        throw .badSetting(
          "The most connections of a subject are none or more; 0 is any number.", of: ["subject-connections"])
      }
      guard auditFileBytes >= 4096, (0...10_000).contains(auditFiles), (1...10_000).contains(auditRareFiles)
      else {
        throw .badSetting(
          "A file of the audit log has at least 4 KiB, and at most 10,000 are kept; of rare acts at least 1.",
          of: ["audit-file-size", "audit-files", "audit-rare-files"])
      }
      guard
        publicRooms.allSatisfy({ $0.role <= .edit && Access.Grant.isPattern(Array($0.pattern.utf8)) })
      else {
        throw .badSetting(
          "Public rooms are a room's name or a prefix with *, to view or edit.", of: ["public-rooms"])
      }
      guard (certificateFile == nil) == (privateKeyFile == nil) else {
        throw .badSetting(
          "A certificate and its private key go together.", of: ["certificate", "private-key"])
      }
      _ = try origins()
    }

    private func validateNetwork() throws(RelayError) {
      guard (0...65_535).contains(port), (0...65_535).contains(metricsAddress?.port ?? 0) else {
        throw .badSetting("A port is between 0 and 65535.", of: ["listen", "metrics-listen"])
      }
      guard (1...1_000_000).contains(maximumConnections), (1...1_000_000).contains(maximumStrangers) else {
        throw .badSetting(
          "The most connections are between 1 and 1,000,000.", of: ["max-connections", "max-strangers"])
      }
      guard hasKeys || isLoopback else { throw .keyRequired(host: host) }
    }

    func origins() throws(RelayError) -> Origins {
      try Origins(allowedOrigins ?? [hasKeys ? "*" : "loopback"])
    }

    var isLoopback: Bool { Loopback.isName(host) }
  }
}
