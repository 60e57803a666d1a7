import NIOConcurrencyHelpers

/// Which of the files that are read while a relay runs are not in force as they are now, for metrics.
final class ReloadedFiles: Sendable {
  enum Name: String, CaseIterable, CustomStringConvertible {
    case keys, revocations, certificate

    var description: String { rawValue }
  }

  private let stale = NIOLockedValueBox<Set<Name>>([])

  func note(_ name: Name, isStale: Bool) {
    stale.withLockedValue { if isStale { $0.insert(name) } else { $0.remove(name) } }
  }

  func isStale(_ name: Name) -> Bool { stale.withLockedValue { $0.contains(name) } }
}
