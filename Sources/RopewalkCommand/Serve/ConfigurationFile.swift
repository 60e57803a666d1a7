import Foundation

/// A file of `key = value` lines under `[section]` lines. Lines that are empty or begin with `#` do not
/// count; a value may stand in double quotes, which are taken off.
struct ConfigurationFile: Sendable {
  struct Line: Equatable, Sendable {
    let number: Int
    let section: String
    let key: String
    let value: String
  }

  let path: String
  let lines: [Line]

  init(path: String) throws {
    guard let data = FileManager.default.contents(atPath: path),
      let text = String(validating: data, as: UTF8.self)
    else { throw Failure(.file, "the configuration file \(path) cannot be read") }
    try self.init(path: path, text: text)
  }

  init(path: String, text: String) throws {
    self.path = path
    var lines: [Line] = []
    var section: String?
    for (index, line) in text.components(separatedBy: "\n").enumerated() {
      let line = line.trimmingCharacters(in: .whitespaces.union(CharacterSet(charactersIn: "\r")))
      let place = "\(path):\(index + 1)"
      if line.isEmpty || line.hasPrefix("#") { continue }
      if line.hasPrefix("["), line.hasSuffix("]") {
        section = String(line.dropFirst().dropLast())
        continue
      }
      guard let equals = line.firstIndex(of: "=") else {
        throw Failure(.usage, "\(place): a line is [section], key = value, or begins with #")
      }
      guard let section else { throw Failure(.usage, "\(place): a section comes first, as in [relay]") }
      let key = line[..<equals].trimmingCharacters(in: .whitespaces)
      var value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
      if value.count > 1, value.hasPrefix("\""), value.hasSuffix("\"") {
        value = String(value.dropFirst().dropLast())
      }
      if let earlier = lines.first(where: { $0.key == key && $0.section == section }) {
        throw Failure(.usage, "\(place): \(key) was set in line \(earlier.number) already")
      }
      lines.append(Line(number: index + 1, section: section, key: key, value: value))
    }
    self.lines = lines
  }

  /// Applies every line.
  func apply(to settings: inout ServeSettings, _ all: [Setting] = Setting.all) throws {
    for line in lines {
      let place = "\(path):\(line.number)"
      let section = all.filter { $0.section == line.section }
      guard !section.isEmpty else {
        let known = Self.unique(all.map(\.section)).joined(separator: ", ")
        throw Failure(.usage, "\(place): there is no section [\(line.section)]; there are \(known)")
      }
      guard let setting = section.first(where: { $0.key == line.key }) else {
        let known = section.map(\.key).joined(separator: ", ")
        throw Failure(.usage, "\(place): [\(line.section)] has no \(line.key); it has \(known)")
      }
      try settings.set(setting, to: line.value, at: place, named: "\(place): \(line.key)")
    }
  }

  private static func unique(_ names: [String]) -> [String] {
    names.enumerated().filter { names.firstIndex(of: $1) == $0 }.map(\.element)
  }
}
