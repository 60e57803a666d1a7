import Foundation

/// Processor time of this thread in seconds: what the work cost, whoever else was using the machine.
func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Processor time of some work, in seconds.
func processorSeconds<Failure: Error>(of work: () throws(Failure) -> Void) throws(Failure) -> Double {
  let start = processorSeconds()
  try work()
  return processorSeconds() - start
}

/// Several runs of one measurement.
struct Samples {
  private(set) var seconds: [Double] = []

  mutating func add(_ value: Double) { seconds.append(value) }

  /// Whether it was measured as often as asked for, and what is short (less than 100 ms in all) up to ten times as
  /// often: one late tick of the machine is a large part of it. The peers' script does the same.
  func areEnough(of runs: Int) -> Bool {
    guard seconds.count >= runs else { return false }
    return seconds.count >= runs * 10 || seconds.reduce(0, +) >= 0.1
  }

  var minimum: Double { seconds.min() ?? .nan }

  var median: Double {
    guard !seconds.isEmpty else { return .nan }
    let sorted = seconds.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// What the noise of a shared machine adds is never negative, so the minimum is the figure and the median tells how
  /// noisy it was.
  var milliseconds: (minimum: Double, median: Double) { (minimum * 1e3, median * 1e3) }
}

/// Says what the optimiser cannot see through, so that work whose result nobody uses is done all the same.
@inline(never) func keep<Value>(_ value: Value) { withExtendedLifetime(value) {} }
