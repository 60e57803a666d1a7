import RopewalkCore
import Testing

/// Bytes that the first release wrote are read as what they were, and are still written so.
@Suite struct FixtureTests {
  @Test func updatesStayAsTheyAre() throws {
    for (digits, document) in [
      (DocumentBytes.typed, DocumentFixtures.typed), (DocumentBytes.merged, DocumentFixtures.merged),
    ] {
      let bytes = try #require(Self.bytes(digits))
      let update = try Update(bytes: bytes)
      var read = TextDocument(lineage: update.lineage)
      _ = try read.apply(update)
      #expect(read.text == document.text)
      #expect(read.versionVector == document.versionVector)
      #expect(document.update(since: VersionVector()).bytes == bytes)
      #expect(read.update(since: VersionVector()).bytes == bytes)
    }
    #expect(DocumentFixtures.typed.text == "xyzad漢🐕")
    #expect(DocumentFixtures.merged.text == "Ein Seil: strong rope has many strands.\nEnd.")
  }

  @Test func snapshotsStayAsTheyAre() throws {
    let bytes = try #require(Self.bytes(DocumentBytes.waitingSnapshot))
    let unread = try UnreadDocument(snapshot: bytes)
    #expect(unread.text == DocumentFixtures.merged.text)
    for opened in [try TextDocument(snapshot: bytes), try unread.read()] {
      #expect(opened.text == DocumentFixtures.merged.text)
      #expect(opened.versionVector == DocumentFixtures.merged.versionVector)
      #expect(opened.missingEvents == [EventID(replica: ReplicaID(rawValue: 77), seq: 2)])
      #expect(opened.pendingEventCount == 3)
      #expect(opened.snapshot() == bytes)
    }
    #expect(DocumentFixtures.waiting.snapshot() == bytes)
  }

  @Test func versionsAndVectorsStayAsTheyAre() throws {
    let version = try #require(Self.bytes(DocumentBytes.mergedVersion))
    #expect(try Version(encoded: version) == DocumentFixtures.merged.version)
    #expect(DocumentFixtures.merged.version.encoded == version)
    let vector = try #require(Self.bytes(DocumentBytes.mergedVector))
    #expect(try VersionVector(encoded: vector) == DocumentFixtures.merged.versionVector)
    #expect(DocumentFixtures.merged.versionVector.encoded == vector)
  }

  private static func bytes(_ digits: String) -> [UInt8]? {
    let characters = Array(digits.utf8)
    guard characters.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for place in stride(from: 0, to: characters.count, by: 2) {
      guard let byte = UInt8(String(decoding: characters[place..<place + 2], as: UTF8.self), radix: 16) else {
        return nil
      }
      bytes.append(byte)
    }
    return bytes
  }
}
