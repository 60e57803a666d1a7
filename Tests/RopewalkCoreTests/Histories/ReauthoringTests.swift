import RopewalkCore
import Testing

/// Events given to another replica id are the same history under other names.
@Suite struct ReauthoringTests {
  @Test func aReauthoredDocumentShowsWhatTheRenamedEventsMean() {
    for seed in RandomSeeds(default: 200) {
      do { try Self.play(seed: seed) } catch {
        Issue.record("ROPEWALK_SEED=\(seed): \(error)")
        return
      }
    }
  }

  @Test func whatWaitedForTheOtherIDIsMergedWhenTheEventsHaveIt() throws {
    var document = TextDocument()
    document.replica = ReplicaID(rawValue: 1)
    document.insert("abc", at: 0)
    var other = document.reauthoring(ReplicaID(rawValue: 1), from: 1, as: ReplicaID(rawValue: 9))
    other.replica = ReplicaID(rawValue: 5)
    other.insert("!", at: 3)
    let last = EventSpan(replica: ReplicaID(rawValue: 5), seqs: 0..<1)
    _ = try document.apply(#require(other.update(of: last)))
    #expect(document.pendingEventCount == 1)
    let renamed = document.reauthoring(ReplicaID(rawValue: 1), from: 1, as: ReplicaID(rawValue: 9))
    #expect(renamed.text == "abc!")
    #expect(renamed.pendingEventCount == 0)
    #expect(try TextDocument(snapshot: renamed.snapshot()).text == "abc!")
    // And what waits for others still does.
    let elsewhere = document.reauthoring(ReplicaID(rawValue: 1), from: 0, as: ReplicaID(rawValue: 8))
    #expect(elsewhere.pendingEventCount == 1)
    #expect(try TextDocument(snapshot: elsewhere.snapshot()).pendingEventCount == 1)
  }

  private static func play(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let history = StrangeHistory.random(seed: seed).reference
    let old = history.events[random.below(history.events.count)].id
    let new = ReplicaID(rawValue: random.chance(50) ? random.next() : 3)
    func renamed(_ id: EventID) -> EventID {
      guard id.replica == old.replica, id.seq >= old.seq else { return id }
      return EventID(replica: new, seq: id.seq - old.seq)
    }
    var expected = ReferenceHistory()
    for event in history.events {
      expected.add(
        ReferenceEvent(
          id: renamed(event.id),
          // The first event under the new id says what its number said before.
          parents: (event.id == old ? event.followed : event.parents).map(renamed), operation: event.operation
        ))
    }
    var document = TextDocument()
    _ = try document.apply(Update(bytes: ReferenceEncoder.update(of: history.events)))
    let before = document
    var peer = Peer()
    peer.document = document.reauthoring(old.replica, from: old.seq, as: new)
    peer.known = Array(repeating: true, count: expected.events.count)
    peer.given = Set(expected.events.map { $0.id })
    peer.shadow = expected.scalars(in: peer.known)
    try peer.check(in: expected)
    try Mismatch.check("the original's text", document.utf8, before.utf8)

    // Somebody who got the renamed events otherwise is at the same moment and has the same bytes.
    var other = TextDocument()
    _ = try other.apply(Update(bytes: ReferenceEncoder.update(of: expected.events)))
    for piece in try Delivery.spans(of: peer.document, longest: 8, using: &random) {
      try Mismatch.check("bytes of \(piece.spans[0])", other.update(of: piece.spans[0])?.bytes, piece.bytes)
    }
    let reopened = try TextDocument(snapshot: peer.document.snapshot())
    try Mismatch.check("text of the snapshot", reopened.utf8, peer.document.utf8)
    try Mismatch.check("patches", other.apply(peer.document.update(since: VersionVector())), [])
  }
}
