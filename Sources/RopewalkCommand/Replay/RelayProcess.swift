import Foundation

/// A relay in a process of its own, to be killed without warning.
actor RelayProcess {
  private let dataDirectory: String
  private let executable: String
  private var process: Process?
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
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = ["serve", "--data", dataDirectory, "--listen", "127.0.0.1:\(port)"]
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    do { try process.run() } catch {
      throw Failure(.other, "the relay cannot be started from \(executable)")
    }
    self.process = process
    guard let line = await Self.firstLine(output.fileHandleForReading), line.hasPrefix("listening on ") else {
      process.terminate()
      throw Failure(.other, "the relay did not start")
    }
    url = String(line.dropFirst("listening on ".count))
    port = URL(string: url)?.port ?? port
  }

  /// Ends it as `kill -9` does.
  func kill() {
    guard let process else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    self.process = nil
  }

  /// Ends it cleanly.
  func stop() {
    process?.terminate()
    process?.waitUntilExit()
    process = nil
  }

  private static func firstLine(_ handle: FileHandle) async -> String? {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        var bytes: [UInt8] = []
        while let next = try? handle.read(upToCount: 1), let byte = next.first {
          if byte == 0x0a { break }
          bytes.append(byte)
        }
        continuation.resume(returning: bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self))
      }
    }
  }
}
