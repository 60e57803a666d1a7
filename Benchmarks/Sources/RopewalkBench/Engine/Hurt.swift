import RopewalkCore

/// What it takes to merge a history that is made to hurt.
struct HurtResult: Encodable {
  let shape: HurtfulShape
  let updates: Int
  let totalMs: Double
  let totalMsMedian: Double
  let usPerUpdate: Double

  static func measure(_ shape: HurtfulShape, updates count: Int, runs: Int) throws -> HurtResult {
    let history = try shape.history(of: count)
    var samples = Samples()
    for run in 1...runs {
      Terminal.progress("\(shape.rawValue) × \(count): merging, \(run) of \(runs)")
      let start = processorSeconds()
      keep(try history.merged())
      samples.add(processorSeconds() - start)
    }
    return HurtResult(
      shape: shape, updates: history.updates.count, totalMs: samples.milliseconds.minimum,
      totalMsMedian: samples.milliseconds.median,
      usPerUpdate: samples.minimum * 1e6 / Double(max(1, history.updates.count)))
  }

  static func table(_ results: [HurtResult]) -> Table {
    var table = Table("shape", "updates", "total ms", "median", "µs/update")
    for one in results {
      table.add(
        one.shape.rawValue, grouped(one.updates), number(one.totalMs), number(one.totalMsMedian),
        number(one.usPerUpdate))
    }
    return table
  }

  static func checks(_ results: [HurtResult]) -> [GrowthCheck] {
    HurtfulShape.allCases.compactMap { shape in
      GrowthCheck(
        shape.rawValue, results.filter { $0.shape == shape }.map { (Double($0.updates), $0.totalMs) })
    }
  }
}
