import Foundation
import Logging
import RopewalkPlainText
import RopewalkRelay
import RopewalkSync

/// What `ropewalk serve` goes by, put together from flags, environment and file.
struct ServeSettings: Sendable {
  var configuration = Relay.Configuration(dataDirectory: "")
  var secretEnvironment: String?
  var logLevel = Logger.Level.warning
  var logFormat = LogFormat.text
  /// Where each setting that was set was set last, and as what.
  private(set) var sources: [String: Source] = [:]

  struct Source: Equatable {
    /// A file and a line, a variable, or a flag.
    let place: String
    let value: String
  }

  enum LogFormat: String, CaseIterable { case text, json }

  /// Sets one, and remembers where; throws if the value is not allowed.
  mutating func set(_ setting: Setting, to value: String, at place: String, named name: String) throws {
    // A variable that was set from a file with CRLF lines would carry the CR into names and paths.
    let isPlain = !value.unicodeScalars.contains { $0.properties.generalCategory == .control }
    guard isPlain, setting.apply(value, &self) else {
      let shown = value.isEmpty ? "empty" : isPlain ? "'\(value)'" : VisibleName.text(value)
      throw Failure(.usage, "\(name) is \(setting.allowed); it was \(shown)")
    }
    sources[setting.key] = Source(place: place, value: value)
  }

  /// What a relay says of these settings, with the places where what it is about was set.
  func failure(_ error: RelayError) -> Failure {
    let places = Setting.all.compactMap { setting in
      sources[setting.key].flatMap { Self.concerns(error, setting.key, $0.value) ? $0.place : nil }
    }
    let code: Failure.Code = if case .badSetting = error { .usage } else { .file }
    return Failure(code, (places.isEmpty ? "" : places.joined(separator: ", ") + ": ") + error.description)
  }

  private static func concerns(_ error: RelayError, _ key: String, _ value: String) -> Bool {
    switch error {
    case .badSetting(_, let names): names.contains(key)
    case .keyRequired: key == "listen"
    case .cannotListen(let host, let port, _):
      (key == "listen" || key == "metrics-listen")
        && ListenAddress(argument: value).map { $0.host == host && $0.port == port } ?? false
    case .keyMissing(let variable), .keyVariableDamaged(let variable, _):
      key == "secret-environment" && value == variable
    case .secretUnusable, .keyTooShort: key == "secret-environment"
    case .keyUnreadable(let path), .keyFileDamaged(let path, _), .revocationFileDamaged(let path, _, _),
      .revocationFileUnusable(let path), .certificateUnusable(let path, _), .dataDirectoryUnusable(let path),
      .dataDirectoryInUse(let path), .dataDirectoryOpen(let path, _):
      value.utf8.elementsEqual(path.utf8)
    case .logUnusable(let path, _), .logTooNew(let path, _), .logAltered(let path, _):
      key == "data" && path.hasPrefix(value)
    case .auditUnreadable: false
    }
  }
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
