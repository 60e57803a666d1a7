import ArgumentParser

struct OTCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ot", abstract: "Ropewalk beside server-authoritative operational transformation.")
  @Flag(help: "Smaller sizes, for a look.") var quick = false
  @OptionGroup var output: OutputOptions

  func run() throws {
    let comparison = try OTComparison.measure(quick: quick, runs: output.runs) { section in
      if output.json { for line in try section.lines() { Terminal.line(line) } }
    }
    Terminal.clearProgress()
    if !output.json {
      for section in comparison.sections {
        Terminal.line(section.table.plain)
        for check in section.checks { Terminal.line(check.sentence) }
        Terminal.line()
      }
    }
    try checked(comparison.sections.allSatisfy(\.isCorrect))
  }
}
