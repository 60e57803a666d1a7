/// SplitMix64: small, seeded, the same everywhere.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number below `bound`, cheaply; the bias is far below what any measurement here could see.
  mutating func below(_ bound: Int) -> Int { Int(truncatingIfNeeded: (next() >> 33) % UInt64(max(1, bound))) }

  /// A lower-case letter, now and then a space.
  mutating func letter() -> String {
    let place = below(32)
    return place < 26 ? String(UnicodeScalar(UInt8(97 + place))) : " "
  }

  /// Letters and spaces.
  mutating func words(_ count: Int) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    for _ in 0..<count {
      let place = below(32)
      bytes.append(place < 26 ? UInt8(97 + place) : 32)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
