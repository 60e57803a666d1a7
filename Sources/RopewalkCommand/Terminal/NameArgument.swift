import ArgumentParser
import RopewalkPlainText
import RopewalkSync

/// A name on the command line, by its bytes: as it is, or in the quoted form in which lists show names that are not
/// what they seem.
struct NameArgument: ExpressibleByArgument, Sendable {
  let text: String

  init(_ text: String) { self.text = text }

  init?(argument: String) {
    guard let text = VisibleName.name(reading: argument), !text.utf8.isEmpty else { return nil }
    self.text = text
  }

  /// Whether both are the same bytes. `String` would take canonically equivalent names for one.
  func isSame(as name: String) -> Bool { name.utf8.elementsEqual(text.utf8) }
}

extension RoomName {
  /// The name as people are shown it.
  var shown: String { VisibleName.text(text) }
}

extension DocumentName {
  /// The name as people are shown it.
  var shown: String { VisibleName.text(text) }
}
