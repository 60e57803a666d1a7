import Foundation
import RopewalkCore
import RopewalkSync
import Testing

/// The test vectors of `Spec/protocol.md` are what the code writes and reads.
@Suite struct VectorTests {
  private static let header = EntryHeader(
    document: DocumentKey(name: DocumentName("notes")!, lineage: .blank),
    span: EventSpan(replica: ReplicaID(rawValue: 0x0123_4567_89ab_cdef), seqs: 5..<8))
  private static let entry = LogEntry(
    cursor: 1, subject: Array("ann".utf8), time: 1_700_000_000_000, header: header, payload: [1, 2, 3])

  private static let vectors: [(name: String, bytes: [UInt8])] = [
    ("header", header.encoded),
    ("digest after the entry", entry.digest(after: .zero).bytes),
    (
      "hello",
      ClientMessage.hello(
        ClientMessage.Hello(codecs: .zstd, token: Array("t".utf8), agent: Array("a/1".utf8))
      ).encoded
    ),
    (
      "join",
      ClientMessage.join(ClientMessage.Join(room: RoomName("room")!, cursor: 0, digest: .zero)).encoded
    ),
    (
      "push",
      ClientMessage.push(
        ClientMessage.Push(room: RoomNumber(rawValue: 2), number: 1, header: header, payload: [1, 2, 3])
      ).encoded
    ),
    (
      "joined",
      RelayMessage.joined(
        RelayMessage.Joined(
          room: RoomName("room")!, number: RoomNumber(rawValue: 2), role: .edit, head: 300, isRestart: false)
      ).encoded
    ),
    ("entries", RelayMessage.entries(room: RoomNumber(rawValue: 2), [entry]).encoded),
    (
      "caughtUp",
      RelayMessage.caughtUp(room: RoomNumber(rawValue: 2), cursor: 1, digest: entry.digest(after: .zero))
        .encoded
    ),
    (
      "acknowledged",
      RelayMessage.acknowledged(
        room: RoomNumber(rawValue: 2), [RelayMessage.Acknowledgement(push: 1, cursor: 300)]
      ).encoded
    ),
    (
      "refused, covered",
      RelayMessage.refused(room: RoomNumber(rawValue: 2), push: 1, .covered(missing: [7..<8], through: 1))
        .encoded
    ),
    (
      "error",
      RelayMessage.error(
        room: nil, ProtocolError(.draining, retry: .after(milliseconds: 500), "Stopping.")
      ).encoded
    ),
  ]

  @Test func theSpecificationShowsWhatIsWritten() throws {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: package.appendingPathComponent("Spec/protocol.md"), encoding: .utf8)
    for (name, bytes) in Self.vectors {
      let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      #expect(text.contains("| \(name) | `\(hex)` |"), "| \(name) | `\(hex)` |")
    }
  }
}
