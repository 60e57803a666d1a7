/// What one phase of a load showed.
public struct LoadResult: Codable, Sendable {
  /// What was done: `idle`, `fan-out`, `soak`, `slow readers`, `catch-up`, `storm`.
  public let phase: String
  /// Who served: `ropewalk`, or `bare NIO`.
  public let server: String
  /// How many clients there were.
  public let connections: Int
  /// How many rooms they were spread over.
  public let rooms: Int
  /// How long it took until all had arrived, in seconds.
  public var seconds: Double
  /// Updates that were sent, a second.
  public var updatesPerSecond: Double?
  /// Entries that reached a client, a second.
  public var deliveriesPerSecond: Double?
  /// How many entries came in one message.
  public var entriesPerMessage: Double?
  /// From the write of an update to its acknowledgement.
  public var acknowledgement: Latency?
  /// From the write of an update to its arrival at each client.
  public var delivery: Latency?
  /// Processor time of the server in that time, in seconds.
  public var serverCPU: Double
  /// Processor time of the generator in that time, in seconds.
  public var generatorCPU: Double
  /// Processor time of the server per entry delivered, in microseconds.
  public var microsecondsPerDelivery: Double?
  /// Resident memory of the server at the end, in bytes.
  public var residentBytes: Int
  /// Resident memory per client above the server without clients, in bytes.
  public var bytesPerConnection: Int?
  /// Updates that the server refused.
  public var refused: UInt64
  /// Connections that were lost unasked.
  public var lost: UInt64
  /// Entries missing or out of order, wrong digests, damaged messages, clients that never caught up.
  public var faults: UInt64
  /// Whether all was as it must be.
  public var ok: Bool { faults == 0 && lost == 0 }
}
