import ArgumentParser
import Ropewalk

/// Merges two replica files.
struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Take into replica A all that replica B has. No relay is needed; B is only read.",
    discussion: "Merge B into A and then A into B to make both equal.")

  @Argument(help: "The replica that gains.")
  var a: String

  @Argument(help: "The replica that is read.")
  var b: String

  func run() throws {
    let (target, source) = (ReplicaPath.resolved(a), ReplicaPath.resolved(b))
    try ReplicaPath.mustExist(target)
    try ReplicaPath.mustExist(source)
    let gaining = try ReplicaPath.replica(at: target)
    let report = try ReplicaPath.reading(source) { path in
      try ReplicaPath.naming(source) { try gaining.merge(from: path) }
    }
    let console = Console.standard
    if report.gained.isEmpty && report.clashes.isEmpty { console.line("nothing new") }
    for gain in report.gained {
      console.line(
        "\(gain.room.shown)/\(gain.key.name.shown): \(Wording.count(gain.eventCount, "new event"))")
    }
    for clash in report.clashes {
      console.problem(
        "\(clash.room.shown)/\(clash.key.name.shown): cannot be merged; event \(clash.event.seq) of "
          + "\(Wording.id(clash.event.replica.rawValue)) was written differently in each")
    }
    if !report.clashes.isEmpty { throw ExitCode(Failure.Code.checkFailed.rawValue) }
  }
}
