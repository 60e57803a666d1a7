import ArgumentParser
import Ropewalk
import RopewalkPlainText
import RopewalkRelay
import RopewalkSync

/// What an operator does with a relay's data directory.
struct RelayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relay",
    abstract: "Check, copy or shrink a relay's data, revoke tokens, or set what may be forgotten.",
    subcommands: [
      VerifyLog.self, Backup.self, Compact.self, RetentionCommand.self, RevokeCommand.self,
    ])

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
      let names = VisibleNames(report.rooms.map(\.name))
      for room in report.rooms {
        let name = names.text(room.name)
        let entries = Wording.count(Int(clamping: room.head), "entry", "entries")
        if room.damage.isEmpty {
          var line = "sound    \(name): \(entries), \(Wording.count(room.segments, "segment"))"
          if room.checkpoint > 0 { line += ", checkpoint at #\(room.checkpoint)" }
          if room.oldest > 1 { line += ", forgotten before #\(room.oldest)" }
          console.line(line)
        } else {
          console.line("damaged  \(name): sound through #\(room.soundThrough) of \(room.head)")
        }
        for damage in room.damage { console.problem("\(name): \(damage)") }
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

/// What a relay may forget of a room.
struct RetentionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retention",
    abstract: "Show, or set, what the relay may forget of a room's log.",
    discussion: """
      A relay forgets nothing that no checkpoint in use holds. --days N lets it forget what a checkpoint holds and is \
      older than N days; --everything lets it forget nothing. A checkpoint that members have confirmed waits first, for as \
      long as the relay is configured and for N days at least, while any editor who has read the log can object to it; \
      ropewalk audit says who did. Setting takes a token with the role own.
      """)

  @Argument(help: "The room.") var room: NameArgument
  @OptionGroup var relay: RelayOptions
  @Option(help: "Forget what a checkpoint holds after this many days.") var days: UInt32?
  @Flag(help: "Forget nothing.") var everything = false

  func validate() throws {
    if days != nil && everything { throw ValidationError("Give --days or --everything, not both.") }
    if let days, days > 36_500 { throw ValidationError("--days is at most 36500.") }
  }

  func run() async throws {
    let folder = try WorkFolder()
    defer { folder.remove() }
    let replica = try Replica(path: folder.path + "/replica")
    let client = try Client(
      replica: replica, relay: relay.url, token: try relay.presentedToken(), options: relay.clientOptions)
    let telling = Console.standard.tellWaits(client.events())
    defer { telling.cancel() }
    let wanted: Retention? = everything ? .everything : days.map { .days($0) }
    let answer: RoomRetention
    do {
      if let wanted {
        answer = try await client.setRetention(wanted, of: room.text)
      } else {
        answer = try await client.retention(of: room.text)
      }
    } catch {
      await client.close()
      throw error
    }
    await client.close()
    let rule =
      switch answer.retention {
      case .everything: "everything is kept"
      case .days(let days): "what a checkpoint holds is forgotten after \(Wording.count(Int(days), "day"))"
      }
    let state = answer.checkpoint == 0 ? "no checkpoint yet" : "checkpoint in use at #\(answer.checkpoint)"
    var line = "\(VisibleName.text(room.text)): \(rule); \(state); the log begins at #\(answer.oldest)"
    if let announced = answer.announced {
      line += "; a checkpoint at #\(announced.cursor) is announced"
      if let usable = announced.usable {
        line += ", and in use from \(Wording.time(milliseconds: usable)) unless somebody objects"
      }
    }
    Console.standard.line(line)
  }
}
