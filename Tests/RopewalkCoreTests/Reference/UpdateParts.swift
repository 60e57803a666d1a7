/// An update taken apart by `Spec/update-format.md`: every number that its bytes hold, and nothing that follows from
/// them. So a part can be changed, and sizes and checksum still be right.
struct UpdateParts: Equatable {
  struct Author: Equatable {
    var replica: UInt64
    var first: UInt64
    var count: UInt64
  }

  var lineage: UInt64?
  var authors: [Author] = []
  var others: [UInt64] = []
  /// One number per run, written or not.
  var runAuthors: [UInt64] = []
  var runLengths: [UInt64] = []
  var parents: [UInt64] = []
  var operations: [UInt64] = []
  var positions: [UInt64] = []
  var content: [UInt8] = []

  init() {}

  /// Nil for bytes that do not have an update's outer form. The checksum is not looked at.
  init?(_ bytes: [UInt8]) {
    guard bytes.count > 6, bytes[0] == 0x52, bytes[1] & 0x7f == 1 else { return nil }
    var reader = Reader(bytes: bytes[2..<bytes.count - 4])
    do {
      if bytes[1] & 0x80 != 0 { lineage = try reader.fixed64() }
      for _ in 0..<(try reader.count()) {
        authors.append(
          Author(replica: try reader.fixed64(), first: try reader.varint(), count: try reader.varint()))
      }
      for _ in 0..<(try reader.count()) { others.append(try reader.fixed64()) }
      let runs = try reader.count()
      runAuthors = Array(repeating: 0, count: runs)
      if authors.count > 1 { runAuthors = try reader.column() }
      runLengths = authors.first.map { [$0.count] } ?? []
      if runs > 1 { runLengths = try reader.column() }
      (parents, operations, positions) = (try reader.column(), try reader.column(), try reader.column())
      content = Array(try reader.block())
      guard runs == runAuthors.count, runs == runLengths.count, reader.bytes.isEmpty else { return nil }
    } catch { return nil }
  }

  var bytes: [UInt8] {
    var out: [UInt8] = [0x52, lineage == nil ? 1 : 0x81]
    func number(_ value: UInt64) { out += ReferenceEncoder.varint(value) }
    func fixed(_ value: UInt64) {
      for place in 0..<8 { out.append(UInt8(value >> (8 * UInt64(place)) & 0xff)) }
    }
    func block(_ bytes: [UInt8]) {
      number(UInt64(bytes.count))
      out += bytes
    }
    if let lineage { fixed(lineage) }
    number(UInt64(authors.count))
    for author in authors {
      fixed(author.replica)
      number(author.first)
      number(author.count)
    }
    number(UInt64(others.count))
    for other in others { fixed(other) }
    number(UInt64(runLengths.count))
    if authors.count > 1 { block(runAuthors.flatMap(ReferenceEncoder.varint)) }
    if runLengths.count > 1 { block(runLengths.flatMap(ReferenceEncoder.varint)) }
    for column in [parents, operations, positions] { block(column.flatMap(ReferenceEncoder.varint)) }
    block(content)
    return Mutation.repaired(out + [0, 0, 0, 0])
  }

  /// Reads numbers in any form, so that what is overlong shows when they are written again.
  private struct Reader {
    var bytes: ArraySlice<UInt8>

    struct Ended: Error {}

    mutating func byte() throws -> UInt8 {
      guard let first = bytes.popFirst() else { throw Ended() }
      return first
    }

    mutating func varint() throws -> UInt64 {
      var (value, shift): (UInt64, UInt64) = (0, 0)
      while true {
        let next = try byte()
        if shift < 64 { value |= UInt64(next & 0x7f) << shift }
        shift += 7
        if next < 0x80 { return value }
      }
    }

    mutating func fixed64() throws -> UInt64 {
      var value: UInt64 = 0
      for place in 0..<8 { value |= UInt64(try byte()) << (8 * UInt64(place)) }
      return value
    }

    mutating func count() throws -> Int {
      guard let count = Int(exactly: try varint()), count <= bytes.count else { throw Ended() }
      return count
    }

    mutating func block() throws -> ArraySlice<UInt8> {
      let count = try count()
      defer { bytes = bytes.dropFirst(count) }
      return bytes.prefix(count)
    }

    mutating func column() throws -> [UInt64] {
      var column = Reader(bytes: try block())
      var numbers: [UInt64] = []
      while !column.bytes.isEmpty { numbers.append(try column.varint()) }
      return numbers
    }
  }
}
