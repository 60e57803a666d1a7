import ArgumentParser
import Ropewalk
import RopewalkPlainText
import RopewalkSync

/// Shows who wrote what when.
struct LogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Show a document's history: who, when, how much; oldest first.",
    discussion: """
      Who pushed something is the relay's word; the number after that names the writing session (a replica's id), which is \
      one person's: what somebody carries of another's, after merging files, has a session of its own.

      Where documents that began with different texts have one name, their lineages are listed first.
      """)

  @OptionGroup var replica: ReplicaArgument
  @OptionGroup var document: DocumentOptions

  @Option(name: .shortAndLong, help: "Only the last so many entries.")
  var last: Int?

  func validate() throws {
    if let last, last < 1 { throw ValidationError("--last takes a number from 1 on.") }
  }

  func run() throws {
    let replica = try replica.open()
    let found = try document.find(in: replica)
    for line in try Wording.lineages(of: found, in: replica) { Console.standard.line(line) }
    let entries = try found.history()
    let names = VisibleNames(entries.compactMap(\.subject))
    for entry in entries.suffix(last ?? entries.count) {
      Console.standard.line(Self.line(entry, names))
    }
    let key = try found.status().key
    for held in try replica.held(in: found.room.text) where held.key == key {
      Console.standard.line("kept aside: \(Wording.held(held))")
    }
  }

  static func line(_ entry: HistoryEntry, _ names: VisibleNames) -> String {
    let subject = entry.subject.map(names.text)
    let pushed = subject.map { ", pushed by \($0)" } ?? ""
    let origin =
      switch entry.origin {
      case .edit: "here" + pushed
      case .relay, .checkpoint: subject ?? "others"
      case .file: "from a file" + pushed
      case .seed: "seed" + pushed
      }
    var words = [Wording.time(milliseconds: entry.time.upperBound), origin]
    let events = Wording.count(entry.span.seqs.count, "event")
    words.append(entry.origin == .checkpoint ? events : "+\(entry.inserted) -\(entry.deleted)")
    let (first, end) = (entry.span.seqs.lowerBound, entry.span.seqs.upperBound)
    words.append("\(Wording.id(entry.span.replica.rawValue))@\(first)..<\(end)")
    let place = entry.origin == .checkpoint ? "in the checkpoint at" : "at relay"
    words.append(entry.cursor.map { "\(place) #\($0)" } ?? "on this device")
    return words.joined(separator: "  ")
  }
}
