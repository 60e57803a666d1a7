import RopewalkCore
import Testing

@Suite struct UpdateFormatTests {
  /// The example of `Spec/update-format.md`.
  @Test func oneTypedCharacterIsEncodedAsTheSpecificationShows() throws {
    var document = TextDocument()
    document.replica = ReplicaID(rawValue: 1)
    document.insert("hi", at: 0)
    document.insert("!", at: 2)
    let span = EventSpan(replica: ReplicaID(rawValue: 1), seqs: 2..<3)
    let update = try #require(document.update(of: span))
    let body: [UInt8] = [
      0x52, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 1, 1, 0, 1, 4, 1, 4, 1, 0x21,
    ]
    var writer = ByteWriter()
    writer.append(body)
    writer.fixed32(crc32c(body))
    #expect(update.bytes == writer.bytes)
    #expect(update.spans == [span])
  }

  /// What a keystroke costs on the wire, wherever it is typed in a large document. The first one of a
  /// session also names the other replica's event that it follows, in at most 13 bytes.
  @Test func oneTypedCharacterTakesAtMostFortyBytes() throws {
    var document = TextDocument(seed: String(repeating: "All work and no play. ", count: 10_000))
    let replica = ReplicaID(rawValue: 0xfeed_beef_dead_cafe)
    document.replica = replica
    for (seq, index) in [0, 219_999, 7, 100_000, 100_001].enumerated() {
      document.insert("漢", at: index)
      let span = EventSpan(replica: replica, seqs: UInt32(seq)..<UInt32(seq + 1))
      #expect(try #require(document.update(of: span)).bytes.count <= (seq == 0 ? 53 : 40))
    }
  }
}
