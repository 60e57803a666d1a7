import RopewalkCore
import Testing

/// What somebody knew who wrote after some events, against a slow search.
@Suite struct CausalPastTests {
  /// A history of people who type at once and merge now and then.
  private func history(_ random: inout SplitMix) throws -> TextDocument {
    var people = (1...5).map { number in
      var document = TextDocument(seed: "seed")
      document.replica = ReplicaID(rawValue: UInt64(number))
      return document
    }
    for _ in 0..<40 {
      let who = random.below(people.count)
      if random.chance(45) {
        let other = people[random.below(people.count)]
        _ = try people[who].apply(other.update(since: people[who].versionVector))
      } else {
        people[who].insert("\(random.below(100))", at: random.below(people[who].scalarCount + 1))
        if random.chance(30) { people[who].delete(0..<1) }
      }
    }
    for person in people[1...] { _ = try people[0].apply(person.update(since: people[0].versionVector)) }
    return people[0]
  }

  private func events(of document: TextDocument) -> [EventID] {
    document.versionVector.entries.flatMap { replica, count in
      (0..<count).map { EventID(replica: replica, seq: $0) }
    }
  }

  private func closure(of events: [EventID], in document: TextDocument) -> Set<EventID> {
    var (found, next) = (Set<EventID>(), events)
    while let event = next.popLast() {
      guard found.insert(event).inserted else { continue }
      if event.seq > 0 { next.append(EventID(replica: event.replica, seq: event.seq - 1)) }
      let span = EventSpan(replica: event.replica, seqs: event.seq..<event.seq + 1)
      next += document.parents(of: span, limit: .max).map { $0.parent }
    }
    return found
  }

  @Test func itIsWhatASlowSearchFinds() throws {
    for seed in RandomSeeds(default: 60) {
      var random = SplitMix(seed: seed)
      let document = try history(&random)
      let all = events(of: document)
      for _ in 0..<8 {
        let chosen = (0..<random.below(4)).map { _ in all[random.below(all.count)] }
        let past = try #require(document.past(of: chosen))
        let expected = closure(of: chosen, in: document)
        #expect(Set(all.filter { past.contains($0) }) == expected, "ROPEWALK_SEED=\(seed)")
      }
      let everything = try #require(document.past(of: document.version.heads))
      #expect(all.allSatisfy { everything.contains($0) }, "ROPEWALK_SEED=\(seed)")
    }
  }

  @Test func ofAnUnknownEventThereIsNone() throws {
    var random = SplitMix(seed: 1)
    let document = try history(&random)
    let unknown = EventID(replica: ReplicaID(rawValue: 9), seq: 0)
    #expect(document.past(of: document.version.heads + [unknown]) == nil)
    #expect(TextDocument().past(of: [])?.contains(unknown) == true)
  }
}
