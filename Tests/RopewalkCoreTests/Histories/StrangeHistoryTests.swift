import RopewalkCore
import Testing

/// Histories that only another implementation or a hostile peer writes.
@Suite struct StrangeHistoryTests {
  @Test func strangeHistoriesConverge() {
    for seed in RandomSeeds(default: 500) {
      do { try Self.play(seed: seed) } catch {
        Issue.record("ROPEWALK_SEED=\(seed): \(error)")
        return
      }
    }
  }

  private static func play(seed: UInt64) throws {
    let history = StrangeHistory.random(seed: seed)
    let reference = history.reference
    var random = SplitMix(seed: seed)
    var peers = [Peer(), Peer()]
    for index in peers.indices {
      for update in try history.updates(using: &random) {
        try peers[index].apply(update, in: reference)
        try peers[index].check(in: reference)
        if random.chance(10) {
          peers[index].document = try TextDocument(snapshot: peers[index].document.snapshot())
          try peers[index].check(in: reference)
        }
      }
    }
    try Mismatch.check("events waiting", peers[0].document.pendingEventCount, 0)
    let all = Array(repeating: true, count: reference.events.count)
    try Mismatch.check(
      "the references' text", ReferenceWalk.scalars(of: reference), reference.scalars(in: all))
    for piece in try Delivery.spans(of: peers[0].document, longest: 6, using: &random) {
      try Mismatch.check(
        "bytes of \(piece.spans[0])", peers[1].document.update(of: piece.spans[0])?.bytes, piece.bytes)
    }
    for _ in 0..<4 {
      let event = reference.events[random.below(reference.events.count)].id
      try peers[0].checkText(at: Version(heads: [event]), in: reference)
    }
    // Honest edits on top of it.
    for index in peers.indices { try edit(&peers[index], ReplicaID(rawValue: 1000 + UInt64(index))) }
    let (first, second) = (peers[0].document, peers[1].document)
    _ = try peers[0].document.apply(second.update(since: first.versionVector))
    _ = try peers[1].document.apply(first.update(since: second.versionVector))
    try Mismatch.check("text after further edits", peers[0].document.utf8, peers[1].document.utf8)
  }

  private static func edit(_ peer: inout Peer, _ replica: ReplicaID) throws {
    peer.document.replica = replica
    peer.document.insert("honest", at: peer.document.scalarCount / 2)
    peer.document.delete(0..<min(2, peer.document.scalarCount))
  }
}
