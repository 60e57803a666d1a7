import Ropewalk

extension TextDocument {
  /// A document as it was when it knew just these events, with its history; nil if it does not know them all.
  init?(_ whole: TextDocument, at known: VersionVector) {
    let present = whole.versionVector
    if known == present {
      self = whole
      return
    }
    self.init(lineage: whole.lineage)
    // All at once: by replica, what one wrote would wait for the others' again and again.
    guard let update = whole.update(upTo: known), (try? apply(update)) != nil else { return nil }
    guard versionVector == known else { return nil }
  }

  /// A document as it was when it had so many events; nil if it has fewer.
  init?(_ whole: TextDocument, ofFirst count: Int) {
    guard count <= whole.eventCount else { return nil }
    self.init(whole, at: whole.versionVector(ofFirst: count))
  }
}

extension VersionVector {
  /// Whether all that `other` knows is known here.
  func covers(_ other: VersionVector) -> Bool { other.entries.allSatisfy { self[$0.replica] >= $0.count } }

  /// What both know.
  func common(with other: VersionVector) -> VersionVector {
    var common = VersionVector()
    for (replica, count) in entries { common[replica] = min(count, other[replica]) }
    return common
  }
}
