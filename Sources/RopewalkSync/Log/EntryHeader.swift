import RopewalkCore

/// What a relay knows of an update: which events of which document it carries. The payload stays opaque.
public struct EntryHeader: Hashable, Sendable {
  /// The document.
  public let document: DocumentKey
  /// The events, of one replica; sequence numbers below 2³¹.
  public let span: EventSpan

  /// Describes an update of one span.
  public init(document: DocumentKey, span: EventSpan) {
    precondition(span.seqs.upperBound <= 1 << 31, "sequence numbers are below 2³¹")
    self.document = document
    self.span = span
  }

  /// The bytes of the wire and of the log's digest: name (block), lineage and replica (8 bytes each), first sequence
  /// number and count (varints).
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    write(to: &writer)
    return writer.bytes
  }

  /// Reads bytes that are one header and nothing else.
  public init(decoding bytes: [UInt8]) throws(FormatError) {
    var reader = ByteReader(bytes)
    try self.init(from: &reader)
    try reader.expectEnd()
  }

  func write(to writer: inout ByteWriter) {
    writer.block(document.name.utf8)
    writer.fixed64(document.lineage.rawValue)
    writer.fixed64(span.replica.rawValue)
    writer.varint32(span.seqs.lowerBound)
    writer.varint32(span.seqs.upperBound - span.seqs.lowerBound)
  }

  init(from reader: inout ByteReader) throws(FormatError) {
    let start = reader.offset
    guard let name = DocumentName(utf8: Array(try reader.block("document name"))) else {
      throw FormatError(.badValue, at: start, field: "document name")
    }
    let lineage = Lineage(rawValue: try reader.fixed64("lineage"))
    let replica = ReplicaID(rawValue: try reader.fixed64("replica"))
    let place = reader.offset
    let first = try reader.varint32("first sequence number")
    let count = try reader.varint32("event count")
    guard count > 0, first < 1 << 31, count <= 1 << 31 - first else {
      throw FormatError(.badValue, at: place, field: "sequence numbers")
    }
    document = DocumentKey(name: name, lineage: lineage)
    span = EventSpan(replica: replica, seqs: first..<first + count)
  }
}
