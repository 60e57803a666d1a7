import RopewalkPlainText
import RopewalkSync

/// What holds no more, though it is signed: tokens by their id, and subjects.
///
/// A text file, one per line; empty lines and lines that begin with `#` do not count:
///
/// ```
/// token 7f3c2a            the token with this `jti`
/// subject ada             every token of ada
/// before 1764014400 ada   tokens of ada that were issued earlier (seconds since 1970), or do not say when
/// ```
///
/// Names are compared by their bytes. One that begins or ends with a blank or begins with a quote, or that an editor could
/// change unnoticed, stands in double quotes, with `\u{301}` for a code point.
public struct Revocations: Hashable, Sendable {
  /// One line.
  public enum Entry: Sendable {
    /// The token with this `jti`.
    case token(String)
    /// Every token of this subject.
    case subject(String)
    /// Tokens of this subject that were issued before, in seconds since 1970.
    case before(UInt64, subject: String)

    /// Reads a line; nil if it is none.
    public init?(line: String) { self.init(bytes: ArraySlice(line.utf8)) }

    init?(bytes: ArraySlice<UInt8>) {
      let (word, rest) = Self.divided(bytes)
      if word.elementsEqual("token".utf8), let name = Self.name(rest) {
        self = .token(name)
      } else if word.elementsEqual("subject".utf8), let name = Self.name(rest) {
        self = .subject(name)
      } else if word.elementsEqual("before".utf8) {
        let (number, rest) = Self.divided(rest)
        guard number.allSatisfy({ (0x30...0x39).contains($0) }),
          let seconds = UInt64(String(decoding: number, as: UTF8.self)), seconds < 1 << 40,
          let name = Self.name(rest)
        else { return nil }
        self = .before(seconds, subject: name)
      } else {
        return nil
      }
    }

    /// The line.
    public var line: String {
      switch self {
      case .token(let id): "token \(VisibleName.text(id))"
      case .subject(let name): "subject \(VisibleName.text(name))"
      case .before(let seconds, let name): "before \(seconds) \(VisibleName.text(name))"
      }
    }

    /// Whether it can be written as a line.
    public var isWritable: Bool { Entry(line: line).map { $0.isSame(as: self) } ?? false }

    /// Whether both are of the same kind and, byte for byte, about the same name.
    func isSame(as other: Entry) -> Bool {
      switch (self, other) {
      case (.token(let one), .token(let two)), (.subject(let one), .subject(let two)):
        one.utf8.elementsEqual(two.utf8)
      case (.before(let seconds, let one), .before(let otherSeconds, let two)):
        seconds == otherSeconds && one.utf8.elementsEqual(two.utf8)
      default: false
      }
    }

    /// The first word, and what follows the blanks after it.
    private static func divided(_ bytes: ArraySlice<UInt8>) -> (ArraySlice<UInt8>, ArraySlice<UInt8>) {
      let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
      guard let end = bytes.firstIndex(where: isBlank) else { return (bytes, []) }
      return (bytes[..<end], bytes[end...].drop(while: isBlank))
    }

    private static func name(_ bytes: ArraySlice<UInt8>) -> String? {
      guard let name = VisibleName.name(reading: String(decoding: bytes, as: UTF8.self)),
        (1...Revocations.longestName).contains(name.utf8.count)
      else { return nil }
      return name
    }
  }

  /// The most bytes in the name of a token or subject.
  static let longestName = 1024

  private var tokens: Set<[UInt8]> = []
  private var subjects: Set<[UInt8]> = []
  private var before: [[UInt8]: UInt64] = [:]

  /// Nothing is revoked.
  public init() {}

  /// Reads a file's lines.
  init(_ file: TextFile) throws(RelayError) {
    for line in file.linesWithoutComments {
      guard let entry = Entry(bytes: line.bytes) else {
        throw .revocationFileDamaged(
          path: file.path, line: line.number,
          reason: "not 'token ID', 'subject NAME' or 'before SECONDS NAME'")
      }
      insert(entry)
    }
  }

  mutating func insert(_ entry: Entry) {
    switch entry {
    case .token(let id): tokens.insert(Array(id.utf8))
    case .subject(let name): subjects.insert(Array(name.utf8))
    case .before(let seconds, let name):
      before[Array(name.utf8), default: 0] = max(before[Array(name.utf8)] ?? 0, seconds)
    }
  }

  /// Adds all that another revokes.
  ///
  /// - Returns: how many the other lacks.
  mutating func formUnion(_ other: Revocations) -> Int {
    var lacking = tokens.subtracting(other.tokens).count + subjects.subtracting(other.subjects).count
    for (name, seconds) in before where other.before[name] ?? 0 < seconds { lacking += 1 }
    tokens.formUnion(other.tokens)
    subjects.formUnion(other.subjects)
    before.merge(other.before, uniquingKeysWith: max)
    return lacking
  }

  /// How many tokens and subjects.
  public var count: Int { tokens.count + subjects.count + before.count }

  func cover(_ identity: Identity) -> Bool {
    if let id = identity.tokenID, tokens.contains(id) { return true }
    if subjects.contains(identity.access.subject) { return true }
    guard let seconds = before[identity.access.subject] else { return false }
    return (identity.issued ?? 0) < seconds * 1000
  }
}
