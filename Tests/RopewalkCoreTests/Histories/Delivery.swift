import RopewalkCore

/// The ways in which a history can arrive.
enum Delivery {
  /// All that `document` knows, in pieces: whole, by span, by event, or tails that overlap, some of them twice, in any order.
  static func pieces(of document: TextDocument, using random: inout SplitMix) throws -> [Update] {
    var pieces: [Update] = []
    switch random.below(4) {
    case 0: pieces = [document.update(since: VersionVector())]
    case 1: pieces = document.updates(since: VersionVector(), maximumBytes: 40 + random.below(100))
    case 2: pieces = try spans(of: document, longest: 1 + random.below(6), using: &random)
    default: pieces = tails(of: document, using: &random)
    }
    for _ in 0..<random.below(4) where !pieces.isEmpty { pieces.append(pieces[random.below(pieces.count)]) }
    pieces.shuffle(using: &random)
    return pieces
  }

  /// Every replica's events, cut at random.
  static func spans(
    of document: TextDocument, longest: Int, using random: inout SplitMix
  ) throws -> [Update] {
    var pieces: [Update] = []
    for entry in document.versionVector.entries {
      var first: UInt32 = 0
      while first < entry.count {
        let end = min(entry.count, first + 1 + UInt32(random.below(longest)))
        let span = EventSpan(replica: entry.replica, seqs: first..<end)
        guard let update = document.update(of: span) else { throw Mismatch("no update of \(span)") }
        try Mismatch.check("the update's spans", update.spans, [span])
        pieces.append(update)
        first = end
      }
    }
    return pieces
  }

  /// Everything, and what someone would need who knows some of it.
  private static func tails(of document: TextDocument, using random: inout SplitMix) -> [Update] {
    var pieces = [document.update(since: VersionVector())]
    for _ in 0..<random.below(5) {
      var known = VersionVector()
      for entry in document.versionVector.entries {
        known[entry.replica] = UInt32(random.below(Int(entry.count) + 1))
      }
      pieces.append(document.update(since: known))
    }
    return pieces
  }
}
