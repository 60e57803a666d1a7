/// Text from outside (names, sentences of a peer, what a file holds) as a terminal, a log or a list can show it.
///
/// What is not seen, moves or colours what is seen, or turns the direction of writing is shown by its code point: `\u{1b}`. So nobody
/// can write into somebody else's terminal, forge a line of a log, or hide what a line says.
package enum VisibleText {
  /// In one line: ends of lines are shown by their code points too.
  ///
  /// - Complexity: O(n).
  package static func line(_ text: String) -> String { escaped(text, mustEscape: isHidden) }

  /// Of several lines, which end with LF.
  ///
  /// - Complexity: O(n).
  package static func lines(_ text: String) -> String {
    escaped(text, mustEscape: { $0 != "\n" && isHidden($0) })
  }

  /// A line of JSON: it means what it did, since all that is escaped is inside of strings.
  ///
  /// - Complexity: O(n).
  package static func json(_ line: String) -> String {
    escaped(line, mustEscape: isHidden) { scalar in
      scalar.utf16.map { unit in
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
      }.joined()
    }
  }

  /// Whether a scalar is not seen, or changes how others are seen. A blank is seen by its width.
  package static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    if (0x20..<0x7f).contains(scalar.value) { return false }
    let properties = scalar.properties
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
      return true
    default: return properties.isDefaultIgnorableCodePoint
    }
  }

  private static func escaped(
    _ text: String, mustEscape: (Unicode.Scalar) -> Bool,
    as form: (Unicode.Scalar) -> String = { "\\u{\(String($0.value, radix: 16))}" }
  ) -> String {
    if text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if mustEscape(scalar) {
        result.append(contentsOf: form(scalar).unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }
}
