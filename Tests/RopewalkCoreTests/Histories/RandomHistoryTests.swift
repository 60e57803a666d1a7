import Foundation
import Testing

/// Thousands of small random histories through the public face, compared with the reference at every step.
///
/// `ROPEWALK_SEED=n` plays one history again; `ROPEWALK_HISTORIES=n` sets how many are played.
@Suite struct RandomHistoryTests {
  @Test func documentsShowWhatTheReferenceSays() {
    let seeds = RandomSeeds(default: 2000)
    for seed in seeds {
      guard let failure = Self.failure(Plan.random(seed: seed), seed: seed) else { continue }
      let plan = Plan.random(seed: seed).shrunk { Self.failure($0, seed: seed) != nil }
      let steps = plan.steps.map { "  \($0)" }.joined(separator: "\n")
      let shortest = Self.failure(plan, seed: seed) ?? failure
      Issue.record("ROPEWALK_SEED=\(seed), \(plan.peers) peers:\n\(steps)\n\(shortest)")
      return
    }
  }

  private static func failure(_ plan: Plan, seed: UInt64) -> String? {
    do {
      try PlanPlayer.play(plan, seed: seed)
      return nil
    } catch { return "\(error)" }
  }
}

/// Seeds for a test, printed so that a failure can be played again.
struct RandomSeeds: Sequence {
  let first: UInt64
  let count: Int

  init(default count: Int) {
    let environment = ProcessInfo.processInfo.environment
    if let seed = environment["ROPEWALK_SEED"].flatMap({ UInt64($0) }) {
      first = seed
      self.count = 1
    } else {
      first = UInt64.random(in: 0..<1 << 32) << 20
      self.count = environment["ROPEWALK_HISTORIES"].flatMap { Int($0) } ?? count
    }
    print("random histories: seeds \(first) ..< \(first + UInt64(self.count)); ROPEWALK_SEED plays one again")
  }

  func makeIterator() -> AnyIterator<UInt64> {
    var next = 0
    return AnyIterator {
      guard next < count else { return nil }
      defer { next += 1 }
      return first + UInt64(next)
    }
  }
}
