import Foundation
import Logging
import RopewalkRelay
import RopewalkSync

/// What `ropewalk serve` goes by, put together from flags, environment and file.
struct ServeSettings: Sendable {
  var configuration = Relay.Configuration(dataDirectory: "")
  var keyEnvironment: String?
  var logLevel = Logger.Level.warning
  var logFormat = LogFormat.text

  enum LogFormat: String, CaseIterable { case text, json }
}

/// One thing that can be set: as `key = value` under `[section]` in a file, as `--key`, and as
/// `ROPEWALK_KEY`.
struct Setting: Sendable {
  let section: String
  let key: String
  /// Completes the sentence "KEY is …".
  let allowed: String
  /// False for a value that is not allowed.
  let apply: @Sendable (_ value: String, _ settings: inout ServeSettings) -> Bool

  var variable: String { "ROPEWALK_" + key.uppercased().replacing("-", with: "_") }

  /// A number in a range.
  static func number(
    _ section: String, _ key: String, _ range: ClosedRange<Int>, of what: String,
    _ set: @escaping @Sendable (inout ServeSettings, Int) -> Void
  ) -> Setting {
    Setting(
      section: section, key: key, allowed: "\(what), from \(range.lowerBound) to \(range.upperBound)"
    ) { value, settings in
      guard let number = Int(value), range.contains(number) else { return false }
      set(&settings, number)
      return true
    }
  }

  /// A number of bytes, with or without a unit.
  static func bytes(
    _ section: String, _ key: String, _ range: ClosedRange<Int>, of what: String,
    _ set: @escaping @Sendable (inout ServeSettings, Int) -> Void
  ) -> Setting {
    Setting(
      section: section, key: key,
      allowed: "\(what): bytes from \(range.lowerBound) to \(range.upperBound), as in 65536, 64KiB or 4MiB"
    ) { value, settings in
      guard let number = Units.bytes(value), range.contains(number) else { return false }
      set(&settings, number)
      return true
    }
  }

  /// A duration, in milliseconds.
  static func duration(
    _ section: String, _ key: String, _ range: ClosedRange<UInt64>, of what: String,
    _ set: @escaping @Sendable (inout ServeSettings, UInt64) -> Void
  ) -> Setting {
    Setting(
      section: section, key: key, allowed: "\(what): a duration, as in 500ms, 10s, 5m, 12h or 90d"
    ) { value, settings in
      guard let milliseconds = Units.milliseconds(value), range.contains(milliseconds) else { return false }
      set(&settings, milliseconds)
      return true
    }
  }

  /// A text that is not empty.
  static func text(
    _ section: String, _ key: String, _ allowed: String,
    _ set: @escaping @Sendable (inout ServeSettings, String) -> Void
  ) -> Setting {
    Setting(section: section, key: key, allowed: allowed) { value, settings in
      guard !value.isEmpty else { return false }
      set(&settings, value)
      return true
    }
  }
}

/// Amounts with units.
enum Units {
  static func bytes(_ text: String) -> Int? {
    amount(text, ["": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30])
  }

  static func milliseconds(_ text: String) -> UInt64? {
    amount(text, ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]).map { UInt64($0) }
  }

  private static func amount(_ text: String, _ units: [String: Int]) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(digits.count).drop { $0 == " " }
    guard let number = Int(digits), let factor = units[String(unit)] else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
  }
}
