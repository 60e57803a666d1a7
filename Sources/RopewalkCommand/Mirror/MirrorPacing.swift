/// When a mirror looks again, though nothing was heard.
///
/// Whoever waits for something to be heard waits without looking; whoever waits for time to pass looks when it has.
struct MirrorPacing {
  /// How long a file must be gone before it is written again: some editors remove a file before they write it.
  static let grace = 0.5
  /// Between two looks at a file that somebody is writing, however often that is heard.
  static let shortest = 0.05
  /// Where a program has the file open; its closing is heard in most places.
  static let open = 1.0
  /// After an error: at first soon, then less and less often.
  static let longest = 10.0
  /// A person is told when a file has been waited for so long.
  static let patience = 5.0

  private var missingSince: Double?
  private var busySince: Double?
  private var errors = 0
  private var lastRound = -Double.infinity

  /// Whether a file that is gone has been gone for long enough.
  func restoresMissing(at now: Double) -> Bool {
    missingSince.map { now - $0 >= Self.grace } ?? false
  }

  /// How long a round must be put off, if something moved at `now`.
  func delay(at now: Double) -> Double? {
    guard busySince != nil, now - lastRound < Self.shortest else { return nil }
    return Self.shortest - (now - lastRound)
  }

  /// Whether the file has been busy for long.
  func isImpatient(at now: Double) -> Bool { busySince.map { now - $0 >= Self.patience } ?? false }

  /// After a round: in how many seconds to look again; nil if not before something is heard.
  ///
  /// - Parameter nextLook: when a busy file may have become a text; nil if that will be heard.
  mutating func settled(_ standing: Mirror.Standing, nextLook: Double?, at now: Double) -> Double? {
    errors = 0
    lastRound = now
    missingSince = standing == .missing ? missingSince ?? now : nil
    busySince = standing == .busy ? busySince ?? now : nil
    switch standing {
    case .equal, .notText, .behind: return nil
    case .busy: return max(nextLook ?? Self.open, 0.01)
    case .open: return Self.open
    case .missing: return Self.grace - (now - (missingSince ?? now))
    }
  }

  /// After a round that could not be done: in how many seconds to try again.
  mutating func failed(at now: Double) -> Double {
    lastRound = now
    errors += 1
    return min(Self.longest, Self.grace * Double(1 << min(errors - 1, 5)))
  }
}
