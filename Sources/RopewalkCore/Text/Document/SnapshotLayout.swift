/// Where the parts of a snapshot stand in its bytes; see `Spec/update-format.md`.
struct SnapshotLayout {
  static let magic: UInt8 = 0x53  // S
  static let formatVersion: UInt8 = 2
  static let irregularFlag: UInt8 = 1
  static let seededFlag: UInt8 = 2

  /// The flag of `TextHistory`.
  let isIrregular: Bool
  let moment: Moment
  let text: Range<Int>
  let waiting: [Range<Int>]
  let history: Range<Int>

  /// What the history comes to.
  struct Moment: Equatable {
    let lineage: Lineage
    let version: Version
    let vector: VersionVector
  }

  /// Checks everything but the history, which has a checksum of its own. O(n), without the history's size.
  init(_ bytes: [UInt8], budget: DecodingBudget) throws(FormatError) {
    guard bytes.count <= budget.maximumBytes else {
      throw FormatError(.overLimit, at: 0, field: "snapshot.size")
    }
    guard bytes.count >= 8 else { throw FormatError(.truncated, at: bytes.count, field: "snapshot.header") }
    guard bytes[0] == Self.magic else { throw FormatError(.badMagic, at: 0, field: "snapshot.magic") }
    guard bytes[1] == Self.formatVersion else {
      throw FormatError(.unsupportedVersion, at: 1, field: "snapshot.version")
    }
    var reader = ByteReader(bytes)
    _ = try reader.bytes(2, "snapshot.magic")
    let flags = try reader.byte("snapshot.flags")
    guard flags & ~(Self.irregularFlag | Self.seededFlag) == 0 else {
      throw FormatError(.badValue, at: 2, field: "snapshot.flags")
    }
    isIrregular = flags & Self.irregularFlag != 0
    let isSeeded = flags & Self.seededFlag != 0
    let lineage = isSeeded ? Lineage(rawValue: try reader.fixed64("snapshot.lineage")) : .blank
    guard !isSeeded || lineage != .blank else {
      throw FormatError(.notCanonical, at: 3, field: "snapshot.lineage")
    }
    let version = try reader.block("snapshot.moment")
    let vector = try reader.block("snapshot.vector")
    text = try reader.blockRange("snapshot.text")
    waiting = try Self.readWaiting(&reader)
    let end = reader.offset
    _ = try reader.fixed32("snapshot.checksum")
    try Self.check(bytes, upTo: end)
    history = reader.offset..<bytes.count
    moment = Moment(
      lineage: lineage, version: try Version(encoded: Array(version)),
      vector: try VersionVector(encoded: Array(vector)))
    let fault = bytes[text].withUnsafeBufferPointer { TextMetrics.firstFault($0) }
    if let fault { throw FormatError(.badValue, at: text.lowerBound + fault, field: "snapshot.text") }
    guard text.count < TextDocument.contentLimit else {
      throw FormatError(.overLimit, at: text.lowerBound, field: "snapshot.text")
    }
  }

  private static func check(_ bytes: [UInt8], upTo end: Int) throws(FormatError) {
    var trailer = ByteReader(bytes[end...])
    guard try trailer.fixed32("snapshot.checksum") == crc32c(bytes[..<end]) else {
      throw FormatError(.badChecksum, at: end, field: "snapshot.checksum")
    }
  }

  private static func readWaiting(_ reader: inout ByteReader) throws(FormatError) -> [Range<Int>] {
    let count = try reader.count("snapshot.waiting")
    var waiting: [Range<Int>] = []
    for _ in 0..<count { waiting.append(try reader.blockRange("snapshot.waiting")) }
    return waiting
  }
}
