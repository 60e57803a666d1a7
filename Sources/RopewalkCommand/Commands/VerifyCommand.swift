import ArgumentParser
import Ropewalk
import RopewalkPlainText

/// Checks a replica file.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check a replica file, and name what is damaged and what is safe. Changes nothing.",
    discussion: "Exits with 1 if anything is damaged.")

  @OptionGroup var replica: ReplicaArgument

  func run() throws {
    try ReplicaPath.mustExist(replica.path)
    let report = try ReplicaPath.reading(replica.path) { path in
      try ReplicaPath.naming(replica.path) { try Replica.verify(path: path) }
    }
    let console = Console.standard
    let sound = report.soundDocuments.filter(\.isWorthTelling)
    let (rooms, names) = (VisibleNames(sound.map(\.room.text)), VisibleNames(sound.map(\.key.name.text)))
    for document in sound {
      let place = "\(rooms.text(document.room.text))/\(names.text(document.key.name.text))"
      console.line(
        "sound    \(place): \(Wording.count(document.eventCount, "event"))"
      )
    }
    for lost in report.damagedDocuments {
      let rest =
        lost.readableTextBytes.map { "; its plain text of \(Wording.count($0, "byte")) can be read" } ?? ""
      console.line("damaged  \(VisibleName.text(lost.room))/\(VisibleName.text(lost.name))\(rest)")
    }
    for held in report.held { console.line("aside    \(held.room.shown): \(Wording.held(held))") }
    for damage in report.damage { console.problem("\(damage)") }
    guard report.isSound else { throw ExitCode(Failure.Code.checkFailed.rawValue) }
    console.line("\(Wording.count(sound.count, "document")), nothing damaged")
  }
}
