import Foundation

/// A rule of a format that some JSON broke; becomes a `TraceError` with the place.
struct BrokenRule: Error {
  let path: [any CodingKey]
  let rule: String
}

extension TraceError {
  /// Decodes JSON, and says where it is wrong in the words of the format rather than of Foundation.
  static func decoding<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws(TraceError) -> Value
  {
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch let error as BrokenRule {
      throw TraceError(.badValue(error.rule), at: place(error.path))
    } catch let error as DecodingError {
      throw TraceError(error)
    } catch {
      throw TraceError(.notJSON)
    }
  }

  private init(_ error: DecodingError) {
    switch error {
    case .keyNotFound(let key, let context):
      self.init(.missing, at: Self.place(context.codingPath + [key]))
    case .valueNotFound(_, let context):
      self.init(.missing, at: Self.place(context.codingPath))
    case .typeMismatch(_, let context):
      self.init(.wrongType, at: Self.place(context.codingPath))
    case .dataCorrupted(let context) where !context.codingPath.isEmpty:
      self.init(.wrongType, at: Self.place(context.codingPath))
    default:
      self.init(.notJSON)
    }
  }

  private static func place(_ path: [any CodingKey]) -> String {
    var words = ""
    for key in path {
      if let index = key.intValue {
        words += "[\(index)]"
      } else {
        words += words.isEmpty ? key.stringValue : ".\(key.stringValue)"
      }
    }
    return words
  }

  /// What the JSON begins with, whitespace aside.
  static func firstByte(of bytes: [UInt8]) -> UInt8? {
    bytes.first { $0 != 0x20 && $0 != 0x0a && $0 != 0x0d && $0 != 0x09 }
  }
}
