import Synchronization

/// A number that only one thread adds to and anybody reads: an addition is a load and a store, without a
/// locked instruction.
struct Counter: ~Copyable, Sendable {
  private let value = Atomic<UInt64>(0)

  /// Only on the thread that owns the counter.
  func add(_ amount: Int) {
    value.store(value.load(ordering: .relaxed) &+ UInt64(truncatingIfNeeded: amount), ordering: .relaxed)
  }

  var current: UInt64 { value.load(ordering: .relaxed) }
}
