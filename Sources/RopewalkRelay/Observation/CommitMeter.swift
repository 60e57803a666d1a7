import Synchronization

/// How long something took, in buckets.
struct TimeHistogram: Hashable, Sendable {
  /// The upper bounds of the buckets, in microseconds; one more bucket takes what is longer.
  static let bounds: [UInt64] = [
    250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
  ]

  /// Not cumulative; the last bucket has no bound.
  private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
  /// Microseconds in all.
  private(set) var sum: UInt64 = 0

  mutating func record(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let microseconds = UInt64(max(0, seconds)) * 1_000_000 + UInt64(max(0, attoseconds)) / 1_000_000_000_000
    counts[Self.bounds.firstIndex { microseconds <= $0 } ?? Self.bounds.count] += 1
    sum += microseconds
  }
}

/// How long the log's transactions took, and whether the last one succeeded. Written by the log's queue,
/// read by anybody.
final class CommitMeter: Sendable {
  /// What was recorded up to one moment.
  struct Reading: Hashable, Sendable {
    /// Whole transactions that succeeded.
    var commits = TimeHistogram()
    /// Their ends alone: the write-ahead log is written and synced.
    var syncs = TimeHistogram()
    var failures: UInt64 = 0
  }

  private let reading = Mutex(Reading())

  var current: Reading { reading.withLock { $0 } }

  func succeeded(after duration: Duration, syncing: Duration) {
    reading.withLock { reading in
      reading.commits.record(duration)
      reading.syncs.record(syncing)
    }
  }

  func failed() { reading.withLock { $0.failures += 1 } }
}
