import RopewalkCore

/// Histories that are made to cost whoever merges them as much as they can.
enum HurtfulShape: String, CaseIterable, Codable, Sendable {
  /// Branches of three ids that came back at once, in turns, merged together.
  case interleavedIDs = "interleaved ids"
  /// Eight ids that stay at an old version beside one who goes on, merged one by one.
  case staleIDs = "stale ids beside a busy one"
  /// Three branches that never see each other, in turns, merged one by one.
  case farApart = "far apart, in turns"
  /// Ids of four letters each, typed leftwards at one place.
  case backwardsAtOnePlace = "backwards at one place"
  /// Updates of which each waits for the next one that comes.
  case waiting = "waiting"
  /// Ids that each delete the whole of a text of many pieces.
  case everybodyDeletes = "everybody deletes everything"

  struct History {
    var base: TextDocument
    var updates: [Update]
    /// Updates that are merged at once.
    var together: Int

    func merged() throws -> TextDocument {
      var document = base
      for start in stride(from: 0, to: updates.count, by: together) {
        let failures = document.apply(Array(updates[start..<min(updates.count, start + together)])).failures
        if let failure = failures.first { throw failure.error }
      }
      return document
    }
  }

  /// Makes a history of roughly `count` updates.
  func history(of count: Int) throws -> History {
    var random = SplitMix(seed: 8)
    var base = Self.author(1)
    base.insert(String(repeating: "lorem ipsum ", count: 20), at: 0)
    let known = base.versionVector
    switch self {
    case .interleavedIDs, .farApart:
      var authors = (0..<3).map { Self.author(100 + $0, on: base) }
      let updates = (0..<count).map { number in
        Self.update(of: &authors[number % 3]) { $0.insert("x", at: random.below($0.scalarCount)) }
      }
      return History(base: base, updates: updates, together: self == .farApart ? 1 : 1_000)
    case .staleIDs:
      var busy = Self.author(2, on: base)
      var stale = (0..<8).map { Self.author(100 + $0, on: base) }
      let updates = (0..<count).map { number in
        number % 5 < 4
          ? Self.update(of: &busy) { $0.insert("hh", at: random.below($0.scalarCount)) }
          : Self.update(of: &stale[number / 5 % 8]) { $0.insert("s", at: random.below($0.scalarCount)) }
      }
      return History(base: base, updates: updates, together: 1)
    case .backwardsAtOnePlace:
      var authors = (0..<UInt64(max(1, count / 4))).map { Self.author(100 + $0 &* 7_919, on: base) }
      let updates = (0..<4).flatMap { _ in
        authors.indices.map { index in Self.update(of: &authors[index]) { $0.insert("x", at: 0) } }
      }
      return History(base: base, updates: updates, together: 1_000)
    case .waiting:
      var author = Self.author(2, on: base)
      let updates = (0..<count).map { _ in
        Self.update(of: &author) { $0.insert("w", at: random.below($0.scalarCount)) }
      }
      return History(base: base, updates: updates.reversed(), together: 1)
    case .everybodyDeletes:
      var full = Self.author(2, on: base)
      for _ in 0..<count { full.insert("y", at: random.below(full.scalarCount)) }
      var other = Self.author(3, on: base)
      other.insert("z", at: 5)
      let deletions = (0..<UInt64(count)).map { number in
        var author = Self.author(100 + number, on: full)
        return Self.update(of: &author) { $0.delete(0..<$0.scalarCount) }
      }
      return History(
        base: base, updates: [other.update(since: known), full.update(since: known)] + deletions,
        together: 1_000)
    }
  }

  private static func author(_ replica: UInt64, on base: TextDocument = TextDocument()) -> TextDocument {
    var author = base
    author.replica = ReplicaID(rawValue: replica)
    return author
  }

  private static func update(of author: inout TextDocument, _ edit: (inout TextDocument) -> Void) -> Update {
    let before = author.versionVector
    edit(&author)
    return author.update(since: before)
  }
}
