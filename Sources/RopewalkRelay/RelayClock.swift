import Foundation
import NIOConcurrencyHelpers

/// The clock of a running relay: the machine's time of day, held where it would go back.
enum RelayClock {
  static func system() -> @Sendable () -> UInt64 {
    let last = NIOLockedValueBox<UInt64>(0)
    return {
      let now = UInt64(max(0, Date().timeIntervalSince1970 * 1000))
      return last.withLockedValue { last in
        last = max(last, now)
        return last
      }
    }
  }
}
