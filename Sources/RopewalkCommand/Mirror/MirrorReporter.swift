import Ropewalk

/// Says what a mirror does, a line per event, and nothing twice in a row.
final class MirrorReporter {
  let file: String
  private let place: String
  let console: Console
  private var lastState: [String] = []
  private var lastStanding = Mirror.Standing.equal

  init(file: String, place: String, console: Console = .standard) {
    self.file = file
    self.place = place
    self.console = console
  }

  func begun(_ scalars: Int) {
    console.line("mirroring \(file) and \(place) (\(Wording.count(scalars, "character")))")
  }

  func kept(_ paths: [String]) {
    for path in paths { console.line("kept the other text as \(path)") }
  }

  func settled(_ report: Mirror.Report) {
    if !report.saved.isNothing {
      console.line("saved: +\(report.saved.inserted) -\(report.saved.deleted)")
    }
    if report.savedOfThePast {
      console.line(
        "\(file) was saved without others' changes, as by an editor that had not read them; they are kept. To discard "
          + "them, save \(file) like that once more")
    }
    if !report.written.isNothing {
      console.line("from others: +\(report.written.inserted) -\(report.written.deleted)")
    }
    for path in report.kept { console.problem("\(file): what a program was writing is kept as \(path)") }
    defer { lastStanding = report.standing }
    guard report.standing != lastStanding else { return }
    switch report.standing {
    case .notText(let line):
      console.problem(
        "\(file) is not UTF-8 (line \(line)); it is left alone, and nothing is lost, until it is saved as UTF-8"
      )
    case .missing: console.line("\(file) is gone; it will be written again")
    case .open:
      console.line("\(file) is open for writing in another program; others' changes wait until it is closed")
    case .behind:
      console.line(
        "the replica is older than \(file), as one from a backup; what was saved in \(file) stays there and is merged when the "
          + "room was read")
    case .equal, .busy: break
    }
  }

  func happened(_ event: ClientEvent) {
    if case .entryHeld(let room, let cursor) = event {
      console.problem(
        "#\(cursor) in the log of \(room.shown) could not be merged and is kept aside; `ropewalk status` says why"
      )
    }
    if case .entryWaits(let room, let cursor) = event {
      console.problem(
        "#\(cursor) in the log of \(room.shown) waits for changes that the log does not have; `ropewalk status` says who sent "
          + "it")
    }
    if case .waitsForAuthor(let room, let time) = event {
      console.line(Wording.waitsForAuthor(room, milliseconds: time))
    }
    if case .reauthored(let events) = event { console.problem(Wording.reauthored(events)) }
    if case .tokenUnavailable(let words) = event { console.problem("no other token: \(words)") }
    guard case .state(let state) = event else { return }
    let words = Self.words(state)
    if words.isEmpty { return }
    if words != lastState {
      for line in words { Self.isProblem(state) ? console.problem(line) : console.line(line) }
    }
    lastState = words
  }

  private static func isProblem(_ state: ConnectionState) -> Bool {
    switch state {
    case .partlyRefused, .refused: true
    case .offline, .connecting, .online, .caughtUp: false
    }
  }

  private static func words(_ state: ConnectionState) -> [String] {
    switch state {
    case .offline(let error?): ["offline (\(Failure(error).message)); edits are kept and sent later"]
    case .caughtUp: ["everything is at the relay"]
    case .partlyRefused(let refusals): refusals.map { Wording.refusal($0) }
    case .refused(let error):
      ["the relay refuses the connection: \(error.text) Edits are kept, and sent with a token that it takes"]
    case .offline(nil), .connecting, .online: []
    }
  }
}
