import RopewalkTraces

/// One session played several times end to end, which should cost as much per event as once.
struct RepetitionResult: Encodable {
  let trace: String
  let times: Int
  let events: Int
  let ok: Bool
  let totalMs: Double
  let totalMsMedian: Double
  let nsPerEvent: Double
  let updateBytes: Int

  static func measure(_ trace: Trace, name: String, times: Int, runs: Int) throws -> RepetitionResult {
    let prepared = try PreparedTrace(trace.repeated(times), name: "\(name) × \(times)")
    let timing = try ReplayTiming(prepared.update.bytes, expected: prepared.expected, runs: runs) {
      Terminal.progress("\(prepared.name): replaying, \($0) of \(runs)")
    }
    let events = prepared.trace.eventCount
    return RepetitionResult(
      trace: name, times: times, events: events, ok: timing.isCorrect,
      totalMs: timing.total.minimum * 1e3, totalMsMedian: timing.total.median * 1e3,
      nsPerEvent: timing.total.minimum * 1e9 / Double(max(1, events)),
      updateBytes: prepared.update.bytes.count)
  }

  static func table(_ results: [RepetitionResult]) -> Table {
    var table = Table("trace", "times", "events", "ok", "total ms", "median", "ns/event", "update bytes")
    for one in results {
      table.add(
        one.trace, grouped(one.times), grouped(one.events), one.ok ? "yes" : "NO", number(one.totalMs),
        number(one.totalMsMedian), number(one.nsPerEvent), grouped(one.updateBytes))
    }
    return table
  }

  static func checks(_ results: [RepetitionResult]) -> [GrowthCheck] {
    var names: [String] = []
    for one in results where !names.contains(one.trace) { names.append(one.trace) }
    return names.compactMap { name in
      GrowthCheck(
        name, results.filter { $0.trace == name }.map { (Double($0.events), $0.totalMs) })
    }
  }
}
