import ArgumentParser
import RopewalkRelay

/// What an operator does with a relay's data directory.
struct RelayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relay",
    abstract: "Check, copy or shrink a relay's data, or revoke tokens, also while it runs.",
    subcommands: [VerifyLog.self, Backup.self, Compact.self, RevokeCommand.self])

  /// Says what went wrong as the other commands do.
  private static func attempt<Value>(
    _ body: () throws(RelayStore.Failure) -> Value
  ) throws -> Value {
    do { return try body() } catch { throw Failure(.file, error.description) }
  }

  struct VerifyLog: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify",
      abstract: "Check a relay's log: every entry, every digest. Changes nothing.",
      discussion: "Exits with 1 if anything is damaged.")

    @Argument(help: "The relay's data directory.", completion: .directory) var directory: String

    func run() throws {
      let report = try attempt { () throws(RelayStore.Failure) in
        try RelayStore(directory: directory).verify()
      }
      let console = Console.standard
      for room in report.rooms {
        let entries = Wording.count(Int(clamping: room.head), "entry", "entries")
        if room.damage.isEmpty {
          console.line("sound    \(room.name): \(entries), \(Wording.count(room.segments, "segment"))")
        } else {
          console.line("damaged  \(room.name): sound through #\(room.soundThrough) of \(room.head)")
        }
        for damage in room.damage { console.problem("\(room.name): \(damage)") }
      }
      for damage in report.fileDamage { console.problem(damage) }
      guard report.isSound else { throw ExitCode(Failure.Code.checkFailed.rawValue) }
      console.line("\(Wording.count(report.rooms.count, "room")), nothing damaged")
    }
  }

  struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Copy a relay's log as it is at one moment into another directory, while the relay runs.")

    @Argument(help: "The relay's data directory.", completion: .directory) var directory: String
    @Argument(help: "The directory to copy into; made if it is not there.", completion: .directory)
    var target: String

    func run() throws {
      let bytes = try attempt { () throws(RelayStore.Failure) in
        try RelayStore(directory: directory).backup(to: target)
      }
      Console.standard.line("copied \(Wording.count(bytes, "byte")) to \(target)/log.sqlite")
    }
  }

  struct Compact: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Fold all old entries into compressed segments.",
      discussion: """
        Without a running relay the file is written anew and gives its free space back; while one runs, the space that \
        becomes free is used for what comes.
        """)

    @Argument(help: "The relay's data directory.", completion: .directory) var directory: String

    func run() throws {
      let done = try attempt { () throws(RelayStore.Failure) in
        try RelayStore(directory: directory).compact()
      }
      let how =
        done.wasRewritten ? "written anew" : "free space is kept for what comes, since a relay is running"
      Console.standard.line(
        "\(Wording.count(done.segments, "segment")) made; \(done.bytesBefore) bytes before, \(done.bytesAfter) after; \(how)"
      )
    }
  }
}
