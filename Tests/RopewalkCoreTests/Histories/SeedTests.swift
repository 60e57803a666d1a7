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

  /// The example of `Spec/update-format.md`.
  @Test func aSeedIsEncodedAsTheSpecificationShows() throws {
    let seeded = TextDocument(seed: "hi")
    let id: [UInt8] = [0x8f, 0x43, 0x43, 0x46, 0x64, 0x8f, 0x6b, 0x96]
    #expect(seeded.lineage == Lineage(rawValue: 0x966b_8f64_4643_438f))
    let body = [0x52, 0x81] + id + [1] + id + [0, 2, 0, 1, 1, 0, 1, 8, 1, 0, 2, 0x68, 0x69]
    #expect(seeded.update(since: VersionVector()).bytes == Mutation.repaired(body + [0, 0, 0, 0]))
  }

  @Test func aSeedIsTakenScalarByScalar() throws {
    let text = "\u{feff}e\u{301}\r\n\u{0}🙂"
    let seeded = TextDocument(seed: text)
    #expect(seeded.scalarCount == 7)
    #expect(seeded.utf8 == Array(text.utf8))
    #expect(seeded.versionVector.entries.map(\.count) == [7])
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
