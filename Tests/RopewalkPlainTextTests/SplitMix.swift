import Foundation

/// Reproducible random numbers.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// The seed of a run: `ROPEWALK_SEED`, or a fresh one, printed.
func testSeed(_ test: String = #function) -> UInt64 {
  let seed =
    ProcessInfo.processInfo.environment["ROPEWALK_SEED"].flatMap { UInt64($0) }
    ?? UInt64.random(in: 0 ... .max)
  print("\(test): ROPEWALK_SEED=\(seed)")
  return seed
}
