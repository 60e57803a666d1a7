import CMemory
import Foundation

/// A server that runs as a process of its own, and what the system says of it.
final class ServerProcess {
  private let process = Process()
  private let input = Pipe()
  let port: Int
  var identifier: Int32 { process.processIdentifier }

  /// Starts it and waits until it says where it listens.
  init(_ program: URL, _ arguments: [String]) throws {
    let pipe = Pipe()
    // It stops when this process is gone, however that ends, since then its input ends.
    process.standardInput = input
    process.executableURL = program
    process.arguments = arguments
    process.standardOutput = pipe
    try process.run()
    let words = "listening on ws://127.0.0.1:"
    var said = ""
    while let port = Self.port(in: said, after: words), port == 0 || !said.contains("\n") {
      let more = pipe.fileHandleForReading.availableData
      if more.isEmpty { throw LoadError("\(program.lastPathComponent) did not start: \(said)") }
      said += String(decoding: more, as: UTF8.self)
    }
    port = Self.port(in: said, after: words) ?? 0
    // What it says later must not block it.
    pipe.fileHandleForReading.readabilityHandler = { handle in
      if handle.availableData.isEmpty { handle.readabilityHandler = nil }
    }
  }

  deinit { end(SIGKILL) }

  private static func port(in text: String, after words: String) -> Int? {
    guard let range = text.range(of: words) else { return 0 }
    return Int(text[range.upperBound...].prefix { $0.isNumber })
  }

  /// Ends it by a signal, and returns when it is gone.
  func end(_ signal: Int32) {
    guard process.isRunning else { return }
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
  }

  /// Processor time so far, in seconds.
  var processorSeconds: Double { ProcessFigures.processorSeconds(of: "\(identifier)") }

  /// Resident memory now, in bytes.
  var residentBytes: Int { ProcessFigures.status("VmRSS", of: "\(identifier)") }

  /// The most resident memory so far, in bytes.
  var peakBytes: Int { ProcessFigures.status("VmHWM", of: "\(identifier)") }
}

/// What `/proc` says of a process; zero where there is none.
enum ProcessFigures {
  /// Processor time of this process, in seconds.
  static var ownProcessorSeconds: Double { processorSeconds(of: "self") }

  static func processorSeconds(of process: String) -> Double {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return 0 }
    // After the name: state is the first, user and system time the 12th and 13th, in ticks.
    let fields = text[end...].split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  static func status(_ field: String, of process: String) -> Int {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else { return 0 }
    for line in text.split(separator: "\n") where line.hasPrefix(field + ":") {
      return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
        ?? 0
    }
    return 0
  }

  /// Allows this process and those it starts as many open files as the system lets it.
  static func raiseFileLimit() -> Int {
    var limit = rlimit()
    #if os(Linux)
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
      let resource = RLIMIT_NOFILE
    #endif
    guard getrlimit(resource, &limit) == 0 else { return 0 }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(resource, &limit)
    getrlimit(resource, &limit)
    return Int(clamping: limit.rlim_cur)
  }
}
