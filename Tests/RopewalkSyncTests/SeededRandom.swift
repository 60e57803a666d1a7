import Foundation

/// SplitMix64: a failing run is repeated by its seed.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
  }
}

/// The seeds of a run: `ROPEWALK_SEED` repeats one, otherwise `count` seeds follow a fresh one, which is printed.
/// `ROPEWALK_RUNS=N` makes it N times as many.
func seeds(_ count: Int, _ name: String) -> [UInt64] {
  let environment = ProcessInfo.processInfo.environment
  if let seed = environment["ROPEWALK_SEED"].flatMap(UInt64.init) { return [seed] }
  let count = count * (environment["ROPEWALK_RUNS"].flatMap(Int.init) ?? 1)
  let first = UInt64.random(in: 0...UInt64.max >> 16)
  print("\(name): seeds from \(first); repeat one with ROPEWALK_SEED=N")
  return (0..<UInt64(count)).map { first + $0 }
}
