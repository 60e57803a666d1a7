#if DEBUG
  import Testing

  @testable import RopewalkCore

  /// Histories that are made to cost whoever merges them as much as they can. Counted, not timed.
  @Suite struct HurtfulHistoryTests {
    private static func document(_ replica: UInt64, on base: TextDocument = TextDocument()) -> TextDocument {
      var author = base
      author.replica = ReplicaID(rawValue: replica)
      return author
    }

    private static let base = {
      var author = document(1)
      author.insert(String(repeating: "lorem ipsum ", count: 20), at: 0)
      return author
    }()

    /// Edits of several ids that know nothing of each other, each as an update.
    private static func branches(_ ids: Int, edits: Int) -> [[Update]] {
      var random = SplitMix(seed: 7)
      return (0..<ids).map { id in
        var author = document(100 + UInt64(id), on: base)
        return (0..<edits).map { _ in
          let before = author.versionVector
          author.insert("x", at: random.below(author.scalarCount))
          return author.update(since: before)
        }
      }
    }

    private static func turns(_ branches: [[Update]]) -> [Update] {
      (0..<branches[0].count).flatMap { number in branches.map { $0[number] } }
    }

    /// Merges updates, so many at a time; `steps` is what the walks cost.
    private static func merge(_ updates: [Update], together count: Int) -> (text: String, steps: UInt64) {
      var document = base
      for start in stride(from: 0, to: updates.count, by: count) {
        let result = document.apply(Array(updates[start..<min(updates.count, start + count)]))
        #expect(result.failures.isEmpty)
      }
      guard let walker = document.warmWalker.take() else {
        Issue.record("the last merge walked nothing")
        return (document.text, 0)
      }
      return (document.text, walker.steps)
    }

    @Test(arguments: [3, 5, 40]) func branchesThatTakeTurnsCostAsMuchAsOneAfterTheOther(ids: Int) {
      let branches = Self.branches(ids, edits: 240 / ids)
      let turns = Self.merge(Self.turns(branches), together: 1000)
      let oneByOne = Self.merge(branches.flatMap { $0 }, together: 1000)
      #expect(turns.text == oneByOne.text)
      #expect(turns.steps <= oneByOne.steps * 5 / 4)
      #expect(turns.steps < 240 * 6)
    }

    /// Those who stay at an old version share a view, and whoever is up to date keeps the other.
    @Test func whoStaysBehindDoesNotHaveAllWalkedAgain() throws {
      var random = SplitMix(seed: 3)
      var honest = Self.document(5, on: Self.base)
      var behind = (0..<4).map { Self.document(50 + $0, on: Self.base) }
      var updates: [Update] = []
      for round in 0..<60 {
        for _ in 0..<4 {
          let before = honest.versionVector
          honest.insert("hh", at: random.below(honest.scalarCount))
          updates.append(honest.update(since: before))
        }
        let before = behind[round % 4].versionVector
        behind[round % 4].insert("s", at: random.below(behind[round % 4].scalarCount))
        updates.append(behind[round % 4].update(since: before))
      }
      let merged = Self.merge(updates, together: 1)
      // Each is walked once, and what others at the old version have is moved; the honest one's 240 are not.
      #expect(merged.steps < 300 * 8)
    }

    @Test func whoGoesOnBesideOneWhoStaysBehindIsWalkedOnce() throws {
      var (honest, behind) = (Self.document(5, on: Self.base), Self.document(6, on: Self.base))
      var updates: [Update] = []
      for _ in 0..<150 {
        for isHonest in [true, false] {
          let before = isHonest ? honest.versionVector : behind.versionVector
          if isHonest { honest.insert("h", at: 0) } else { behind.insert("s", at: behind.scalarCount) }
          updates.append((isHonest ? honest : behind).update(since: before))
        }
      }
      #expect(Self.merge(updates, together: 1).steps < 300 * 4)
    }

    /// What is read to find an item's place grows with the logarithm of what others typed there.
    @Test(arguments: [true, false]) func whatManyTypeAtOnePlaceIsNotReadByEach(isBackwards: Bool) {
      func steps(_ ids: Int) -> UInt64 {
        let branches = (0..<ids).map { id in
          var author = Self.document(100 + UInt64(id * 7919 % ids), on: Self.base)
          return (0..<4).map { number in
            let before = author.versionVector
            author.insert("x", at: isBackwards ? 0 : author.scalarCount)
            return author.update(since: before)
          }
        }
        return Self.merge(Self.turns(branches), together: 1000).steps
      }
      let (few, many) = (steps(100), steps(400))
      #expect(many < few * 8)
    }

    @Test func deletionsOfEverythingByEverybodyCostTheirNumberTimesTheItems() throws {
      func steps(_ ids: Int) -> UInt64 {
        var full = Self.document(2, on: Self.base)
        for place in 0..<40 { full.insert("y", at: place * 5) }
        let first = full.update(since: Self.base.versionVector)
        let deletions = (0..<ids).map { id in
          var author = Self.document(100 + UInt64(id), on: full)
          author.delete(0..<author.scalarCount)
          return author.update(since: full.versionVector)
        }
        var other = Self.document(3, on: Self.base)
        other.insert("z", at: 5)
        let merged = Self.merge(
          [other.update(since: Self.base.versionVector), first] + deletions, together: 1000)
        #expect(merged.text == "z")
        return merged.steps
      }
      let (few, many) = (steps(20), steps(40))
      #expect(many < few * 9 / 4)
    }

    /// The least that an event of an id can list beside its own before.
    @Test func aReplicasEventsFollowEachOtherWhateverTheyList() throws {
      func event(_ replica: UInt64, _ seq: UInt32, _ parents: [EventID]) -> ReferenceEvent {
        ReferenceEvent(
          id: EventID(replica: ReplicaID(rawValue: replica), seq: seq), parents: parents,
          operation: .insert("a", at: 0))
      }
      let root = EventID(replica: ReplicaID(rawValue: 2), seq: 0)
      var document = TextDocument()
      var events = [event(2, 0, []), event(1, 0, [])]
      for seq in 1..<30 as Range<UInt32> { events.append(event(1, seq, [root])) }
      for event in events { _ = try document.apply(Update(bytes: ReferenceEncoder.update(of: [event]))) }
      #expect(document.version.heads == [EventID(replica: ReplicaID(rawValue: 1), seq: 29)])
      var whole = TextDocument()
      _ = try whole.apply(Update(bytes: ReferenceEncoder.update(of: events)))
      #expect(whole.version == document.version && whole.text == document.text)
    }

    /// A ladder of two who always answer each other, above an event that both of them know, or that neither does.
    @Test(arguments: [true, false]) func lookingForAnEventBeforeOthersEndsInTime(isKnown: Bool) throws {
      var (a, b) = (Self.document(2), Self.document(3))
      var third = Self.document(4)
      third.insert("t", at: 0)
      let first = third.update(since: VersionVector())
      if isKnown { for index in 0..<2 { _ = try index == 0 ? a.apply(first) : b.apply(first) } }
      for _ in 0..<600 {
        let (beforeA, beforeB) = (a.versionVector, b.versionVector)
        a.insert("a", at: 0)
        b.insert("b", at: 0)
        let (fromA, fromB) = (a.update(since: beforeA), b.update(since: beforeB))
        _ = try a.apply(fromB)
        _ = try b.apply(fromA)
      }
      var all = a
      if !isKnown { _ = try all.apply(first) }
      let graph = all.history.graph
      let own = try #require(graph.place(of: EventID(replica: ReplicaID(rawValue: 4), seq: 0)))
      let heads = a.version.heads.compactMap { graph.place(of: $0) }.map { graph.parent(at: $0) }
      var search = CoverSearch()
      for round in 0..<20 {
        let isFound = graph.runs.withUnsafeBufferPointer { runs in
          graph.parents.withUnsafeBufferPointer { parents in
            heads.withUnsafeBufferPointer { search.find(own, from: $0, runs: runs, parents: parents) }
          }
        }
        #expect(isFound == false || isKnown, "round \(round)")
      }
      // Twenty such searches, none of which was paid for by new events.
      #expect(search.steps < 4096 + 20 * 4)
    }
  }
#endif
