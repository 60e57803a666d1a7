import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// Many damaged inputs, one after the other, each drawn from a number of its own: `ROPEWALK_MUTATIONS=N`
/// sets how many, `ROPEWALK_SEED=S` the first one's number, so that with N = 1 a single input is drawn
/// again.
///
/// `ROPEWALK_MUTATION_PATIENCE=SECONDS` sets how long an input may take, for runs that are stopped and go on.
///
/// An input that takes long, or after which the process has grown much, is a failure: this is where reading
/// the clock is the point.
public struct DamageRun {
  /// What went wrong besides what the inputs' own checks say.
  public struct Failure: Error, CustomStringConvertible {
    /// A sentence that names the input.
    public let description: String
  }

  private let name: String
  private let count: Int
  private let first: UInt64
  /// The process may grow by this many bytes once the first inputs have been through; by more where other
  /// tests run beside this one.
  private let growth: Int

  /// A run of `count` inputs unless the environment asks for another number.
  public init(_ name: String, count: Int) {
    let environment = ProcessInfo.processInfo.environment
    self.name = name
    self.count = environment["ROPEWALK_MUTATIONS"].flatMap { Int($0) } ?? count
    patience = environment["ROPEWALK_MUTATION_PATIENCE"].flatMap { Double($0) } ?? 20
    growth = environment["ROPEWALK_MUTATIONS"] == nil ? 1 << 30 : 128 << 20
    first = environment["ROPEWALK_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...1 << 48)
    print("\(name): ROPEWALK_SEED=\(first)")
  }

  /// The slowest input may take this long, in seconds.
  private let patience: Double

  /// Calls `body` for each input, with its number and random numbers of its own.
  public func forEach(
    _ body: (_ seed: UInt64, _ random: inout DamageRandom) async throws -> Void
  ) async throws {
    let began = ProcessInfo.processInfo.systemUptime
    var (slowest, level, last) = (0.0, 0, began)
    for number in 0..<count {
      let seed = first &+ UInt64(number)
      var random = DamageRandom(seed: seed)
      try await body(seed, &random)
      let now = ProcessInfo.processInfo.systemUptime
      slowest = max(slowest, now - last)
      if now - last > patience {
        throw Failure(description: "\(name): ROPEWALK_SEED=\(seed) took \(Int(now - last)) s")
      }
      last = now
      let peak = Self.peakBytes
      if number < 200 { level = peak }
      if peak > level + growth {
        throw Failure(
          description: "\(name): the process had grown to \(peak) bytes after ROPEWALK_SEED=\(seed)")
      }
      if (number + 1) % 50_000 == 0 { report(number + 1, now - began, slowest) }
    }
    report(count, ProcessInfo.processInfo.systemUptime - began, slowest)
  }

  private func report(_ done: Int, _ seconds: Double, _ slowest: Double) {
    guard count >= 50_000 else { return }
    print(
      "\(name): \(done) inputs, \(Int(seconds)) s, slowest \(Int(slowest * 1000)) ms, peak \(Self.peakBytes >> 20) MiB"
    )
    fflush(nil)
  }

  /// The largest size that the process ever had in memory.
  private static var peakBytes: Int {
    var usage = rusage()
    #if os(Linux)
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return usage.ru_maxrss << 10
    #else
      getrusage(RUSAGE_SELF, &usage)
      return usage.ru_maxrss
    #endif
  }
}

/// SplitMix64.
public struct DamageRandom: RandomNumberGenerator {
  private var state: UInt64

  /// Draws from a seed.
  public init(seed: UInt64) { state = seed }

  /// The next number.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }

  /// One of `0..<count`; `count` is positive.
  public mutating func below(_ count: Int) -> Int { Int(truncatingIfNeeded: next() >> 1) % count }

  /// True once in `count` times.
  public mutating func once(in count: Int) -> Bool { below(count) == 0 }

  /// Random bytes.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}
