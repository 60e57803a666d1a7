/// How improbable it is that a person made an edit, in bits: what has to be said to describe it.
///
/// To delete takes one gesture, however much it is. What is typed has to be typed scalar by scalar. So an edit that
/// types just what others have written is a worse explanation of a save than one that deletes another part of it.
struct EditCost {
  /// Scalars of the text before, outside ASCII: who has them there may well type them again.
  private let familiar: Set<UInt32>

  init(familiarWith text: [UInt32]) { familiar = Set(text.lazy.filter { $0 >= 0x80 }) }

  /// The bits of changes that make `new` of `old`.
  func bits(_ edits: [Edit], of new: [UInt32]) -> Int {
    edits.reduce(0) { sum, edit in
      sum + Self.place + min(edit.old.count, Self.deletion)
        + edit.new.reduce(0) { $0 + bits(ofTyping: new[$1]) }
    }
  }

  /// To say where.
  private static let place = 4
  /// To say how much goes, at most.
  private static let deletion = 4

  private func bits(ofTyping scalar: UInt32) -> Int {
    switch scalar {
    case 0x30...0x39: 5
    case 0x41...0x5a, 0x61...0x7a: 4
    case ..<0x80: 2
    default: familiar.contains(scalar) ? 6 : 16
    }
  }
}
