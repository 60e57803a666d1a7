import RopewalkCore
import Testing

/// A few bytes that claim a great deal.
@Suite struct HugeClaimTests {
  /// An update of one replica's single run that deletes at 0 `count` times.
  private static func deletions(_ count: UInt64, replica: UInt8 = 7) throws -> Update {
    let operation = ReferenceEncoder.varint(count << 2 | 1)
    var bytes: [UInt8] = [0x52, 1, 1, replica, 0, 0, 0, 0, 0, 0, 0, 0]
    bytes += ReferenceEncoder.varint(count)
    bytes += [0, 1, 1, 0, UInt8(operation.count)]
    bytes += operation
    bytes += [1, 0, 0, 0, 0, 0, 0]
    return try Update(bytes: Mutation.repaired(bytes))
  }

  @Test func deletionsOfNothingLeaveRoomForEdits() throws {
    var document = TextDocument()
    document.replica = ReplicaID(rawValue: 1)
    document.insert("text", at: 0)
    let before = document
    #expect(throws: ApplyError.tooLarge) { try document.apply(Self.deletions(1 << 31 - 2)) }
    #expect(throws: ApplyError.tooLarge) { try document.apply(Self.deletions(1 << 30)) }
    #expect(document.version == before.version)
    // Concurrent with what there is, so that they are walked.
    _ = try document.apply(Self.deletions(1 << 30 - 100))
    #expect(document.text == "text")
    document.insert("more ", at: 0)
    document.delete(0..<1)
    #expect(document.text == "ore text")
    var opened = try TextDocument(snapshot: document.snapshot())
    opened.replica = ReplicaID(rawValue: 2)
    opened.insert("!", at: 8)
    #expect(opened.text == "ore text!")
    #expect(document.text(at: before.version) == "text")
    #expect(throws: ApplyError.tooLarge) { try opened.apply(Self.deletions(100, replica: 8)) }
  }
}
