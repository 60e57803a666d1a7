import Foundation
import Testing

@testable import RopewalkCommand

/// The built `ropewalk`, run as people run it.
enum Tool {
  /// Beside the test runner.
  static let executable: String = {
    var folder = URL(fileURLWithPath: RelayProcess.thisExecutable).deletingLastPathComponent()
    #if !os(Linux)
      // Inside a bundle, and possibly started by another program.
      while folder.path != "/",
        !FileManager.default.fileExists(atPath: folder.appendingPathComponent("ropewalk").path)
      {
        folder = folder.deletingLastPathComponent()
      }
    #endif
    return folder.appendingPathComponent("ropewalk").path
  }()

  struct Outcome: Equatable {
    var status: Int32
    var output: String
    var problems: String
  }

  /// Runs to the end.
  static func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Outcome {
    try await run(arguments, environment: environment)
  }

  static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Outcome {
    let running = try RunningTool(arguments, environment: environment)
    return await running.end()
  }
}

/// A `ropewalk` that is running. Killed when it is let go of.
struct RunningTool {
  private let process: ChildProcess

  init(_ arguments: [String], environment: [String: String] = [:]) throws {
    var all = ProcessInfo.processInfo.environment
    for name in ["ROPEWALK_RELAY", "ROPEWALK_TOKEN"] { all[name] = nil }
    all["COLUMNS"] = "80"
    process = try ChildProcess(Tool.executable, arguments, environment: all.merging(environment) { $1 })
  }

  /// Waits for a line of output that begins so, and returns it.
  func line(beginning prefix: String) async throws -> String {
    if let found = await process.output.line(beginning: prefix) { return found }
    throw Failure(.other, "no line begins with '\(prefix)': \(await end())")
  }

  /// Waits for a line about a problem that begins so, and returns it.
  func problem(beginning prefix: String) async throws -> String {
    if let found = await process.problems.line(beginning: prefix) { return found }
    throw Failure(.other, "no problem begins with '\(prefix)': \(await end())")
  }

  /// Waits until a text stands in what it has said of problems.
  func problem(containing text: String) async throws {
    await process.problems.wait { $0.contains(text) }
    if process.problems.text.contains(text) { return }
    throw Failure(.other, "no problem contains '\(text)': \(await end())")
  }

  func signal(_ number: Int32) { process.signal(number) }

  /// Ends it as a power cut would, and returns when it is gone.
  func killAndWait() async {
    process.signal(SIGKILL)
    _ = await process.end()
  }

  /// Waits for its end.
  func end() async -> Tool.Outcome {
    let status = await process.end()
    return Tool.Outcome(status: status, output: process.output.text, problems: process.problems.text)
  }
}
