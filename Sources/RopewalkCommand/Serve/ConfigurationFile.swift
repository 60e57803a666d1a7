import RopewalkPlainText

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
    let file: TextFile
    do { file = try TextFile(path: path) } catch {
      switch error.problem {
      case .unreadable, .isFolder, .tooLarge:
        throw Failure(.file, "the configuration file \(path) cannot be read: \(error.reason)")
      default: throw Failure(.usage, "\(error)")
      }
    }
    try self.init(file)
  }

  init(_ file: TextFile) throws {
    path = file.path
    var lines: [Line] = []
    var section: String?
    for line in file.linesWithoutComments {
      let (number, bytes) = (line.number, line.bytes)
      let place = "\(path):\(number)"
      if bytes.first == 0x5b, bytes.last == 0x5d {
        section = Self.text(bytes.dropFirst().dropLast())
        continue
      }
      guard let equals = bytes.firstIndex(of: 0x3d) else {
        throw Failure(.usage, "\(place): a line is [section], key = value, or begins with #")
      }
      guard let section else { throw Failure(.usage, "\(place): a section comes first, as in [relay]") }
      let key = Self.text(bytes[..<equals])
      let value = try Self.value(bytes[bytes.index(after: equals)...], of: key, at: place)
      if let earlier = lines.first(where: { $0.key == key && $0.section == section }) {
        throw Failure(.usage, "\(place): \(key) was set in line \(earlier.number) already")
      }
      lines.append(Line(number: number, section: section, key: key, value: value))
    }
    self.lines = lines
  }

  /// A value in quotes is all between them. One without quotes holds none, and no ` #`: that would look like a
  /// comment and be part of the value.
  private static func value(_ bytes: ArraySlice<UInt8>, of key: String, at place: String) throws -> String {
    let value = trimmed(bytes)
    if value.first == 0x22 {
      let inner = value.dropFirst().dropLast()
      guard value.count > 1, value.last == 0x22, !inner.contains(0x22) else {
        throw Failure(.usage, "\(place): the quotes around the value of \(key) do not go together")
      }
      return String(decoding: inner, as: UTF8.self)
    }
    if value.first == 0x23 || zip(value, value.dropFirst()).contains(where: { isBlank($0) && $1 == 0x23 }) {
      throw Failure(
        .usage,
        "\(place): a comment has a line of its own; put the value of \(key) in double quotes if # belongs to it"
      )
    }
    return String(decoding: value, as: UTF8.self)
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var bytes = bytes.drop(while: isBlank)
    while let last = bytes.last, isBlank(last) { bytes.removeLast() }
    return bytes
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: trimmed(bytes), as: UTF8.self)
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
        if let home = all.first(where: { $0.key == line.key })?.section {
          throw Failure(.usage, "\(place): [\(line.section)] has no \(line.key); it belongs into [\(home)]")
        }
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
