/// A text file that a person edits and a program reads: settings, keys, tokens, lists.
///
/// It means the same however an editor has saved it. Lines end with LF or CRLF, the last one with or without; a byte
/// order mark at the beginning, and spaces and tabs at the ends of a line, do not count. What could be taken in two ways is
/// refused with its line: UTF-16, bytes that are not UTF-8, control characters, a carriage return alone, a second byte
/// order mark, white space at an end of a line that an editor does not show as such.
///
/// All of this is decided on bytes: Swift takes CR LF for one `Character`, so that a `String` is not split at it.
package struct TextFile: Sendable {
  package struct Line: Hashable, Sendable {
    /// Counted from 1.
    package let number: Int
    /// Without its end, and without blanks at its ends.
    package let bytes: ArraySlice<UInt8>

    package var text: String { String(decoding: bytes, as: UTF8.self) }
    package var isComment: Bool { bytes.first == 0x23 }
  }

  package let path: String
  /// Every line that is not blank.
  package let lines: [Line]
  /// The text with LF for every line end, without byte order mark, for readers of their own rules.
  package let bytes: [UInt8]

  /// Takes the content of a file.
  ///
  /// - Complexity: O(n).
  package init(path: String, content: [UInt8]) throws(TextFileError) {
    self.path = path
    if content.starts(with: [0xff, 0xfe]) || content.starts(with: [0xfe, 0xff]) {
      throw TextFileError(path: path, line: 1, .utf16)
    }
    let start = content.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    var bytes: [UInt8] = []
    bytes.reserveCapacity(content.count)
    var lines: [Line] = []
    var number = 1
    var begin = start
    while begin < content.count {
      let feed = content[begin...].firstIndex(of: 0x0a)
      var end = feed ?? content.count
      // A file that was cut between CR and LF ends like one that was not.
      if end > begin, content[end - 1] == 0x0d { end -= 1 }
      if let problem = Self.problem(content[begin..<end]) {
        throw TextFileError(path: path, line: number, problem)
      }
      bytes += content[begin..<end]
      if feed != nil { bytes.append(0x0a) }
      let trimmed = Self.trimmed(content[begin..<end])
      if !trimmed.isEmpty {
        if let value = Self.hiddenWhiteSpace(at: trimmed) {
          throw TextFileError(path: path, line: number, .otherWhiteSpace(value))
        }
        lines.append(Line(number: number, bytes: trimmed))
      }
      number += 1
      begin = (feed ?? content.count) + 1
    }
    self.bytes = bytes
    self.lines = lines
  }

  /// Every line that is neither blank nor begins with `#`.
  package var linesWithoutComments: [Line] { lines.filter { !$0.isComment } }

  /// The one line of a file that holds a token or a secret.
  package var onlyLine: Line {
    get throws(TextFileError) {
      guard let line = lines.first else { throw TextFileError(path: path, .empty) }
      if lines.count > 1 { throw TextFileError(path: path, line: lines[1].number, .severalLines) }
      return line
    }
  }

  private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
    var line = line.drop(while: isBlank)
    while let last = line.last, isBlank(last) { line.removeLast() }
    return line
  }

  /// What must not be in a line. Nearly all lines are printable ASCII, which is found out at once.
  private static func problem(_ line: ArraySlice<UInt8>) -> TextFileError.Problem? {
    if line.allSatisfy({ (0x20..<0x7f).contains($0) || $0 == 0x09 }) { return nil }
    if line.contains(0x0d) { return .carriageReturn }
    guard let text = String(validating: line, as: UTF8.self) else {
      // UTF-16 without its mark: every other byte is zero.
      return line.contains(0) ? .utf16 : .notUTF8
    }
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x09: continue
      case 0xfeff: return .strayByteOrderMark
      case 0..<0x20, 0x7f...0x9f, 0x2028, 0x2029: return .controlCharacter(scalar.value)
      default: continue
      }
    }
    return nil
  }

  private static func hiddenWhiteSpace(at line: ArraySlice<UInt8>) -> UInt32? {
    guard let first = line.first, let last = line.last, first >= 0x80 || last >= 0x80 else { return nil }
    let scalars = String(decoding: line, as: UTF8.self).unicodeScalars
    return [scalars.first, scalars.last].compactMap { $0 }.first {
      $0.properties.isWhitespace || (0x200b...0x200f).contains($0.value) || $0.value == 0x2060
    }?.value
  }
}
