/// What a load consists of.
public struct LoadPlan: Sendable {
  /// How many clients are connected.
  public var connections = 1000
  /// How many rooms they are spread over evenly; each client is in one.
  public var rooms = 10
  /// Updates a second, all rooms together.
  public var rate = 1000
  /// Bytes of payload in an update, at least 8.
  public var payload = 64
  /// How long updates are sent, in seconds.
  public var seconds = 10
  /// How many clients stop reading meanwhile, and read on afterwards.
  public var slowReaders = 0
  /// Whether the server is killed and started again, and all clients come back at once.
  public var storm = false
  /// Within how many milliseconds the clients of a storm come back.
  public var stormJitter = 2000
  /// How long a steady load goes on with clients that come and go, in seconds; 0 for no such phase.
  public var soakSeconds = 0
  /// Whether the clients take zstd.
  public var compressed = false
  /// Event loops of the generator.
  public var loops = 1
  /// Connections that are being made at one time.
  public var connecting = 200

  /// The defaults.
  public init() {}
}

/// Why a load could not be made; a line for people.
public struct LoadError: Error, CustomStringConvertible {
  /// The line.
  public let description: String

  init(_ description: String) { self.description = description }
}
