/// Events as bytes: self-contained, versioned, checksummed; see `Spec/update-format.md`.
///
/// An update that holds one span (events of one replica) is canonical: whoever encodes these events, and
/// whenever, gets the same bytes.
public struct Update: Hashable, Sendable {
  /// The encoded form.
  public let bytes: [UInt8]
  /// The lineage of the document it belongs to.
  public let lineage: Lineage
  /// The events inside: one span per replica, in order of first appearance.
  public let spans: [EventSpan]

  static let magic: UInt8 = 0x52  // R
  static let version: UInt8 = 1
  static let seededFlag: UInt8 = 0x80

  /// Takes in bytes from outside. Checks size, checksum and header; the columns are checked when a document
  /// applies the update. O(n).
  public init(bytes: [UInt8], budget: DecodingBudget = .standard) throws(FormatError) {
    guard bytes.count <= budget.maximumBytes else {
      throw FormatError(.overLimit, at: 0, field: "update.size")
    }
    guard bytes.count >= 7 else { throw FormatError(.truncated, at: bytes.count, field: "update.header") }
    guard bytes[0] == Self.magic else { throw FormatError(.badMagic, at: 0, field: "update.magic") }
    guard bytes[1] & ~Self.seededFlag == Self.version else {
      throw FormatError(.unsupportedVersion, at: 1, field: "update.version")
    }
    var trailer = ByteReader(bytes[(bytes.count - 4)...])
    guard try trailer.fixed32("update.checksum") == crc32c(bytes[..<(bytes.count - 4)]) else {
      throw FormatError(.badChecksum, at: bytes.count - 4, field: "update.checksum")
    }
    var reader = ByteReader(bytes[..<(bytes.count - 4)])
    let header = try UpdateHeader(&reader)
    self.bytes = bytes
    lineage = header.lineage
    spans = header.spans
  }

  /// Wraps bytes that the encoder made.
  init(encoded bytes: [UInt8], lineage: Lineage, spans: [EventSpan]) {
    self.bytes = bytes
    self.lineage = lineage
    self.spans = spans
  }

  /// Whether there is no event inside.
  public var isEmpty: Bool { spans.isEmpty }

  /// Compares the bytes.
  public static func == (a: Update, b: Update) -> Bool { a.bytes == b.bytes }
  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

/// What stands before an update's columns.
struct UpdateHeader {
  var lineage: Lineage
  /// Replicas with events inside, then those that only occur as parents.
  var replicas: [ReplicaID]
  /// Of the first replicas, what is inside.
  var spans: [EventSpan]
  var runCount: Int

  init(_ reader: inout ByteReader) throws(FormatError) {
    _ = try reader.byte("update.magic")
    let isSeeded = try reader.byte("update.version") & Update.seededFlag != 0
    lineage = isSeeded ? Lineage(rawValue: try reader.fixed64("update.lineage")) : .blank
    guard !isSeeded || lineage != .blank else {
      throw FormatError(.notCanonical, at: 2, field: "update.lineage")
    }
    let authorCount = try reader.count("update.authors", unit: 10)
    replicas = []
    spans = []
    var events: UInt64 = 0
    for _ in 0..<authorCount {
      let start = reader.offset
      let replica = ReplicaID(rawValue: try reader.fixed64("update.author"))
      let first = try reader.varint32("update.seq")
      let count = try reader.varint32("update.count")
      guard count > 0, UInt64(first) + UInt64(count) <= UInt64(EventID.seqLimit) else {
        throw FormatError(.badValue, at: start, field: "update.count")
      }
      events += UInt64(count)
      replicas.append(replica)
      spans.append(EventSpan(replica: replica, seqs: first..<first + count))
    }
    guard events < UInt64(EventID.seqLimit) else {
      throw FormatError(.overLimit, at: reader.offset, field: "update.count")
    }
    let otherCount = try reader.count("update.others", unit: 8)
    for _ in 0..<otherCount { replicas.append(ReplicaID(rawValue: try reader.fixed64("update.other"))) }
    var seen = Set<ReplicaID>(minimumCapacity: replicas.count)
    for replica in replicas where !seen.insert(replica).inserted {
      throw FormatError(.badValue, at: reader.offset, field: "update.replicas")
    }
    let start = reader.offset
    runCount = try reader.count("update.runs")
    guard (runCount == 0) == spans.isEmpty, runCount >= spans.count else {
      throw FormatError(.badValue, at: start, field: "update.runs")
    }
  }
}
