import ArgumentParser
import RopewalkTraces

/// Compares the engine with recorded merges.
struct ConformCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conform",
    abstract: "Check the merge order against a file of recorded cases.",
    discussion: """
      A case is a random history of concurrent edits and the text it must merge to. Prints `N of M agree`; exits \
      with 1 if not all do, naming the first few.
      """)

  @Argument(help: "A conformance file, .json or .json.zst.", completion: .file(extensions: ["json", "zst"]))
  var file: String

  func run() throws {
    let cases = try ConformanceCase.read(path: file)
    let report = Conformance(cases)
    let console = Console.standard
    console.line("\(report.agreeing) of \(cases.count) agree")
    for line in report.namedDifferences { console.problem(line) }
    if !report.differences.isEmpty { throw ExitCode(Failure.Code.checkFailed.rawValue) }
  }
}

/// What came of playing every case.
struct Conformance {
  /// The cases that do not agree, by number from 0, and how.
  private(set) var differences: [(index: Int, words: String)] = []
  private(set) var agreeing = 0

  init(_ cases: [ConformanceCase]) {
    for (index, item) in cases.enumerated() {
      do {
        let text = try item.merge().text
        if text.unicodeScalars.elementsEqual(item.endText.unicodeScalars) {
          agreeing += 1
        } else {
          differences.append((index, Self.difference(text, item.endText)))
        }
      } catch {
        differences.append((index, error.description))
      }
    }
  }

  /// The first few, and how many more.
  var namedDifferences: [String] {
    let shown = differences.prefix(5).map { "case \($0.index): \($0.words)" }
    return differences.count > 5 ? shown + ["and \(differences.count - 5) more"] : shown
  }

  private static func difference(_ found: String, _ expected: String) -> String {
    let place = zip(found.unicodeScalars, expected.unicodeScalars).prefix { $0 == $1 }.count
    let (count, wanted) = (found.unicodeScalars.count, expected.unicodeScalars.count)
    return "differs from scalar \(place) on"
      + (count == wanted ? "" : "; \(count) scalars instead of \(wanted)")
  }
}
