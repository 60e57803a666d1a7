/// What the subjects of one room have used lately, in it or before they left. Outlives the room's time in memory: who
/// leaves as the last and comes back has not got another budget.
public struct RoomBudgets: Sendable {
  /// What looking up in the log has cost each subject.
  var lookUps: [[UInt8]: LookUpBudget] = [:]
  /// The replica ids that each subject has begun.
  var newIDs: [[UInt8]: NewIDBudget] = [:]

  /// At each multiple of this number of subjects, budgets that have refilled are dropped.
  private static let most = 1024

  /// Budgets that nothing was taken from.
  public init() {}

  /// Forgets whose budgets are as if nothing had been taken.
  ///
  /// - Complexity: O(subjects).
  public mutating func forgetFull(now: UInt64, _ configuration: RelayRoom.Configuration) {
    lookUps = lookUps.filter { !$0.value.isFull(now: now, configuration.examinedPerSecond) }
    newIDs = newIDs.filter { !$0.value.isFull(now: now, configuration.newIDs) }
  }

  /// Whether there is nothing to keep.
  public var isEmpty: Bool { lookUps.isEmpty && newIDs.isEmpty }

  /// How many milliseconds a subject must wait until something may be looked up for it; nil for none.
  func waitToLookUp(_ subject: [UInt8], now: UInt64, _ perSecond: UInt32) -> UInt32? {
    lookUps[subject]?.wait(now: now, perSecond)
  }

  mutating func lookedUp(_ entries: Int, for subject: [UInt8], now: UInt64, _ perSecond: UInt32) {
    if lookUps[subject] == nil, lookUps.count.isMultiple(of: Self.most) {
      lookUps = lookUps.filter { !$0.value.isFull(now: now, perSecond) }
    }
    lookUps[subject, default: LookUpBudget(perSecond, now: now)].charge(entries, now: now, perSecond)
  }

  /// A subject begins a replica id. Returns how many milliseconds to wait, if it has begun too many.
  mutating func beginID(
    _ subject: [UInt8], now: UInt64, _ most: (atOnce: UInt32, perSecond: UInt32)
  ) -> UInt32? {
    if newIDs[subject] == nil, newIDs.count.isMultiple(of: Self.most) {
      newIDs = newIDs.filter { !$0.value.isFull(now: now, most) }
    }
    return newIDs[subject, default: NewIDBudget(most, now: now)].take(now: now, most)
  }
}
