import Ropewalk

/// What others changed between two moments, seen from both texts.
///
/// Found from the patches of the merge, so it is known and not compared: two equal texts by two people are told apart.
struct OthersPart {
  /// Scalars of the later text that came from others, ascending.
  private(set) var inserted: [Range<Int>] = []
  /// Scalars of the earlier text that others deleted, ascending.
  var deleted: [Range<Int>] = []

  /// How many scalars `inserted` has.
  var insertedCount: Int { inserted.reduce(0) { $0 + $1.count } }

  /// A stretch of text: scalars of the earlier one from `origin`, or new ones.
  private struct Piece {
    var origin: Int?
    var count: Int

    /// The piece cut in two.
    func split(at place: Int) -> (Piece, Piece) {
      (Piece(origin: origin, count: place), Piece(origin: origin.map { $0 + place }, count: count - place))
    }
  }

  /// - Parameter patches: what turns the earlier text, of `scalarCount` scalars, into the later one.
  init(_ patches: [TextPatch], from scalarCount: Int) {
    var pieces = [Piece(origin: 0, count: scalarCount)]
    for patch in patches {
      let start = Self.cut(&pieces, at: patch.position)
      let end = Self.cut(&pieces, at: patch.position + patch.deleted)
      let count = patch.insertedText.unicodeScalars.count
      pieces.replaceSubrange(start..<end, with: count > 0 ? [Piece(origin: nil, count: count)] : [])
    }
    var (place, origin) = (0, 0)
    for piece in pieces where piece.count > 0 {
      if let start = piece.origin {
        if start > origin { deleted.append(origin..<start) }
        origin = start + piece.count
      } else {
        inserted.append(place..<place + piece.count)
      }
      place += piece.count
    }
    if origin < scalarCount { deleted.append(origin..<scalarCount) }
  }

  /// Makes a piece begin at a place in the text; returns its index.
  private static func cut(_ pieces: inout [Piece], at place: Int) -> Int {
    var start = 0
    for (index, piece) in pieces.enumerated() {
      if start == place { return index }
      if place < start + piece.count {
        let (first, second) = piece.split(at: place - start)
        pieces.replaceSubrange(index...index, with: [first, second])
        return index + 1
      }
      start += piece.count
    }
    return pieces.count
  }
}

extension [Range<Int>] {
  /// How many numbers are both in one of these ranges and in one of `others`; both ascend.
  func overlap(with others: [Range<Int>]) -> Int {
    var (a, b, sum) = (0, 0, 0)
    while a < count, b < others.count {
      sum += self[a].clamped(to: others[b]).count
      if self[a].upperBound < others[b].upperBound { a += 1 } else { b += 1 }
    }
    return sum
  }
}
