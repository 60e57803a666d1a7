import Foundation

/// Powers of ten laid along a length.
struct LogScale {
  private let lowest: Double
  private let highest: Double
  private let start: Double
  private let end: Double

  /// From the power of ten below the least to that above the largest of the values.
  init(_ values: [Double], from start: Double, to end: Double) {
    let positive = values.filter { $0 > 0 && $0.isFinite }
    lowest = floor(log10(positive.min() ?? 1))
    highest = max(ceil(log10(positive.max() ?? 10)), lowest + 1)
    self.start = start
    self.end = end
  }

  func place(_ value: Double) -> Double {
    start + (log10(max(value, pow(10, lowest))) - lowest) / (highest - lowest) * (end - start)
  }

  /// Every power of ten inside.
  var ticks: [Double] { stride(from: lowest, through: highest, by: 1).map { pow(10, $0) } }

  /// A power of ten for people.
  static func label(_ value: Double) -> String {
    switch value {
    case 1e6...: "\(grouped(Int((value / 1e6).rounded()))) M"
    case 1...: grouped(Int(value.rounded()))
    default: String(format: "%g", value)
    }
  }
}
