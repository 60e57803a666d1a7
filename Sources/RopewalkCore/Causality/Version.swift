/// A moment in a document's history: the heads of the event graph, that is, the events that no other event
/// of that moment follows.
public struct Version: Hashable, Sendable {
  /// The heads, ascending and distinct.
  public let heads: [EventID]

  /// The moment before any event.
  public init() { heads = [] }

  /// The moment named by these events; order and repetition do not matter.
  public init(heads: [EventID]) {
    var sorted: [EventID] = []
    for head in heads.sorted() where sorted.last != head { sorted.append(head) }
    self.heads = sorted
  }

  /// Bytes that name the moment: a varint count, then per head eight bytes of replica and a varint.
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.varint(UInt64(heads.count))
    for head in heads {
      writer.fixed64(head.replica.rawValue)
      writer.varint32(head.seq)
    }
    return writer.bytes
  }

  /// Reads `encoded`. Throws `FormatError` when the bytes are not exactly that.
  public init(encoded: [UInt8]) throws(FormatError) {
    var reader = ByteReader(encoded)
    let count = try reader.count("version.count", unit: 9)
    var heads: [EventID] = []
    for _ in 0..<count {
      let start = reader.offset
      let replica = ReplicaID(rawValue: try reader.fixed64("version.replica"))
      let head = EventID(replica: replica, seq: try reader.varint32("version.seq"))
      guard head.seq < EventID.seqLimit else { throw FormatError(.badValue, at: start, field: "version.seq") }
      if let last = heads.last, last >= head {
        throw FormatError(.badValue, at: start, field: "version.order")
      }
      heads.append(head)
    }
    try reader.expectEnd()
    self.heads = heads
  }
}

extension EventID {
  /// Sequence numbers stay below this.
  @usableFromInline static var seqLimit: UInt32 { 1 << 31 }
}
