/// Allows a burst of one window and then so many pushes a second.
struct PushBudget: Sendable {
  private let perSecond: UInt64
  private let burst: UInt64
  /// In thousandths of a push.
  private var credit: UInt64
  private var counted: UInt64

  init(limits: Limits, now: UInt64) {
    perSecond = UInt64(limits.pushesPerSecond)
    burst = UInt64(max(1, limits.pushWindow)) * 1000
    credit = burst
    counted = now
  }

  /// Nil if a push may be taken now; else how many milliseconds to wait.
  mutating func take(now: UInt64) -> UInt32? {
    guard perSecond > 0 else { return nil }
    let elapsed = min(now > counted ? now - counted : 0, 3_600_000)
    credit = min(burst, credit + elapsed * perSecond)
    counted = max(counted, now)
    if credit >= 1000 {
      credit -= 1000
      return nil
    }
    return UInt32(clamping: (1000 - credit) / perSecond + 1)
  }
}

/// Bounds what a peer may send over a longer time, in messages and in bytes: a burst of two seconds, and at
/// least of what the push window allows, is free; after that the peer is asked to wait, and one that goes on
/// is given up.
public struct FloodBudget: Sendable {
  /// What becomes of a message.
  public enum Verdict: Hashable, Sendable {
    /// It is taken.
    case fine
    /// Not taken; how many milliseconds to wait.
    case over(wait: UInt32)
    /// It was told, and went on.
    case hopeless(wait: UInt32)

    /// The stricter of two.
    func and(_ other: Verdict) -> Verdict {
      switch (self, other) {
      case (.fine, .fine): .fine
      case (.hopeless(let wait), _), (_, .hopeless(let wait)): .hopeless(wait: wait)
      case (.over(let one), .over(let other)): .over(wait: max(one, other))
      case (.over(let wait), _), (_, .over(let wait)): .over(wait: wait)
      }
    }
  }

  private struct Bucket: Sendable {
    let perSecond: Int64
    let burst: Int64
    /// In thousandths.
    var credit: Int64

    init(perSecond: UInt32, atLeast least: Int64) {
      self.perSecond = Int64(perSecond)
      burst = max(2 * Int64(perSecond), least) * 1000
      credit = burst
    }

    func isFull(elapsed: Int64) -> Bool { perSecond == 0 || credit + elapsed * perSecond >= burst }

    mutating func charge(_ amount: Int64, elapsed: Int64) -> Verdict {
      guard perSecond > 0 else { return .fine }
      credit = min(burst, credit + elapsed * perSecond) - amount * 1000
      if credit >= 0 { return .fine }
      let wait = UInt32(clamping: -credit / perSecond + 1)
      return credit < -4 * burst ? .hopeless(wait: wait) : .over(wait: wait)
    }
  }

  private var messages: Bucket
  private var bytes: Bucket
  private var counted: UInt64

  /// A budget that nothing was taken from.
  ///
  /// - Parameter now: milliseconds, by a clock that does not go back.
  public init(limits: Limits, now: UInt64) {
    messages = Bucket(perSecond: limits.messagesPerSecond, atLeast: 2 * Int64(limits.pushWindow))
    bytes = Bucket(
      perSecond: limits.bytesPerSecond, atLeast: Int64(limits.pushWindowBytes) + Int64(limits.largestMessage))
    counted = now
  }

  /// Whether it is as if nothing had ever been taken.
  public func isFull(now: UInt64) -> Bool {
    let elapsed = Int64(min(now > counted ? now - counted : 0, 3_600_000))
    return messages.isFull(elapsed: elapsed) && bytes.isFull(elapsed: elapsed)
  }

  /// One more message, or part of one.
  public mutating func charge(bytes count: Int, now: UInt64) -> Verdict {
    let elapsed = Int64(min(now > counted ? now - counted : 0, 3_600_000))
    counted = max(counted, now)
    return messages.charge(1, elapsed: elapsed).and(bytes.charge(Int64(count), elapsed: elapsed))
  }
}

/// What looking up in the log may cost one subject: five seconds' worth at once, and more on credit, which
/// must be paid back before the next.
struct LookUpBudget: Sendable {
  /// In thousandths of an entry.
  private var credit: Int64
  private var counted: UInt64

  private static let burstSeconds: Int64 = 5

  init(_ perSecond: UInt32, now: UInt64) {
    credit = Int64(perSecond) * 1000 * Self.burstSeconds
    counted = now
  }

  /// How many milliseconds to wait until something may be looked up; nil for none.
  func wait(now: UInt64, _ perSecond: UInt32) -> UInt32? {
    let credit = credit(at: now, perSecond)
    return credit > 0 ? nil : UInt32(clamping: -credit / Int64(max(1, perSecond)) + 1)
  }

  /// Nothing has been looked up for long.
  func isFull(now: UInt64, _ perSecond: UInt32) -> Bool {
    credit(at: now, perSecond) == Int64(perSecond) * 1000 * Self.burstSeconds
  }

  mutating func charge(_ entries: Int, now: UInt64, _ perSecond: UInt32) {
    credit = credit(at: now, perSecond) - Int64(clamping: entries) * 1000
    counted = max(counted, now)
  }

  private func credit(at now: UInt64, _ perSecond: UInt32) -> Int64 {
    let elapsed = Int64(min(now > counted ? now - counted : 0, 3_600_000))
    return min(Int64(perSecond) * 1000 * Self.burstSeconds, credit + elapsed * Int64(perSecond))
  }
}

/// Bounds how many replica ids one subject begins in a room: a burst, and then so many a second.
struct NewIDBudget: Sendable {
  /// In thousandths of an id.
  private var credit: UInt64
  private var counted: UInt64

  init(_ most: (atOnce: UInt32, perSecond: UInt32), now: UInt64) {
    credit = UInt64(most.atOnce) * 1000
    counted = now
  }

  /// None was begun for long.
  func isFull(now: UInt64, _ most: (atOnce: UInt32, perSecond: UInt32)) -> Bool {
    credit(at: now, most) == UInt64(most.atOnce) * 1000
  }

  /// Nil if one may be begun now; else how many milliseconds to wait.
  mutating func take(now: UInt64, _ most: (atOnce: UInt32, perSecond: UInt32)) -> UInt32? {
    credit = credit(at: now, most)
    counted = max(counted, now)
    if credit >= 1000 {
      credit -= 1000
      return nil
    }
    return UInt32(clamping: (1000 - credit) / UInt64(max(1, most.perSecond)) + 1)
  }

  private func credit(at now: UInt64, _ most: (atOnce: UInt32, perSecond: UInt32)) -> UInt64 {
    let elapsed = min(now > counted ? now - counted : 0, 3_600_000)
    return min(UInt64(most.atOnce) * 1000, credit + elapsed * UInt64(most.perSecond))
  }
}
