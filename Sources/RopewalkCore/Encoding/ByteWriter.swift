/// Builds bytes as `ByteReader` reads them.
public struct ByteWriter {
  /// What was written so far.
  public private(set) var bytes: [UInt8] = []

  /// An empty writer.
  public init() {}

  /// Makes room for `count` further bytes.
  public mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

  /// One byte.
  public mutating func byte(_ value: UInt8) { bytes.append(value) }

  /// A varint in its shortest form.
  public mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// A varint in its shortest form.
  public mutating func varint32(_ value: UInt32) {
    if value < 0x80 { bytes.append(UInt8(truncatingIfNeeded: value)) } else { varint(UInt64(value)) }
  }

  /// Four bytes, little-endian.
  public mutating func fixed32(_ value: UInt32) {
    bytes.append(UInt8(truncatingIfNeeded: value))
    bytes.append(UInt8(truncatingIfNeeded: value >> 8))
    bytes.append(UInt8(truncatingIfNeeded: value >> 16))
    bytes.append(UInt8(truncatingIfNeeded: value >> 24))
  }

  /// Eight bytes, little-endian.
  public mutating func fixed64(_ value: UInt64) {
    fixed32(UInt32(truncatingIfNeeded: value))
    fixed32(UInt32(truncatingIfNeeded: value >> 32))
  }

  /// The bytes alone.
  public mutating func append(_ content: some Collection<UInt8>) { bytes.append(contentsOf: content) }

  /// A varint size, then the bytes.
  public mutating func block(_ content: some Collection<UInt8>) {
    varint(UInt64(content.count))
    bytes.append(contentsOf: content)
  }
}
