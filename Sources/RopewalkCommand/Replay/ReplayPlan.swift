import RopewalkTraces

/// How a trace is played: what is disturbed, and when.
struct ReplayPlan: Equatable {
  /// How many stretches an author is disconnected for.
  var offlineStretches = 0
  /// How often the relay is killed and started again.
  var relayKills = 0
  /// How often a client is dropped and opened again.
  var clientKills = 0
  /// The most patches in one edit.
  var patchesPerEdit = 500
  /// Whether an edit must survive a power cut, not only a killed process, before the author goes on.
  var survivesPowerCut = false

  /// A part of a transaction, written as one edit.
  struct Step: Equatable {
    let transaction: Int
    let patches: Range<Int>
    var isFirst: Bool { patches.lowerBound == 0 }
  }

  /// The trace cut into edits.
  func steps(of trace: Trace) -> [Step] {
    var steps: [Step] = []
    for (index, transaction) in trace.transactions.enumerated() {
      var start = 0
      repeat {
        let end = min(transaction.patches.count, start + patchesPerEdit)
        steps.append(Step(transaction: index, patches: start..<end))
        start = end
      } while start < transaction.patches.count
    }
    return steps
  }

  /// Before which of `count` steps something happens that happens `times` times, evenly spread.
  static func moments(_ times: Int, of count: Int) -> Set<Int> {
    guard times > 0, count > 0 else { return [] }
    return Set((1...times).map { $0 * count / (times + 1) })
  }
}
