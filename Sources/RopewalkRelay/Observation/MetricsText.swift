/// The text format of Prometheus, version 0.0.4.
struct MetricsText {
  private(set) var text = ""

  enum Kind: String { case counter, gauge, histogram }

  /// One metric with one value.
  mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: some CustomStringConvertible) {
    head(name, kind, help)
    text += "\(name) \(value)\n"
  }

  /// One metric with a value per label.
  mutating func add(
    _ name: String, _ kind: Kind, _ help: String, label: String, _ values: [(String, UInt64)]
  ) {
    head(name, kind, help)
    for (labelled, value) in values { text += "\(name){\(label)=\"\(Self.escaped(labelled))\"} \(value)\n" }
  }

  /// Times, in seconds.
  mutating func add(_ name: String, _ help: String, _ times: TimeHistogram) {
    head(name, .histogram, help)
    var total: UInt64 = 0
    for (bound, count) in zip(TimeHistogram.bounds, times.counts) {
      total += count
      text += "\(name)_bucket{le=\"\(Self.seconds(bound))\"} \(total)\n"
    }
    total = times.counts.reduce(0, +)
    text += "\(name)_bucket{le=\"+Inf\"} \(total)\n\(name)_sum \(Self.seconds(times.sum))\n"
    text += "\(name)_count \(total)\n"
  }

  private mutating func head(_ name: String, _ kind: Kind, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
  }

  static func seconds(_ microseconds: UInt64) -> Double { Double(microseconds) / 1e6 }

  private static func escaped(_ value: String) -> String {
    value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
