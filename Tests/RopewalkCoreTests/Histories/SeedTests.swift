import RopewalkCore
import Testing

/// Documents that begin with a text.
@Suite struct SeedTests {
  @Test func twoWhoImportTheSameTextOfflineGetOneText() throws {
    var first = TextDocument(seed: "Dear diary,\n🙂\r\n")
    var second = TextDocument(seed: "Dear diary,\n🙂\r\n")
    #expect(first.update(since: VersionVector()) == second.update(since: VersionVector()))
    first.replica = ReplicaID(rawValue: 1)
    second.replica = ReplicaID(rawValue: 2)
    first.insert("first ", at: 5)
    second.insert("second ", at: 5)
    _ = try first.apply(second.update(since: VersionVector()))
    _ = try second.apply(first.update(since: VersionVector()))
    #expect(first.text == "Dear first second diary,\n🙂\r\n")
    #expect(second.text == first.text)
  }

  @Test func aSeedArrivesAsAnUpdate() throws {
    let seeded = TextDocument(seed: "text")
    #expect(seeded.lineage == TextDocument.lineage(ofSeed: "text"))
    var newcomer = TextDocument(lineage: seeded.lineage)
    let patches = try newcomer.apply(seeded.update(since: newcomer.versionVector))
    #expect(patches == [TextPatch(position: 0, deleted: 0, inserted: Array("text".utf8))])
    #expect(newcomer.version == seeded.version)
    #expect(try TextDocument(snapshot: newcomer.snapshot()).lineage == seeded.lineage)
  }

  @Test func anotherSeedIsAnotherLineage() throws {
    let (first, second) = (TextDocument(seed: "a"), TextDocument(seed: "b"))
    var blank = TextDocument(seed: "")
    #expect(blank.lineage == .blank)
    #expect(throws: ApplyError.lineageMismatch(expected: .blank, found: first.lineage)) {
      try blank.apply(first.update(since: VersionVector()))
    }
    #expect(first.lineage != second.lineage)
    // By code points: what looks the same need not be the same text.
    #expect(TextDocument.lineage(ofSeed: "é") != TextDocument.lineage(ofSeed: "e\u{301}"))
  }
}
