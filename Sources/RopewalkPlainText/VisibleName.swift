import Foundation

/// A name as people are shown it, and may write it.
///
/// Names are bytes, and different bytes can look alike. A name that shows what it is stands as it is. One that is not
/// in Unicode's composed form, or holds what is not seen, stands in double quotes, with the code points that are not what they
/// seem: `"cafe\u{301}"`. The quoted form can be written wherever a name can.
package enum VisibleName {
  /// The name as it is shown by itself.
  package static func text(_ name: String) -> String {
    if isComposed(name) {
      // A mark would be drawn over whatever stands before the name.
      if let first = name.unicodeScalars.first, isMark(first) {
        return quoted(name) { isHidden($0) || isMark($0) }
      }
      let needsQuotes = hasOddEnds(name) || name.unicodeScalars.contains(where: isHidden)
      return needsQuotes ? quoted(name, escaping: isHidden) : name
    }
    return quoted(name) { $0.value >= 0x80 }
  }

  /// Reads the quoted form, or takes a name as it is; nil for quotes that do not hold together.
  package static func name(reading text: String) -> String? {
    var bytes = ArraySlice(text.utf8)
    guard bytes.popFirst() == 0x22 else { return text }
    var result: [UInt8] = []
    while let byte = bytes.popFirst() {
      switch byte {
      case 0x22: return bytes.isEmpty ? String(decoding: result, as: UTF8.self) : nil
      case 0x5c:
        switch bytes.popFirst() {
        case 0x22: result.append(0x22)
        case 0x5c: result.append(0x5c)
        case 0x75:
          guard bytes.popFirst() == 0x7b, let end = bytes.firstIndex(of: 0x7d),
            (1...6).contains(end - bytes.startIndex),
            let value = UInt32(String(decoding: bytes[..<end], as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(value)
          else { return nil }
          result += Array(String(Character(scalar)).utf8)
          bytes = bytes[(end + 1)...]
        default: return nil
        }
      default: result.append(byte)
      }
    }
    return nil
  }

  static func quoted(_ name: String, escaping mustEscape: (Unicode.Scalar) -> Bool) -> String {
    var result = String.UnicodeScalarView()
    result.append("\"")
    for scalar in name.unicodeScalars {
      switch scalar {
      case "\"", "\\": result.append(contentsOf: ["\\", scalar])
      case _ where mustEscape(scalar):
        result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      default: result.append(scalar)
      }
    }
    result.append("\"")
    return String(result)
  }

  private static func isComposed(_ name: String) -> Bool {
    name.utf8.allSatisfy { $0 < 0x80 }
      || name.precomposedStringWithCanonicalMapping.utf8.elementsEqual(name.utf8)
  }

  /// A blank at an end or two in a row, or the quote that begins the quoted form.
  private static func hasOddEnds(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    return bytes.first == 0x20 || bytes.last == 0x20 || bytes.first == 0x22
      || zip(bytes, bytes.dropFirst()).contains { $0 == 0x20 && $1 == 0x20 }
  }

  /// What is not seen, or looks like a blank.
  private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    if scalar == " " { return false }
    return VisibleText.isHidden(scalar) || scalar.properties.generalCategory == .spaceSeparator
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: true
    default: false
    }
  }
}
