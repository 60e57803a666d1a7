import ArgumentParser
import Ropewalk

/// Shows who wrote what when.
struct LogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Show a document's history: who, when, how much; oldest first.")

  @OptionGroup var replica: ReplicaArgument
  @OptionGroup var document: DocumentOptions

  @Option(name: .shortAndLong, help: "Only the last so many entries.")
  var last: Int?

  func validate() throws {
    if let last, last < 1 { throw ValidationError("--last takes a number from 1 on.") }
  }

  func run() throws {
    let entries = try document.find(in: replica.open()).history()
    for entry in entries.suffix(last ?? entries.count) { Console.standard.line(Self.line(entry)) }
  }

  static func line(_ entry: HistoryEntry) -> String {
    let origin =
      switch entry.origin {
      case .edit: "here"
      case .relay: entry.subject ?? "others"
      case .file: "from a file"
      case .seed: "seed"
      }
    let receipt = entry.cursor.map { "at relay #\($0)" } ?? "on this device"
    let writer = Wording.id(entry.span.replica.rawValue)
    return
      "\(Wording.time(milliseconds: entry.time.upperBound))  \(origin)  +\(entry.inserted) -\(entry.deleted)"
      + "  \(writer)@\(entry.span.seqs.lowerBound)..<\(entry.span.seqs.upperBound)  \(receipt)"
  }
}
