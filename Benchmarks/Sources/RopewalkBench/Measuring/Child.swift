import Foundation

/// A process of this same program that does one thing and says in one JSON object what it took.
enum Child {
  /// Runs `ropewalk-bench child ARGUMENTS…`.
  static func run<Answer: Decodable>(_ arguments: [String], as type: Answer.Type) throws -> Answer {
    let output = try output(of: executable, ["child"] + arguments)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: output)
  }

  /// What a program prints. Its error output goes to ours.
  static func output(of program: URL, _ arguments: [String]) throws -> Data {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = program
    process.arguments = arguments
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      throw BenchError("\(program.lastPathComponent) \(arguments.first ?? "") failed")
    }
    return output
  }

  static var executable: URL {
    URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0])
  }

  /// Bytes in a temporary file, for a child to read.
  static func withFile<Result>(_ bytes: [UInt8], _ body: (String) throws -> Result) throws -> Result {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("ropewalk-\(UUID().uuidString)")
    try Data(bytes).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    return try body(url.path)
  }
}

/// Why a measurement could not be made; a line for people.
struct BenchError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
