/// Why a trace or a conformance file could not be read or played. Carries no text of the document.
public struct TraceError: Error, Hashable, Sendable {
  /// What was wrong.
  public enum Reason: Hashable, Sendable {
    /// The file could not be opened or read; the system's words.
    case unreadable(String)
    /// The file does not decompress.
    case badCompression
    /// The content is larger than the limit, in bytes.
    case tooLarge(limit: Int)
    /// The bytes are not JSON in UTF-8.
    case notJSON
    /// The JSON is of another kind: what it looks like, and what was expected.
    case otherKind(found: String, expected: String)
    /// A field that must be there is missing.
    case missing
    /// A field holds another type of value than the format asks for.
    case wrongType
    /// A field holds a value that the format does not allow; the rule it breaks.
    case badValue(String)
    /// A patch reaches beyond the end of the text it applies to: `end` of the patch and length of the text, in scalars.
    case outOfBounds(end: Int, length: Int)
    /// The transactions of one agent are concurrent with each other, so one replica cannot play them.
    case concurrentWithItself(agent: Int)
    /// The engine refused an update while playing.
    case engine(String)
  }

  /// What was wrong.
  public let reason: Reason
  /// Where: a path into the JSON such as `txns[5].patches[0]`, or the file's path. Empty for the whole.
  public let place: String

  /// Describes a fault.
  public init(_ reason: Reason, at place: String = "") {
    self.reason = reason
    self.place = place
  }
}

extension TraceError: CustomStringConvertible {
  /// One line for people.
  public var description: String { place.isEmpty ? sentence : "\(place): \(sentence)" }

  private var sentence: String {
    switch reason {
    case .unreadable(let words): "cannot be read (\(words))"
    case .badCompression: "is not a whole zstd file"
    case .tooLarge(let limit): "is larger than the limit of \(limit >> 20) MiB"
    case .notJSON: "is not JSON in UTF-8"
    case .otherKind(let found, let expected): "is \(found), not \(expected)"
    case .missing: "is missing"
    case .wrongType: "has the wrong type"
    case .badValue(let rule): rule
    case .outOfBounds(let end, let length):
      "reaches to scalar \(end) of a text that has \(length)"
    case .concurrentWithItself(let agent): "agent \(agent) is concurrent with itself here"
    case .engine(let words): "the engine refused an update (\(words))"
    }
  }
}
