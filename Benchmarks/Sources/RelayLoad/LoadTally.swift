import Histogram

/// What the clients of one event loop have seen since it was last taken.
struct LoadTally: Sendable {
  /// Entries that reached a client.
  var deliveries: UInt64 = 0
  /// Messages that carried them.
  var messages: UInt64 = 0
  /// What arrived, in bytes of WebSocket payload.
  var bytes: UInt64 = 0
  var pushes: UInt64 = 0
  var acknowledged: UInt64 = 0
  var refused: UInt64 = 0
  /// Connections that were lost or closed by the server.
  var lost: UInt64 = 0
  /// What must never be: entries out of order or missing, wrong digests, messages that cannot be read.
  var faults: UInt64 = 0
  /// From the write of a push to its acknowledgement, nanoseconds.
  var toAcknowledgement = Self.histogram()
  /// From the write of a push to its arrival at each client, nanoseconds.
  var toDelivery = Self.histogram()

  private static func histogram() -> Histogram<UInt64> {
    Histogram(
      lowestDiscernibleValue: 1000, highestTrackableValue: 600_000_000_000,
      numberOfSignificantValueDigits: .three)
  }

  mutating func add(_ other: LoadTally) {
    deliveries += other.deliveries
    messages += other.messages
    bytes += other.bytes
    pushes += other.pushes
    acknowledged += other.acknowledged
    refused += other.refused
    lost += other.lost
    faults += other.faults
    toAcknowledgement.add(other.toAcknowledgement)
    toDelivery.add(other.toDelivery)
  }
}

/// Percentiles in milliseconds.
public struct Latency: Codable, Sendable {
  /// The middle.
  public let p50: Double
  /// One in a hundred is above.
  public let p99: Double
  /// One in a thousand is above.
  public let p999: Double
  /// The longest.
  public let max: Double

  init?(_ histogram: Histogram<UInt64>) {
    guard histogram.totalCount > 0 else { return nil }
    func milliseconds(_ percentile: Double) -> Double {
      Double(histogram.valueAtPercentile(percentile)) / 1e6
    }
    p50 = milliseconds(50)
    p99 = milliseconds(99)
    p999 = milliseconds(99.9)
    max = milliseconds(100)
  }
}
