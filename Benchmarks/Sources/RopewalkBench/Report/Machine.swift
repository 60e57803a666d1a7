import Foundation

/// What a report was made on.
struct Machine {
  let processor: String
  let cores: Int
  let memoryGiB: Int
  let system: String
  let swift: String
  let commit: String
  let day: String

  static func here() -> Machine {
    Machine(
      processor: value("model name", in: "/proc/cpuinfo", separator: ":") ?? "unknown processor",
      cores: ProcessInfo.processInfo.activeProcessorCount,
      memoryGiB: Int((Double(ProcessInfo.processInfo.physicalMemory) / Double(1 << 30)).rounded()),
      system: value("PRETTY_NAME", in: "/etc/os-release", separator: "=")
        ?? ProcessInfo.processInfo.operatingSystemVersionString,
      swift: firstLine(["swift", "--version"]) ?? "unknown Swift",
      commit: firstLine(["git", "rev-parse", "--short", "HEAD"]) ?? "unknown commit",
      day: String(Date().ISO8601Format().prefix(10)))
  }

  var markdown: String {
    "\(processor), \(cores) cores, \(memoryGiB) GiB, \(system), \(swift). Commit \(commit), \(day)."
  }

  private static func firstLine(_ command: [String]) -> String? {
    let output = try? Child.output(of: URL(fileURLWithPath: "/usr/bin/env"), command)
    return output.flatMap { String(decoding: $0, as: UTF8.self).split(separator: "\n").first }.map(
      String.init)
  }

  private static func value(_ field: String, in path: String, separator: Character) -> String? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix(field) {
      guard let value = line.split(separator: separator, maxSplits: 1).last else { continue }
      return value.trimmingCharacters(in: CharacterSet(charactersIn: "\" \t"))
    }
    return nil
  }
}
