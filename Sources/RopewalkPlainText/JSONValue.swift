/// A value of JSON, read as bytes.
///
/// Foundation's decoder puts an object's members into a dictionary of `String`, in which names that differ only in
/// their Unicode normalisation are one, and which keeps one of two members of the same name. Where a member's name
/// is a room or a right, both would be silently wrong.
package enum JSONValue: Hashable, Sendable {
  case object([Member])
  case array([JSONValue])
  case string([UInt8])
  case number(Double)
  case boolean(Bool)
  case null

  package struct Member: Hashable, Sendable {
    package let name: [UInt8]
    package let value: JSONValue
  }

  /// The value of an object's member; nil if there is none, or no object.
  package subscript(name: StaticString) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return name.withUTF8Buffer { name in members.first { $0.name.elementsEqual(name) }?.value }
  }

  /// A string's UTF-8; nil for any other value.
  package var utf8: [UInt8]? { if case .string(let bytes) = self { bytes } else { nil } }

  /// A string; nil for any other value.
  package var text: String? { utf8.map { String(decoding: $0, as: UTF8.self) } }

  /// A string as JSON writes it.
  package static func quoted(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    var result: [UInt8] = [0x22]
    for byte in bytes {
      switch byte {
      case 0x22, 0x5c: result += [0x5c, byte]
      case 0..<0x20: result += Array("\\u00\(byte < 0x10 ? "0" : "")\(String(byte, radix: 16))".utf8)
      default: result.append(byte)
      }
    }
    return result + [0x22]
  }
}

/// Why bytes are no JSON of use here.
package struct JSONError: Error, Hashable, Sendable {
  /// A sentence without content.
  package let reason: String
  /// Where, in bytes.
  package let offset: Int
}

extension TextFile {
  /// The file as JSON.
  package func json() throws(TextFileError) -> JSONValue {
    do { return try JSONValue(bytes) } catch {
      let line = bytes.prefix(error.offset).count { $0 == 0x0a } + 1
      throw TextFileError(path: path, line: line, .json(error.reason))
    }
  }
}
