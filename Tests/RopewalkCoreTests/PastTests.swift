import RopewalkCore
import Testing

/// What a document knew at a moment, in one update.
@Suite struct PastTests {
  @Test func whatWasKnownAtAMomentIsOneUpdate() throws {
    for seed in RandomSeeds(default: 40) {
      var random = SplitMix(seed: seed)
      var people = (1...3).map { number in
        var document = TextDocument(seed: "begin")
        document.replica = ReplicaID(rawValue: UInt64(number))
        return document
      }
      var moments: [(vector: VersionVector, text: String)] = []
      for _ in 0..<40 {
        let who = random.below(3)
        if random.chance(40) {
          _ = try people[who].apply(
            people[random.below(3)].update(since: people[who].versionVector))
        } else {
          people[who].insert("\(random.below(100))", at: random.below(people[who].scalarCount + 1))
          if random.chance(30) { people[who].delete(0..<1) }
        }
        moments.append((people[who].versionVector, people[who].text))
      }
      for person in people[1...] { _ = try people[0].apply(person.update(since: people[0].versionVector)) }
      for moment in moments {
        let update = try #require(people[0].update(upTo: moment.vector), "ROPEWALK_SEED=\(seed)")
        var past = TextDocument(lineage: people[0].lineage)
        _ = try past.apply(update)
        #expect(past.text == moment.text, "ROPEWALK_SEED=\(seed)")
        #expect(past.versionVector == moment.vector, "ROPEWALK_SEED=\(seed)")
      }
      var unknown = people[0].versionVector
      unknown[ReplicaID(rawValue: 9)] = 1
      #expect(people[0].update(upTo: unknown) == nil)
    }
  }
}
