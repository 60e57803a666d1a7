import Foundation

/// A relay in a process of its own, to be killed without warning.
actor RelayProcess {
  private let dataDirectory: String
  private let executable: String
  private var process: ChildProcess?
  private var port = 0

  /// Where clients connect.
  private(set) var url = ""

  init(dataDirectory: String, executable: String = RelayProcess.thisExecutable) {
    self.dataDirectory = dataDirectory
    self.executable = executable
  }

  /// The program that is running.
  static var thisExecutable: String {
    #if os(Linux)
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        ?? CommandLine.arguments[0]
    #else
      Bundle.main.executablePath ?? CommandLine.arguments[0]
    #endif
  }

  /// Starts it, on the same port as before if there was one, and returns when it listens.
  func start() async throws {
    let process = try ChildProcess(
      executable, ["serve", "--data", dataDirectory, "--listen", "127.0.0.1:\(port)"], sharesProblems: true)
    let words = "listening on "
    guard let line = await process.output.line(beginning: words) else {
      throw Failure(.other, "the relay did not start")
    }
    self.process = process
    url = String(line.dropFirst(words.count))
    port = URL(string: url)?.port ?? port
  }

  /// Ends it as `kill -9` does.
  func kill() async { await end(SIGKILL) }

  /// Ends it cleanly.
  func stop() async { await end(SIGTERM) }

  private func end(_ signal: Int32) async {
    process?.signal(signal)
    _ = await process?.end()
    process = nil
  }
}
