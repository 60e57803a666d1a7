import Foundation
import Ropewalk
import RopewalkPlainText

/// Numbers and times as people read them.
enum Wording {
  /// "1,234,567".
  static func number(_ value: Int) -> String {
    var digits = Array(String(value.magnitude))
    var place = digits.count - 3
    while place > 0 {
      digits.insert(",", at: place)
      place -= 3
    }
    return (value < 0 ? "-" : "") + String(digits)
  }

  /// "1 event", "2 events".
  static func count(_ value: Int, _ one: String, _ many: String? = nil) -> String {
    "\(number(value)) \(value == 1 ? one : many ?? one + "s")"
  }

  /// "0.31 s", "12.3 s", "4 min 05 s".
  static func duration(_ duration: Duration) -> String {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    if seconds < 10 { return String(format: "%.2f s", seconds) }
    if seconds < 100 { return String(format: "%.1f s", seconds) }
    return String(format: "%d min %02d s", Int(seconds) / 60, Int(seconds) % 60)
  }

  /// "2026-03-01 12:30:05Z".
  static func time(milliseconds: UInt64) -> String {
    let date = Date(timeIntervalSince1970: Double(milliseconds / 1000))
    return date.formatted(.iso8601.dateTimeSeparator(.space))
  }

  /// An argument as a shell takes it for one word.
  static func argument(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x80...: true
      default: "-_./:@%+,=".utf8.contains(byte)
      }
    }
    return isPlain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
  }

  /// An option and its value as a shell takes them. A value that begins with `-` would be taken for an option by itself.
  static func option(_ name: String, _ value: String) -> String {
    name + (value.utf8.first == 0x2d ? "=" : " ") + argument(value)
  }

  /// A replica or lineage number as sixteen hexadecimal digits.
  static func id(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension Wording {
  /// "5 events of notes.md in room team have another id now: …".
  static func reauthored(_ events: ReauthoredEvents) -> String {
    "\(count(events.eventCount, "event")) of \(events.key.name.shown) in room \(events.room.shown) "
      + "\(events.eventCount == 1 ? "has" : "have") another id now, since somebody else uses the one before; nothing is lost, "
      + "and they are sent under that"
  }

  /// "#9 of notes.md by ann, 120 bytes (log, row 9: …)".
  static func held(_ entry: HeldEntry) -> String {
    let place = entry.cursor.map { "#\($0)" } ?? "an update from a file"
    let document = entry.key.map { " of \($0.name.shown)" } ?? ""
    let subject = entry.subject.map { " by \(VisibleName.text($0))" } ?? ""
    return "\(place)\(document)\(subject), \(count(entry.byteCount, "byte")) (\(entry.reason))"
  }
}
