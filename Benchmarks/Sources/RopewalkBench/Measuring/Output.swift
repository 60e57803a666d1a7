import ArgumentParser
import Foundation

/// How a command says what it found.
struct OutputOptions: ParsableArguments {
  @Flag(name: .long, help: "Print one JSON object a line instead of a table.")
  var json = false

  @Option(name: .long, help: ArgumentHelp("How often each thing is measured.", valueName: "n"))
  var runs = 5

  func validate() throws {
    guard runs > 0 else { throw ValidationError("--runs must be positive.") }
  }

  /// Prints results: as JSON each as soon as it is there, as a table all at the end.
  func report<Result: Encodable>(
    _ results: some Sequence<() throws -> Result?>, table: ([Result]) -> Table, notes: [String] = []
  ) throws -> [Result] {
    var all: [Result] = []
    for measure in results {
      guard let result = try measure() else { continue }
      Terminal.clearProgress()
      if json { try Terminal.line(jsonLine(result)) }
      all.append(result)
    }
    Terminal.clearProgress()
    if !json {
      Terminal.line(table(all).plain)
      for note in notes { Terminal.line(note) }
    }
    return all
  }
}

/// One value as one line; names in snake case.
func jsonLine(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.keyEncodingStrategy = .convertToSnakeCase
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}
