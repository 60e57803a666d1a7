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
    /// The key that tokens are signed with; nil for loopback without tokens.
    public var key: RelayKey?
    /// What one connection may do.
    public var limits: Limits
    /// How many event loops; nil for one per core.
    public var threads: Int?
    /// How long a connection may take from its first byte to a valid token, in milliseconds.
    public var patience: UInt64
    /// How long `stop` waits for peers to close, in milliseconds.
    public var grace: UInt64

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

    func validate() throws(RelayError) {
      guard (0...65_535).contains(port) else { throw .badSetting("A port is between 0 and 65535.") }
      guard threads.map({ (1...1024).contains($0) }) ?? true else {
        throw .badSetting("The number of threads is between 1 and 1024.")
      }
      guard limits.largestMessage >= 65_536, limits.largestMessage <= 1 << 28 else {
        throw .badSetting("The largest message is between 64 KiB and 256 MiB.")
      }
      guard limits.largestPayload > 0, limits.largestPayload <= limits.largestMessage - 4096 else {
        throw .badSetting("The largest payload leaves 4 KiB of the largest message.")
      }
      guard limits.pushWindow > 0, limits.pushWindowBytes >= limits.largestPayload else {
        throw .badSetting("The push window holds at least one push of the largest payload.")
      }
      guard limits.silence >= 1000, limits.presenceLifetime >= 1000 else {
        throw .badSetting("Silence and the lifetime of presence are at least a second.")
      }
      guard key != nil || Self.isLoopback(host) else { throw .keyRequired(host: host) }
    }

    private static func isLoopback(_ host: String) -> Bool {
      let parts = host.split(separator: ".", omittingEmptySubsequences: false)
      if parts.count == 4, parts[0] == "127", parts.allSatisfy({ UInt8($0) != nil }) { return true }
      return host == "::1" || host == "localhost"
    }
  }
}
