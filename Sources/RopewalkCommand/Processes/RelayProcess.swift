import Foundation

/// A relay in a process of its own, to be killed without warning. It ends when this process does, in
/// whatever way.
actor RelayProcess {
  private let dataDirectory: String
  private let executable: String
  private var process: ChildProcess?
  private var port = 0

  /// Where clients connect.
  private(set) var url = ""

  /// The process's number, while it runs.
  var identifier: pid_t? { process?.identifier }

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
  ///
  /// The port is not one of those that the system gives to connections: while the relay is dead, a client
  /// that tries to connect could be given the very port, and would keep the relay from coming back.
  func start() async throws {
    if port > 0 { return try await start(port: port) }
    var failure: (any Error)?
    for _ in 0..<20 {
      do {
        return try await start(port: Int.random(in: 20_000..<32_000))
      } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private func start(port: Int) async throws {
    let process = try ChildProcess(
      executable, ["serve", "--data", dataDirectory, "--listen", "127.0.0.1:\(port)", "--ends-with-input"],
      sharesProblems: self.port > 0, holdsInput: true)
    let words = "listening on "
    guard let line = await process.output.line(beginning: words) else {
      throw Failure(.other, "the relay did not start")
    }
    self.process = process
    url = String(line.dropFirst(words.count))
    self.port = port
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
