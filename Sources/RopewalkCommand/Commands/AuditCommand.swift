import ArgumentParser
import Foundation
import RopewalkPlainText
import RopewalkRelay

/// Reads a relay's audit log.
struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Show who joined, left or was refused at a relay, and what was changed.",
    discussion: """
      Reads the audit log in a relay's data directory, oldest first; the relay may be running.

      Example: ropewalk audit data --since 2026-11-24 --subject ada
      """)

  @Argument(help: "The relay's data directory.", completion: .directory)
  var directory: String

  @Option(help: "From this moment on: 2026-11-24, 2026-11-24T18:00:00Z, or 90m, 12h, 7d ago.")
  var since: Moment?

  @Option(help: "Only this subject.")
  var subject: NameArgument?

  @Option(help: "Only this room.")
  var room: NameArgument?

  @Flag(help: "One JSON object per line, as it is stored.")
  var json = false

  func run() throws {
    let console = Console.standard
    let least = since?.milliseconds(now: Date()) ?? 0
    let damaged = try AuditReader(dataDirectory: directory).read { record in
      guard record.time >= least, Self.matches(record.subject, subject), Self.matches(record.room, room)
      else { return }
      console.line(json ? record.line : Self.sentence(record))
    }
    if damaged > 0 { console.problem("\(Wording.count(damaged, "line")) could not be read") }
  }

  private static func matches(_ name: String?, _ wanted: NameArgument?) -> Bool {
    wanted.map { wanted in name.map { wanted.isSame(as: $0) } ?? false } ?? true
  }

  static func sentence(_ record: AuditRecord) -> String {
    var words = [Wording.time(milliseconds: record.time), record.act.rawValue]
    if let subject = record.subject { words.append(VisibleName.text(subject)) }
    let details: [(String, String?)] = [
      ("room", record.room.map(VisibleName.text)), ("role", record.role), ("code", record.code),
      ("what", record.detail),
      ("count", record.count.map { "\($0)" }), ("from", record.from), ("session", record.session),
    ]
    for (name, value) in details { if let value { words.append("\(name)=\(value)") } }
    return VisibleText.line(words.joined(separator: " "))
  }
}

/// A moment on the command line: a day, a time, or how long ago.
enum Moment: ExpressibleByArgument, Equatable {
  case at(Date)
  case ago(seconds: Double)

  init?(argument: String) {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    if let unit = argument.last.flatMap({ units[$0] }), let number = Double(argument.dropLast()), number >= 0
    {
      self = .ago(seconds: number * unit)
    } else if let date = try? Date(argument, strategy: .iso8601) {
      self = .at(date)
    } else if let date = try? Date(argument + "T00:00:00Z", strategy: .iso8601) {
      self = .at(date)
    } else {
      return nil
    }
  }

  func milliseconds(now: Date) -> UInt64 {
    let date =
      switch self {
      case .at(let date): date
      case .ago(let seconds): now.addingTimeInterval(-seconds)
      }
    return UInt64(max(0, date.timeIntervalSince1970 * 1000))
  }
}
