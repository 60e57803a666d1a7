import Foundation

/// Numbers for people: three significant digits, thousands grouped.
func number(_ value: Double?) -> String {
  guard let value, value.isFinite else { return "–" }
  if value == 0 { return "0" }
  let magnitude = abs(value)
  if magnitude >= 1000 { return grouped(Int(value.rounded())) }
  return String(format: magnitude >= 99.95 ? "%.0f" : magnitude >= 9.995 ? "%.1f" : "%.2f", value)
}

/// A count with its thousands grouped.
func grouped(_ value: Int?) -> String {
  guard let value else { return "–" }
  var digits = Array(String(abs(value)))
  var place = digits.count - 3
  while place > 0 {
    digits.insert(",", at: place)
    place -= 3
  }
  return (value < 0 ? "-" : "") + String(digits)
}

/// Bytes in MiB.
func mebibytes(_ bytes: Int) -> Double { Double(bytes) / Double(1 << 20) }

/// The slope of y against x on logarithmic scales, by least squares: 1 where y grows as x.
func growthExponent(_ points: [(x: Double, y: Double)]) -> Double? {
  let logs = points.filter { $0.x > 0 && $0.y > 0 }.map { (x: log($0.x), y: log($0.y)) }
  guard logs.count > 1 else { return nil }
  let meanX = logs.reduce(0) { $0 + $1.x } / Double(logs.count)
  let meanY = logs.reduce(0) { $0 + $1.y } / Double(logs.count)
  let spread = logs.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
  return spread > 0 ? logs.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) } / spread : nil
}
