/// A cursor over bytes from outside. Every read names the field it reads, checks the bounds, and throws
/// `FormatError` instead of trapping.
///
/// Integers are LEB128 varints in their shortest form, or little-endian when fixed.
public struct ByteReader {
  private let input: ArraySlice<UInt8>
  private var position: Int

  /// Reads from the start of `bytes`.
  public init(_ bytes: [UInt8]) { self.init(bytes[...]) }

  /// Reads from the start of `bytes`; offsets in errors count from there.
  public init(_ bytes: ArraySlice<UInt8>) {
    input = bytes
    position = bytes.startIndex
  }

  /// Bytes read so far.
  public var offset: Int { position - input.startIndex }

  /// Bytes left.
  public var remaining: Int { input.endIndex - position }

  /// One byte.
  public mutating func byte(_ field: StaticString) throws(FormatError) -> UInt8 {
    guard position < input.endIndex else { throw FormatError(.truncated, at: offset, field: field) }
    defer { position += 1 }
    return input[position]
  }

  /// A varint of at most ten bytes. An overlong form is a `badValue`.
  public mutating func varint(_ field: StaticString) throws(FormatError) -> UInt64 {
    let start = offset
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte(field)
      let bits = UInt64(next & 0x7f)
      if shift == 63 && bits > 1 { throw FormatError(.badValue, at: start, field: field) }
      value |= bits << shift
      if next < 0x80 {
        if next == 0 && shift > 0 { throw FormatError(.badValue, at: start, field: field) }
        return value
      }
      shift += 7
      if shift > 63 { throw FormatError(.badValue, at: start, field: field) }
    }
  }

  /// A varint that must fit 32 bits.
  public mutating func varint32(_ field: StaticString) throws(FormatError) -> UInt32 {
    let start = offset
    let value = try varint(field)
    guard let narrow = UInt32(exactly: value) else {
      throw FormatError(.badValue, at: start, field: field)
    }
    return narrow
  }

  /// A varint count or size of things that each take at least `unit` bytes of what is left.
  public mutating func count(_ field: StaticString, unit: Int = 1) throws(FormatError) -> Int {
    let start = offset
    let value = try varint(field)
    guard value <= UInt64(remaining / unit) else {
      throw FormatError(.truncated, at: start, field: field)
    }
    return Int(value)
  }

  /// Four bytes.
  public mutating func fixed32(_ field: StaticString) throws(FormatError) -> UInt32 {
    var value: UInt32 = 0
    for (place, next) in try bytes(4, field).enumerated() { value |= UInt32(next) << (8 * UInt32(place)) }
    return value
  }

  /// Eight bytes.
  public mutating func fixed64(_ field: StaticString) throws(FormatError) -> UInt64 {
    let low = try fixed32(field)
    return UInt64(low) | UInt64(try fixed32(field)) << 32
  }

  /// The next `count` bytes, shared with the input.
  public mutating func bytes(_ count: Int, _ field: StaticString) throws(FormatError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= remaining else { throw FormatError(.truncated, at: offset, field: field) }
    defer { position += count }
    return input[position..<position + count]
  }

  /// A varint size, then that many bytes.
  public mutating func block(_ field: StaticString) throws(FormatError) -> ArraySlice<UInt8> {
    try bytes(try count(field), field)
  }

  /// Passes over a varint size and that many bytes; returns where they stand.
  mutating func blockRange(_ field: StaticString) throws(FormatError) -> Range<Int> {
    let size = try count(field)
    let start = offset
    _ = try bytes(size, field)
    return start..<start + size
  }

  /// Throws `trailingBytes` unless everything was read.
  public func expectEnd() throws(FormatError) {
    guard remaining == 0 else { throw FormatError(.trailingBytes, at: offset, field: "end") }
  }
}
