import RopewalkCore

extension TextPatch {
  /// The one patch that makes `old` into `new`: what lies between their common beginning and their common
  /// end. Nil if they are equal. Both in UTF-8; O(n).
  static func difference(from old: [UInt8], to new: [UInt8]) -> TextPatch? {
    if old == new { return nil }
    let shorter = min(old.count, new.count)
    var start = 0
    while start < shorter, old[start] == new[start] { start += 1 }
    // Back to the start of a scalar.
    while start > 0, isInsideScalar(old, start) || isInsideScalar(new, start) { start -= 1 }
    var end = 0
    while end < shorter - start, old[old.count - 1 - end] == new[new.count - 1 - end] { end += 1 }
    while end > 0, isInsideScalar(old, old.count - end) || isInsideScalar(new, new.count - end) { end -= 1 }
    return TextPatch(
      position: scalars(old[..<start]), deleted: scalars(old[start..<old.count - end]),
      inserted: Array(new[start..<new.count - end]))
  }

  private static func isInsideScalar(_ text: [UInt8], _ offset: Int) -> Bool {
    offset < text.count && text[offset] & 0xc0 == 0x80
  }

  /// How many scalars well-formed UTF-8 has.
  static func scalars(_ text: ArraySlice<UInt8>) -> Int {
    text.reduce(0) { $1 & 0xc0 == 0x80 ? $0 : $0 + 1 }
  }
}
