import NIOCore

/// Everything that is counted, one set per event loop.
struct Meters: Sendable {
  let commits = CommitMeter()
  private let loops: [ObjectIdentifier: LoopMeters]
  /// For what runs on no loop of the relay's, which does not happen.
  private let elsewhere = LoopMeters()

  init(loops: [any EventLoop]) {
    self.loops = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0), LoopMeters()) })
  }

  subscript(loop: any EventLoop) -> LoopMeters { loops[ObjectIdentifier(loop)] ?? elsewhere }

  /// The sum over all loops.
  func sum(_ counter: (LoopMeters) -> UInt64) -> UInt64 { loops.values.reduce(0) { $0 + counter($1) } }

  /// Refusals by reason, summed over all loops.
  var refusals: [(reason: RefusalReason, count: UInt64)] {
    let counts = loops.values.map(\.refusalCounts)
    return RefusalReason.allCases.enumerated().map { index, reason in
      (reason, counts.reduce(0) { $0 + $1[index] })
    }
  }
}
