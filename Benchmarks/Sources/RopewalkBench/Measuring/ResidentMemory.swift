import CMemory
import Foundation

/// Real resident memory of this process, in bytes, as the system counts it.
enum ResidentMemory {
  /// The most there ever was since the program began.
  static var peak: Int { status("VmHWM") ?? resourceUsage }

  /// What there is now, after freed memory was given back.
  static var now: Int {
    ropewalk_trim_memory()
    return status("VmRSS") ?? resourceUsage
  }

  private static func status(_ field: String) -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix(field + ":") {
      return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }
    return nil
  }

  /// Where there is no /proc: the peak, in bytes on Apple's systems.
  private static var resourceUsage: Int {
    #if os(Linux)
      return 0
    #else
      var usage = rusage()
      getrusage(RUSAGE_SELF, &usage)
      return Int(usage.ru_maxrss)
    #endif
  }
}
