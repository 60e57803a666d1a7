import ArgumentParser
import RopewalkTraces

struct OfflineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "offline", abstract: "Two replicas with n edits each, merged.")
  @Option(help: ArgumentHelp("Edits of each branch, once or more.", valueName: "n"))
  var edits: [Int] = [1_000, 10_000, 100_000, 1_000_000]
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard edits.allSatisfy({ $0 > 0 && $0 < 1 << 29 }) else {
      throw ValidationError("--edits must be positive and below 2^29.")
    }
  }

  func run() throws {
    let cases = EditingStyle.allCases.flatMap { style in edits.map { (style, $0) } }
    let results = try output.report(
      cases.lazy.map { style, count in
        { try OfflineResult.measure(style, edits: count, runs: count < 500_000 ? output.runs : 2) }
      }, table: OfflineResult.table)
    try reportGrowth(GrowthCheck.checks(results), output)
    try checked(results.allSatisfy(\.ok))
  }
}

struct GrowthCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "growth", abstract: "A trace repeated end to end: the time per event should stay level.")
  @OptionGroup var traces: TraceArguments
  @Option(help: ArgumentHelp("How often the trace is repeated, once or more.", valueName: "n"))
  var times: [Int] = [1, 5, 25]
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard times.allSatisfy({ (1...1000).contains($0) }) else {
      throw ValidationError("--times must lie in 1...1000.")
    }
  }

  func run() throws {
    let cases = traces.files.flatMap { file in times.map { (file, $0) } }
    let results = try output.report(
      cases.lazy.map { file, count in
        {
          try RepetitionResult.measure(
            Trace(path: file), name: PreparedTrace.name(of: file), times: count, runs: output.runs)
        }
      }, table: RepetitionResult.table)
    try reportGrowth(RepetitionResult.checks(results), output)
    try checked(results.allSatisfy(\.ok))
  }
}

struct HurtCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hurt", abstract: "Histories made to hurt, of n, 2n and 4n updates: time per update.")
  @Option(help: ArgumentHelp("Updates of the smallest size.", valueName: "n"))
  var updates = 1_000
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (40...100_000).contains(updates) else {
      throw ValidationError("--updates must lie in 40...100000.")
    }
  }

  func run() throws {
    let cases = HurtfulShape.allCases.flatMap { shape in [1, 2, 4].map { (shape, updates * $0) } }
    let results = try output.report(
      cases.lazy.map { shape, count in
        { try HurtResult.measure(shape, updates: count, runs: output.runs) }
      }, table: HurtResult.table)
    try reportGrowth(HurtResult.checks(results), output)
  }
}

struct KeystrokeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keystroke", abstract: "A peer's keystroke, applied to a document of a megabyte.")
  @OptionGroup var output: OutputOptions

  func run() throws {
    let results = try output.report(
      [false, true].lazy.map { crossing in
        { try KeystrokeResult.measure(crossing: crossing, runs: output.runs) }
      }, table: KeystrokeResult.table)
    try checked(results.allSatisfy(\.ok))
  }
}

/// Prints how something grows, in the same form as the results before.
func reportGrowth(_ checks: [GrowthCheck], _ output: OutputOptions) throws {
  for check in checks { Terminal.line(output.json ? try jsonLine(check) : check.sentence) }
}
