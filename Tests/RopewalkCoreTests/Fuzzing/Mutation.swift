/// Damages bytes as links, disks and attackers do.
enum Mutation {
  /// - Parameter others: well-formed inputs to splice with.
  static func mutate(_ bytes: [UInt8], with others: [[UInt8]], using random: inout SplitMix) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<1 + min(random.below(4), random.below(4)) { once(&bytes, others, &random) }
    return bytes
  }

  private static func once(_ bytes: inout [UInt8], _ others: [[UInt8]], _ random: inout SplitMix) {
    guard !bytes.isEmpty else {
      bytes = (0..<random.below(40)).map { _ in UInt8.random(in: 0...255, using: &random) }
      return
    }
    let at = random.below(bytes.count)
    let length = min(bytes.count - at, 1 + random.below(random.chance(80) ? 4 : 64))
    switch random.below(10) {
    case 0: bytes[at] ^= 1 << UInt8(random.below(8))
    case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
    case 2: bytes[at] = [0, 1, 2, 3, 0x7f, 0x80, 0xfe, 0xff][random.below(8)]
    case 3: bytes[at] &+= random.chance(50) ? 1 : 0xff
    case 4: bytes.removeSubrange(at..<at + length)
    case 5: bytes.insert(contentsOf: bytes[at..<at + length], at: random.below(bytes.count))
    case 6: bytes.insert(contentsOf: hugeVarint(&random), at: at)
    case 7: if random.chance(30) { bytes.removeSubrange(at...) }
    case 8:
      // A varint gets another value and keeps its place.
      let end = bytes[at...].firstIndex { $0 < 0x80 }.map { $0 + 1 } ?? bytes.count
      bytes.replaceSubrange(at..<end, with: hugeVarint(&random))
    default:
      guard let other = others.randomElement(using: &random), !other.isEmpty else { return }
      let from = random.below(other.count)
      let part = other[from..<min(other.count, from + length * 4)]
      bytes.replaceSubrange(at..<at + (random.chance(50) ? length : 0), with: part)
    }
  }

  private static func hugeVarint(_ random: inout SplitMix) -> [UInt8] {
    var value = random.next() >> UInt64(random.below(64))
    if random.chance(40) { value = 1 << UInt64(random.below(64)) &+ UInt64(random.below(3)) &- 1 }
    return ReferenceEncoder.varint(value)
  }

  /// The same bytes with a checksum at the end that is right.
  static func repaired(_ bytes: [UInt8]) -> [UInt8] {
    let body = bytes.dropLast(4)
    let sum = ReferenceEncoder.castagnoli(body)
    return body + (0..<4).map { UInt8(truncatingIfNeeded: sum >> (8 * UInt32($0))) }
  }
}
