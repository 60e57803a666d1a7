import RopewalkCore
import Testing

/// Updates that wait for their parents.
@Suite struct WaitingTests {
  private static func event(
    _ replica: UInt64, _ seq: UInt32, _ parents: [EventID], _ text: Unicode.Scalar
  ) -> ReferenceEvent {
    ReferenceEvent(
      id: EventID(replica: ReplicaID(rawValue: replica), seq: seq), parents: parents,
      operation: .insert(text, at: 0))
  }

  private static func update(_ events: [ReferenceEvent]) throws -> Update {
    try Update(bytes: ReferenceEncoder.update(of: events))
  }

  @Test func aDocumentOpensAlthoughAWaitingUpdateCameToContradictIt() throws {
    let absent = EventID(replica: ReplicaID(rawValue: 9), seq: 0)
    var document = TextDocument()
    // Waits for an event, and holds another content of one that comes later.
    _ = try document.apply(Self.update([Self.event(1, 0, [absent], "a")]))
    _ = try document.apply(Self.update([Self.event(1, 0, [], "b")]))
    #expect(document.text == "b")
    #expect(document.missingEvents == [absent])
    var opened = try TextDocument(snapshot: document.snapshot())
    #expect(opened.text == "b")
    let clash = ApplyError.idClash(EventID(replica: ReplicaID(rawValue: 1), seq: 0))
    #expect(opened.takeRefusedUpdates().map(\.error) == [clash])
    #expect(document.takeRefusedUpdates().isEmpty)
    // What comes after is merged all the same, and the contradiction is reported.
    for index in 0..<2 {
      let later = try Self.update([Self.event(9, 0, [], "c")])
      if index == 0 { _ = try document.apply(later) } else { _ = try opened.apply(later) }
    }
    let refused = document.takeRefusedUpdates()
    #expect(refused.map(\.error) == [clash])
    #expect(try refused.map(\.update) == [Self.update([Self.event(1, 0, [absent], "a")])])
    #expect(document.takeRefusedUpdates().isEmpty)
    #expect(document.text == opened.text)
    #expect(document.pendingEventCount == 0)
    #expect(opened.pendingEventCount == 0)
  }

  @Test func anUpdateThatWaitsForTwoEventsIsTriedWhenEitherComes() throws {
    let first = EventID(replica: ReplicaID(rawValue: 8), seq: 0)
    let second = EventID(replica: ReplicaID(rawValue: 9), seq: 0)
    let waiting = [Self.event(1, 0, [first], "a"), Self.event(2, 0, [second], "b")]
    var document = TextDocument()
    _ = try document.apply(Self.update(waiting))
    #expect(document.missingEvents == [first, second])
    _ = try document.apply(Self.update([Self.event(9, 0, [], "c")]))
    #expect(document.text == "bc")
    #expect(document.missingEvents == [first])
    _ = try document.apply(Self.update([Self.event(8, 0, [], "d")]))
    #expect(document.scalarCount == 4)
    #expect(document.missingEvents.isEmpty)
  }

  @Test func anEventKnownWithOtherContentIsAClash() throws {
    var document = TextDocument()
    _ = try document.apply(Self.update([Self.event(1, 0, [], "a")]))
    #expect(throws: ApplyError.idClash(EventID(replica: ReplicaID(rawValue: 1), seq: 0))) {
      try document.apply(Self.update([Self.event(1, 0, [], "b")]))
    }
    #expect(document.text == "a")
  }
}

/// Whole spans of authors who wrote to and fro: each waits for the others as many times as they crossed.
@Suite struct CrossingSpansTests {
  @Test func spansThatWaitForEachOtherComeTogether() throws {
    for seed in RandomSeeds(default: 30) {
      var random = SplitMix(seed: seed)
      var authors = (0..<2 + random.below(3)).map { Author(UInt64(40 - $0)) }
      for _ in 0..<120 {
        let from = random.below(authors.count)
        authors[from].edit(1, using: &random)
        let to = random.below(authors.count)
        if to != from { try authors[to].merge(authors[from].document) }
      }
      var all = authors[0].document
      for author in authors.dropFirst() {
        _ = try all.apply(author.document.update(since: all.versionVector))
      }
      var spans: [Update] = []
      for (replica, count) in all.versionVector.entries {
        // Cut anywhere, and told twice in part.
        let cut = UInt32(random.below(Int(count) + 1))
        for seqs in [0..<cut, cut..<count, cut / 2..<count] where !seqs.isEmpty {
          spans.append(try #require(all.update(of: EventSpan(replica: replica, seqs: seqs))))
        }
      }
      var document = TextDocument()
      for span in spans.shuffled(using: &random) { _ = try document.apply(span) }
      #expect(document.text == all.text, "seed \(seed)")
      #expect(document.pendingEventCount == 0 && document.missingEvents.isEmpty, "seed \(seed)")
      #expect(document.takeRefusedUpdates().isEmpty, "seed \(seed)")
    }
  }
}
