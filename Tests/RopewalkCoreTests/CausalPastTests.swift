import Testing

@testable import RopewalkCore

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
        let others = random.chance(50) ? all : (0..<random.below(4)).map { _ in all[random.below(all.count)] }
        let past = try #require(document.past(of: chosen, asTo: others))
        let expected = closure(of: chosen, in: document).intersection(others)
        #expect(Set(others.filter { document.isKnown($0, in: past) }) == expected, "ROPEWALK_SEED=\(seed)")
      }
      let everything = try #require(document.past(of: document.version.heads, asTo: all))
      #expect(all.allSatisfy { document.isKnown($0, in: everything) }, "ROPEWALK_SEED=\(seed)")
    }
  }

  @Test func ofAnUnknownEventThereIsNone() throws {
    var random = SplitMix(seed: 1)
    let document = try history(&random)
    let unknown = EventID(replica: ReplicaID(rawValue: 9), seq: 0)
    #expect(document.past(of: document.version.heads + [unknown], asTo: []) == nil)
    let past = try #require(document.past(of: document.version.heads, asTo: [unknown]))
    #expect(!document.isKnown(unknown, in: past))
  }

  /// A long history of two who answer each other, and two ids that were there before and knew nothing of each other.
  @Test func whoKnewNearlyNothingOrNearlyEverythingIsJudgedAtOnce() throws {
    var people = (1...4).map { number in
      var document = TextDocument()
      document.replica = ReplicaID(rawValue: UInt64(number))
      return document
    }
    for index in 2...3 { people[index].insert("old", at: 0) }
    for index in 2...3 { _ = try people[0].apply(people[index].update(since: VersionVector())) }
    for turn in 0..<400 {
      people[turn % 2].insert("x", at: 0)
      _ = try people[1 - turn % 2].apply(people[turn % 2].update(since: people[1 - turn % 2].versionVector))
    }
    let document = people[0]
    let (old, other) = (
      EventID(replica: ReplicaID(rawValue: 3), seq: 2), EventID(replica: ReplicaID(rawValue: 4), seq: 2)
    )
    let early = try #require(document.past(of: [other], asTo: [old]))
    let late = try #require(document.past(of: document.version.heads, asTo: [old]))
    #expect(!document.isKnown(old, in: early) && document.isKnown(old, in: late))
    #expect(early.steps <= 8 && late.steps <= 8)
    // What came later than all that somebody knew needs no search.
    let last = try #require(document.version.heads.first)
    #expect(try #require(document.past(of: [other], asTo: [last])).steps == 0)
  }
}
