/// In which order several updates are taken in: one author's together, as long as these need not wait for
/// others'.
///
/// The walk then goes through one branch after the other. In the order in which a room's log has them, branches of
/// three who came back at once take turns, and the walk would go to and fro between versions that are far apart
/// at each of their updates.
struct BranchOrder {
  private let updates: [Update]
  /// Of each author, its updates in order, and how many were taken.
  private var byAuthor: [ReplicaID: (all: [Int], taken: Int)] = [:]
  private var isTaken: [Bool]
  /// Whose updates go on being taken.
  private var author: ReplicaID?
  /// All before this one are taken.
  private var first = 0

  init(of updates: [Update]) {
    self.updates = updates
    isTaken = Array(repeating: false, count: updates.count)
    for (index, update) in updates.enumerated() {
      guard update.spans.count == 1 else { continue }
      byAuthor[update.spans[0].replica, default: ([], 0)].all.append(index)
    }
  }

  /// The update to be taken next; nil if all are.
  ///
  /// - Returns: its index, and whether it may wait for another one here, which then goes first.
  mutating func next() -> (index: Int, mayWait: Bool)? {
    while first < isTaken.count, isTaken[first] { first += 1 }
    guard first < isTaken.count else { return nil }
    if let author, let own = byAuthor[author] {
      if own.taken < own.all.count { return (own.all[own.taken], own.all[own.taken] != first) }
      self.author = nil
    }
    return (first, false)
  }

  /// The update that was next is taken; its author's go on.
  mutating func taken(_ index: Int) {
    isTaken[index] = true
    guard updates[index].spans.count == 1 else { return }
    author = updates[index].spans[0].replica
    byAuthor[updates[index].spans[0].replica]?.taken += 1
  }

  /// The update that was next waits for others: the first of all goes on.
  mutating func passOver() { author = nil }
}
