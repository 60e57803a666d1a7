/// The lengths of a piece of text in the units that callers count in, as the lanes of a `SumTree.Sum`.
enum TextMetrics {
  static let scalars = 0
  static let utf8 = 1
  static let utf16 = 2

  /// Measures well-formed UTF-8. O(n).
  @inline(__always)
  static func measure(_ bytes: UnsafeBufferPointer<UInt8>) -> SumTree.Sum {
    if bytes.count >= 16, isAscii(bytes) {
      let count = UInt32(bytes.count)
      return SumTree.Sum(count, count, count, 0)
    }
    var continuations: UInt32 = 0
    var pairs: UInt32 = 0
    for byte in bytes {
      continuations &+= byte & 0xc0 == 0x80 ? 1 : 0
      pairs &+= byte >= 0xf0 ? 1 : 0
    }
    let scalars = UInt32(bytes.count) &- continuations
    return SumTree.Sum(scalars, UInt32(bytes.count), scalars &+ pairs, 0)
  }

  /// The byte offset of scalar `index` in well-formed UTF-8; `index` may be the number of scalars. O(n).
  @inline(__always)
  static func byteOffset(ofScalar index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var offset = 0
    var left = index
    while left >= 8, offset + 8 <= bytes.count, isAscii8(bytes, at: offset) {
      offset += 8
      left -= 8
    }
    while left > 0 {
      offset += width(bytes[offset])
      left -= 1
    }
    return offset
  }

  /// Whether eight bytes, which are there, stand for themselves.
  @inline(__always)
  private static func isAscii8(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> Bool {
    let word = UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    return word & 0x8080_8080_8080_8080 == 0
  }

  /// Bytes of the scalar that this byte leads.
  @inline(__always) static func width(_ lead: UInt8) -> Int {
    lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  }

  /// Whether every byte stands for itself. O(n).
  static func isAscii(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var all: UInt8 = 0
    for byte in bytes { all |= byte }
    return all < 0x80
  }

  /// Whether bytes are well-formed UTF-8 (no surrogates, no overlong forms, nothing above U+10FFFF); else
  /// the offset of the first fault.
  static func firstFault(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    var index = 0
    let count = bytes.count
    while index < count {
      let lead = bytes[index]
      if lead < 0x80 {
        index += 1
        while index &+ 8 <= count, isAscii8(bytes, at: index) { index &+= 8 }
        continue
      }
      let width: Int
      var low: UInt8 = 0x80
      var high: UInt8 = 0xbf
      switch lead {
      case 0xc2...0xdf: width = 2
      case 0xe0: (width, low) = (3, 0xa0)
      case 0xed: (width, high) = (3, 0x9f)
      case 0xe1...0xef: width = 3
      case 0xf0: (width, low) = (4, 0x90)
      case 0xf4: (width, high) = (4, 0x8f)
      case 0xf1...0xf3: width = 4
      default: return index
      }
      guard index + width <= count, bytes[index + 1] >= low, bytes[index + 1] <= high else { return index }
      for follower in 2..<max(2, width) where bytes[index + follower] & 0xc0 != 0x80 { return index }
      index += width
    }
    return nil
  }
}
