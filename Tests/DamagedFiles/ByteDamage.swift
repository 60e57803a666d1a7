/// What becomes of bytes on bad disks, in interrupted copies and in the hands of people who mean harm.
public enum ByteDamage {
  /// Numbers at which code that reads sizes likes to go wrong.
  static let edges: [UInt64] = [
    0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, 0xffff_ffff_ffff_ffff,
  ]

  /// Cut short, longer, with bits flipped, with bytes or a stretch overwritten, with a number set to an
  /// edge, with a stretch copied to another place, or random altogether. Never the same bytes but by
  /// chance.
  public static func damage(_ bytes: inout [UInt8], using random: inout DamageRandom) {
    guard !bytes.isEmpty else { return bytes = random.bytes(1 + random.below(40)) }
    switch random.below(16) {
    case 0: bytes.removeLast(1 + random.below(bytes.count))
    case 1: bytes += random.bytes(1 + random.below(40))
    case 2: bytes = random.bytes(random.below(bytes.count + 40))
    case 3, 4:
      let start = random.below(bytes.count)
      for place in start..<min(bytes.count, start + 1 + random.below(100)) {
        bytes[place] = UInt8(truncatingIfNeeded: random.next())
      }
    case 5, 6: setEdge(&bytes, at: random.below(bytes.count), using: &random)
    case 7:
      let count = 1 + random.below(min(bytes.count, 64))
      let (from, to) = (random.below(bytes.count - count + 1), random.below(bytes.count - count + 1))
      bytes.replaceSubrange(to..<to + count, with: Array(bytes[from..<from + count]))
    case 8...11:
      for _ in 0...random.below(8) { bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8)) }
    default:
      for _ in 0...random.below(8) {
        bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
      }
    }
  }

  /// Writes an edge over one, two, four or eight bytes, the most significant first.
  static func setEdge(_ bytes: inout [UInt8], at place: Int, using random: inout DamageRandom) {
    let edge = edges[random.below(edges.count)]
    let width = 1 << random.below(4)
    for index in 0..<width where place + index < bytes.count {
      bytes[place + index] = UInt8(truncatingIfNeeded: edge >> UInt64(8 * (width - 1 - index)))
    }
  }
}
