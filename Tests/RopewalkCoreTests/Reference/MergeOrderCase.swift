import Foundation
import RopewalkCore
import RopewalkZstd
import Testing

/// A recorded case: events, and the text they must merge to.
struct MergeOrderCase {
  let events: [ReferenceEvent]
  let endText: String

  private struct File: Decodable {
    struct Transaction: Decodable {
      let span: [Int]
      let parents: [Int]
      let agent: String
      let seqStart: UInt32
      let ops: [Change]
    }
    let txns: [Transaction]
    let endContent: String
  }

  private struct Change: Decodable {
    let position: Int
    let deleted: Int
    let inserted: String

    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      position = try values.decode(Int.self)
      deleted = try values.decode(Int.self)
      inserted = try values.decode(String.self)
    }
  }

  static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../../shared/conformance/merge-order.json.zst").standardized.path
  static let isThere = FileManager.default.fileExists(atPath: path)
  static let howToGet: Comment = """
    no recorded cases in ../shared/conformance/merge-order.json.zst: get them from the test data of \
    https://github.com/josephg/eg-walker-reference
    """

  static func readAll() throws -> [MergeOrderCase] {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    let json = try Zstd.decompress(bytes, maximumBytes: 1 << 26)
    return try JSONDecoder().decode([File].self, from: Data(json)).map { MergeOrderCase($0) }
  }

  private init(_ file: File) {
    var events: [ReferenceEvent] = []
    for transaction in file.txns {
      var parents = transaction.parents.map { events[$0].id }
      // An agent's transactions may be concurrent with each other here, which no replica's are. So each is a
      // replica of its own; they order as agents do, and then as the agent's events.
      let name = (Array(transaction.agent.utf8) + Array(repeating: 0, count: 4)).prefix(4)
      let agent = name.reduce(0) { $0 << 8 | UInt64($1) }
      let replica = ReplicaID(rawValue: agent << 32 | UInt64(transaction.seqStart))
      var seq: UInt32 = 0
      func add(_ operation: ReferenceEvent.Operation) {
        let id = EventID(replica: replica, seq: seq)
        events.append(ReferenceEvent(id: id, parents: parents, operation: operation))
        parents = [id]
        seq += 1
      }
      for change in transaction.ops {
        for _ in 0..<change.deleted { add(.delete(at: change.position)) }
        for (offset, scalar) in change.inserted.unicodeScalars.enumerated() {
          add(.insert(scalar, at: change.position + offset))
        }
      }
    }
    self.events = events
    endText = file.endContent
  }
}
