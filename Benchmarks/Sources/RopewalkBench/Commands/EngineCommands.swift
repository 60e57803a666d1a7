import ArgumentParser
import RopewalkTraces

/// Trace files on a command line.
struct TraceArguments: ParsableArguments {
  @Argument(help: "Traces, sequential or concurrent, .json or .json.zst.", completion: .file())
  var files: [String]
}

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Whole histories: update bytes in memory to text.")
  @OptionGroup var traces: TraceArguments
  @OptionGroup var output: OutputOptions

  func run() throws {
    let results = try output.report(
      traces.files.lazy.map { file in
        { try ReplayResult.measure(PreparedTrace(path: file), runs: output.runs) }
      }, table: ReplayResult.table)
    try checked(results.allSatisfy(\.ok))
  }
}

struct EditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edit", abstract: "Sequential traces, typed one edit at a time.")
  @OptionGroup var traces: TraceArguments
  @OptionGroup var output: OutputOptions

  func run() throws {
    let results = try output.report(
      traces.files.lazy.map { file in
        {
          try EditResult.measure(
            Trace(path: file), name: PreparedTrace.name(of: file), runs: output.runs)
        }
      }, table: EditResult.table)
    try checked(results.allSatisfy(\.ok))
  }
}

struct OpenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "open", abstract: "Saved documents: snapshot to text, and the first edit after.")
  @OptionGroup var traces: TraceArguments
  @OptionGroup var output: OutputOptions

  func run() throws {
    let results = try output.report(
      traces.files.lazy.map { file in
        { try OpenResult.measure(PreparedTrace(path: file), runs: output.runs) }
      }, table: OpenResult.table)
    try checked(results.allSatisfy(\.ok))
  }
}

struct SizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "size", abstract: "Bytes of whole histories, plain and as stored.")
  @OptionGroup var traces: TraceArguments
  @OptionGroup var output: OutputOptions

  func run() throws {
    let results = try output.report(
      traces.files.lazy.map { file in { try SizeResult.measure(PreparedTrace(path: file)) } },
      table: SizeResult.table)
    try checked(results.allSatisfy(\.ok))
  }
}

struct MemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memory", abstract: "Real resident memory, while replaying and at rest.")
  @OptionGroup var traces: TraceArguments
  @OptionGroup var output: OutputOptions

  func run() throws {
    let results = try output.report(
      traces.files.lazy.map { file in
        { try MemoryResult.measure(PreparedTrace(path: file), runs: output.runs) }
      }, table: MemoryResult.table)
    try checked(results.allSatisfy(\.ok))
  }
}

/// Ends with exit code 1 where a result was wrong, after all were printed.
func checked(_ isCorrect: Bool) throws {
  guard isCorrect else {
    Terminal.problem("a result is wrong; see the column `ok`")
    throw ExitCode.failure
  }
}
