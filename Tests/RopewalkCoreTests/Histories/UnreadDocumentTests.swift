import RopewalkCore
import Testing

/// A document that is opened for its text, edited and read later is the one that was read at once.
@Suite struct UnreadDocumentTests {
  @Test func readingLaterIsReadingAtOnce() throws {
    for seed in RandomSeeds(default: 300) {
      var random = SplitMix(seed: seed)
      let snapshot = try Self.history(using: &random).snapshot()
      var whole = try TextDocument(snapshot: snapshot)
      var unread = try UnreadDocument(snapshot: snapshot)
      let known = whole.versionVector
      #expect(unread.text == whole.text && unread.version == whole.version, "seed \(seed)")
      #expect(unread.versionVector == known && unread.lineage == whole.lineage, "seed \(seed)")
      for session in 0..<random.below(3) {
        let id = ReplicaID(rawValue: [7, 70, UInt64.max][session])
        whole.replica = id
        unread.replica = id
        for _ in 0..<(1 + random.below(9)) {
          let (range, text) = Self.edit(of: whole.scalarCount, using: &random)
          whole.replace(range, with: text)
          unread.replace(range, with: text)
        }
      }
      #expect(
        unread.updates(maximumBytes: 60) == whole.updates(since: known, maximumBytes: 60), "seed \(seed)")
      #expect(unread.version == whole.version && unread.versionVector == whole.versionVector, "seed \(seed)")
      let read = try unread.read()
      #expect(read.snapshot() == whole.snapshot(), "seed \(seed)")
      #expect(read.update(since: VersionVector()) == whole.update(since: VersionVector()), "seed \(seed)")
      for (replica, count) in whole.versionVector.entries {
        guard known[replica] < count else { continue }
        let span = EventSpan(replica: replica, seqs: known[replica]..<count)
        #expect(unread.update(of: span) == whole.update(of: span), "seed \(seed)")
      }
      var anew = TextDocument(lineage: read.lineage)
      _ = try anew.apply(read.update(since: VersionVector()))
      #expect(anew.text == read.text, "seed \(seed)")
    }
  }

  @Test func aDamagedHistoryCostsNeitherTheTextNorTheEdits() throws {
    var random = SplitMix(seed: 5)
    let document = try Self.history(using: &random)
    var bytes = document.snapshot()
    bytes[bytes.count - 5] ^= 1
    #expect(throws: FormatError.self) { try TextDocument(snapshot: bytes) }
    var unread = try UnreadDocument(snapshot: bytes)
    #expect(unread.text == document.text)
    unread.replica = ReplicaID(rawValue: 9)
    unread.insert("kept", at: 0)
    #expect(throws: FormatError.self) { try unread.read() }
    #expect(unread.text == "kept" + document.text)
    var other = document
    for update in unread.updates(maximumBytes: 1000) { _ = try other.apply(update) }
    #expect(other.text == unread.text)
  }

  @Test func aMomentThatTheHistoryDoesNotReachIsRefused() throws {
    var random = SplitMix(seed: 6)
    let (document, other) = (try Self.history(using: &random), try Self.history(using: &random))
    var parts = SnapshotParts(document.snapshot())
    parts.moment = other.version.encoded
    parts.vector = other.versionVector.encoded
    let unread = try UnreadDocument(snapshot: parts.bytes)
    #expect(
      throws: FormatError(.badValue, at: parts.bytes.count - parts.history.count, field: "snapshot.moment")
    ) {
      try unread.read()
    }
  }

  /// A document of a few people, often with several heads.
  private static func history(using random: inout SplitMix) throws -> TextDocument {
    let seed = TextDocument(seed: random.chance(50) ? "seed" : "")
    var people = (0..<1 + random.below(4)).map { number in
      var copy = seed
      copy.replica = ReplicaID(rawValue: UInt64(1000 * (random.below(9) + 1) + number))
      return copy
    }
    for _ in 0..<(3 + random.below(30)) {
      let person = random.below(people.count)
      let (range, text) = edit(of: people[person].scalarCount, using: &random)
      people[person].replace(range, with: text)
      guard random.chance(30) else { continue }
      let other = people[random.below(people.count)]
      _ = try people[person].apply(other.update(since: people[person].versionVector))
    }
    for other in people.dropFirst() { _ = try people[0].apply(other.update(since: people[0].versionVector)) }
    return people[0]
  }

  private static func edit(of length: Int, using random: inout SplitMix) -> (Range<Int>, String) {
    let start = random.below(length + 1)
    let end = random.chance(50) ? start : min(length, start + random.below(4))
    return (start..<end, start < end && random.chance(50) ? "" : .random(1 + random.below(3), using: &random))
  }
}
