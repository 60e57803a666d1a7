/// Why a text file was not taken: where, and by which rule. Carries nothing of the file's content.
package struct TextFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The rule.
  package enum Problem: Hashable, Sendable {
    /// The system's words.
    case unreadable(String)
    case isFolder
    /// A pipe, a socket or a device.
    case isNoRegularFile
    /// The most bytes that are read.
    case tooLarge(limit: Int)
    case utf16
    case notUTF8
    case strayByteOrderMark
    case carriageReturn
    /// A control character or a line separator, by its code point.
    case controlCharacter(UInt32)
    /// White space at an end of the line that is neither space nor tab, by its code point.
    case otherWhiteSpace(UInt32)
    /// Nothing but blanks, where one line should be.
    case empty
    /// A further line, where one line should be.
    case severalLines
    /// A line of dashes that neither begins nor ends a PEM block, or not the one that is open.
    case damagedPEM
    /// A PEM block without its last line.
    case unfinishedPEM
    /// What is no JSON, or names a member twice.
    case json(String)
  }

  package let path: String
  /// Counted from 1; nil for the whole file.
  package let line: Int?
  package let problem: Problem

  package init(path: String, line: Int? = nil, _ problem: Problem) {
    (self.path, self.line, self.problem) = (path, line, problem)
  }

  /// A sentence with file and line.
  package var description: String { "\(path)\(line.map { ":\($0)" } ?? ""): \(sentence)" }

  /// A sentence with the line, to follow the file's name.
  package var reason: String { (line.map { "line \($0): " } ?? "") + sentence }

  private var sentence: String {
    switch problem {
    case .unreadable(let words): "it cannot be read (\(words))"
    case .isFolder: "it is a folder"
    case .isNoRegularFile: "it is a pipe or a device, not a regular file"
    case .tooLarge(let limit): "it is larger than \(limit >> 10) KiB"
    case .utf16: "it is UTF-16; save it as UTF-8"
    case .notUTF8: "it is not UTF-8"
    case .strayByteOrderMark: "there is a byte order mark inside of the text"
    case .carriageReturn: "a carriage return without a line feed; lines end with LF or CRLF"
    case .controlCharacter(let value): "there is a control character, U+\(Self.hexadecimal(value))"
    case .otherWhiteSpace(let value):
      "the line begins or ends with white space that is neither space nor tab, U+\(Self.hexadecimal(value))"
    case .empty: "there is nothing in it"
    case .severalLines: "there is a second line, where one is wanted"
    case .damagedPEM: "the first or last line of a PEM block is damaged"
    case .unfinishedPEM: "the PEM block that begins here does not end"
    case .json(let reason): reason
    }
  }

  private static func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
