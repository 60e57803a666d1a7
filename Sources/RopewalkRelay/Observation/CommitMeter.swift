import Synchronization

/// How long the log's transactions took, fsync included, as a histogram; and whether the last one succeeded. Written by
/// the log's queue, read by anybody.
final class CommitMeter: Sendable {
  /// The upper bounds of the buckets, in microseconds; one more bucket takes what is longer.
  static let bounds: [UInt64] = [
    250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
  ]

  /// What was recorded up to one moment.
  struct Reading: Hashable, Sendable {
    /// Transactions per bucket, not cumulative; the last bucket has no bound.
    var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    /// Microseconds in all.
    var sum: UInt64 = 0
    var failures: UInt64 = 0
    /// The last transaction failed.
    var isFailing = false
  }

  private let reading = Mutex(Reading())

  var current: Reading { reading.withLock { $0 } }

  func record(_ duration: Duration, succeeded: Bool) {
    let (seconds, attoseconds) = duration.components
    let microseconds = UInt64(max(0, seconds)) * 1_000_000 + UInt64(max(0, attoseconds)) / 1_000_000_000_000
    let bucket = Self.bounds.firstIndex { microseconds <= $0 } ?? Self.bounds.count
    reading.withLock { reading in
      reading.isFailing = !succeeded
      guard succeeded else {
        reading.failures += 1
        return
      }
      reading.counts[bucket] += 1
      reading.sum += microseconds
    }
  }
}
