/// Why bytes could not be read, and where. Carries no content.
public struct FormatError: Error, Hashable, Sendable {
  /// What was wrong.
  public enum Code: UInt8, Sendable {
    /// The input ends before the field does.
    case truncated
    /// The input does not begin as this format does.
    case badMagic
    /// The format's version is newer than this library.
    case unsupportedVersion
    /// The bytes were damaged.
    case badChecksum
    /// A field holds a value that the format does not allow.
    case badValue
    /// The bytes say what the format has other bytes for: each value has one form.
    case notCanonical
    /// A size or count is beyond the decoder's budget.
    case overLimit
    /// Bytes follow the end.
    case trailingBytes
  }

  /// What was wrong.
  public let code: Code
  /// Byte offset in the input at which the fault was seen.
  public let offset: Int
  /// The name of the format's field that was being read.
  public let field: StaticString

  /// Describes a fault.
  public init(_ code: Code, at offset: Int, field: StaticString) {
    self.code = code
    self.offset = offset
    self.field = field
  }

  /// Compares code and place.
  public static func == (a: FormatError, b: FormatError) -> Bool {
    a.code == b.code && a.offset == b.offset
  }

  /// Hashes code and place.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(code.rawValue)
    hasher.combine(offset)
  }
}

/// How much a decoder may take in.
public struct DecodingBudget: Sendable {
  /// The longest input accepted, in bytes. What a decoder allocates is a small multiple of its input.
  public var maximumBytes: Int

  /// 256 MiB.
  public static let standard = DecodingBudget(maximumBytes: 1 << 28)

  /// Sets the limit.
  public init(maximumBytes: Int) { self.maximumBytes = maximumBytes }
}
