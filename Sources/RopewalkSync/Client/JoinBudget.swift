/// Spends a quarter of what a relay takes in messages on joining and leaving.
struct JoinBudget: Sendable {
  private var perSecond: UInt64 = 0
  /// In thousandths of a join.
  private var credit: UInt64 = 0
  private var counted: UInt64 = 0

  /// No limit.
  init() {}

  init(messagesPerSecond: UInt64, now: UInt64) {
    // A turn is two messages.
    perSecond = messagesPerSecond == 0 ? 0 : max(1, messagesPerSecond / 8)
    credit = burst
    counted = now
  }

  private var burst: UInt64 { 2 * perSecond * 1000 }

  private func credit(at now: UInt64) -> UInt64 {
    min(burst, credit + min(now > counted ? now - counted : 0, 3_600_000) * perSecond)
  }

  /// Whether a join may be sent now; counts it.
  mutating func take(_ now: UInt64) -> Bool {
    guard perSecond > 0 else { return true }
    credit = credit(at: now)
    counted = max(counted, now)
    guard credit >= 1000 else { return false }
    credit -= 1000
    return true
  }

  /// When the next join may be sent, and some more with it: those of a tenth of a second.
  func next(_ now: UInt64) -> UInt64 {
    guard perSecond > 0, credit(at: now) < 1000 else { return now }
    return now + (max(1, perSecond / 10) * 1000 - credit(at: now)) / perSecond + 1
  }
}
