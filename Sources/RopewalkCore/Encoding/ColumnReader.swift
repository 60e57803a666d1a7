/// A cursor over one column of an update, as plain memory; valid while the update's bytes are lent out.
struct ColumnReader {
  private let base: UnsafePointer<UInt8>
  private(set) var offset: Int
  private let end: Int

  /// Reads `range` of some bytes; offsets count from their start.
  init(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
    // An update is never empty, so its bytes have an address.
    base = bytes.baseAddress.unsafelyUnwrapped
    offset = range.lowerBound
    end = range.upperBound
  }

  @inline(__always) var remaining: Int { end &- offset }

  /// A varint in its shortest form.
  @inline(__always)
  mutating func varint(_ field: StaticString) throws(FormatError) -> UInt64 {
    guard offset < end else { throw FormatError(.truncated, at: offset, field: field) }
    let first = base[offset]
    if first < 0x80 {
      offset &+= 1
      return UInt64(first)
    }
    let (value, end) = try Self.longVarint(base, offset, self.end, field)
    offset = end
    return value
  }

  /// A varint that must fit 32 bits.
  @inline(__always)
  mutating func varint32(_ field: StaticString) throws(FormatError) -> UInt32 {
    let start = offset
    let value = try varint(field)
    guard value >> 32 == 0 else { throw FormatError(.badValue, at: start, field: field) }
    return UInt32(truncatingIfNeeded: value)
  }

  /// Returns the number, and where it ends. Not a method, so that a reader's numbers may stay in registers.
  @inline(never)
  private static func longVarint(
    _ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ field: StaticString
  ) throws(FormatError) -> (value: UInt64, end: Int) {
    var offset = start
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while offset < end {
      let next = base[offset]
      offset += 1
      if shift == 63 && next > 1 { break }
      value |= UInt64(next & 0x7f) << shift
      if next < 0x80 {
        if next == 0 { break }
        return (value, offset)
      }
      shift += 7
      if shift > 63 { break }
    }
    throw FormatError(offset == end && shift < 63 ? .truncated : .badValue, at: start, field: field)
  }

  /// Throws unless everything was read.
  func expectEnd(_ field: StaticString) throws(FormatError) {
    guard offset == end else { throw FormatError(.trailingBytes, at: offset, field: field) }
  }
}
