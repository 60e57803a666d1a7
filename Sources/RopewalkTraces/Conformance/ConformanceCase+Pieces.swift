import RopewalkCore

extension ConformanceCase {
  /// A transaction, or a part of one: cut so that parents are always the ends of pieces.
  struct Piece {
    let replica: ReplicaID
    /// Indexes of earlier pieces.
    let parents: [Int]
    let patches: [TracePatch]
    /// The transaction in the file.
    let place: String
  }

  /// Cuts transactions after every event that others name as their parent.
  func pieces() throws(TraceError) -> [Piece] {
    let names = Set(transactions.map(\.agent)).sorted {
      $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars)
    }
    let ranks = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, UInt64($0)) })
    var cuts = Set<Int>()  // a piece ends after these events
    for transaction in transactions { cuts.formUnion(transaction.parents) }

    var pieces: [Piece] = []
    var pieceEndingAt: [Int: Int] = [:]
    for (index, transaction) in transactions.enumerated() where !transaction.span.isEmpty {
      var parents = transaction.parents.compactMap { pieceEndingAt[$0] }
      var rest = transaction.patches[...]
      var start = transaction.span.lowerBound
      while start < transaction.span.upperBound {
        let end = (start..<transaction.span.upperBound).first { cuts.contains($0) }.map { $0 + 1 }
        let stop = end ?? transaction.span.upperBound
        let seq = transaction.seqStart + start - transaction.span.lowerBound
        pieces.append(
          Piece(
            replica: ReplicaID(rawValue: (ranks[transaction.agent, default: 0] + 1) << 32 | UInt64(seq)),
            parents: parents, patches: Self.take(stop - start, from: &rest), place: "txns[\(index)]"))
        pieceEndingAt[stop - 1] = pieces.count - 1
        parents = [pieces.count - 1]
        start = stop
      }
    }
    return pieces
  }

  /// Removes the first `count` events of some patches.
  private static func take(_ count: Int, from patches: inout ArraySlice<TracePatch>) -> [TracePatch] {
    var taken: [TracePatch] = []
    var lacking = count
    while lacking > 0, let patch = patches.popFirst() {
      guard patch.eventCount > lacking else {
        taken.append(patch)
        lacking -= patch.eventCount
        continue
      }
      let deleted = min(lacking, patch.deleted)
      let scalars = patch.inserted.unicodeScalars
      let cut = scalars.index(scalars.startIndex, offsetBy: lacking - deleted)
      taken.append(
        TracePatch(position: patch.position, deleted: deleted, inserted: String(scalars[..<cut])))
      patches =
        [
          TracePatch(
            position: patch.position + lacking - deleted, deleted: patch.deleted - deleted,
            inserted: String(scalars[cut...]))
        ] + patches
      lacking = 0
    }
    return taken
  }
}
