import NIOConcurrencyHelpers

/// A token bucket for acts: a number of them at once, then one per interval.
struct ActBudget: Hashable, Sendable {
  private let burst: UInt64
  /// Milliseconds per act.
  private let pause: UInt64
  /// In milliseconds' worth.
  private var credit: UInt64
  private(set) var counted: UInt64

  /// A budget that nothing was taken from.
  init(burst: UInt64, every pause: UInt64, now: UInt64) {
    (self.burst, self.pause) = (burst, pause)
    credit = burst * pause
    counted = now
  }

  /// Takes one; else how many milliseconds to wait for it.
  mutating func take(now: UInt64) -> UInt32? {
    refill(now)
    guard credit >= pause else { return UInt32(clamping: pause - credit) }
    credit -= pause
    return nil
  }

  /// Whether it is as if nothing had ever been taken.
  mutating func isFull(now: UInt64) -> Bool {
    refill(now)
    return credit == burst * pause
  }

  private mutating func refill(_ now: UInt64) {
    let elapsed = now > counted ? now - counted : 0
    credit = min(burst * pause, credit + min(elapsed, burst * pause))
    counted = max(counted, now)
  }
}

/// A budget of acts for each of those who act, connected or not: who comes back has not got another one.
final class ActBudgets: Sendable {
  private let burst: UInt64
  private let pause: UInt64
  private let budgets = NIOLockedValueBox<[[UInt8]: ActBudget]>([:])

  /// Each budget allows `burst` acts at once, then one every `pause` milliseconds.
  init(burst: UInt64, every pause: UInt64) { (self.burst, self.pause) = (burst, pause) }

  /// Takes one; else how many milliseconds to wait for it.
  ///
  /// - Complexity: O(1) mostly; O(those whose budget is not full) now and then.
  func take(_ who: [UInt8], now: UInt64) -> UInt32? {
    budgets.withLockedValue { budgets in
      if budgets[who] == nil, budgets.count.isMultiple(of: 1024) {
        budgets = budgets.filter { _, budget in
          var budget = budget
          return !budget.isFull(now: now)
        }
      }
      return budgets[who, default: ActBudget(burst: burst, every: pause, now: now)].take(now: now)
    }
  }
}
