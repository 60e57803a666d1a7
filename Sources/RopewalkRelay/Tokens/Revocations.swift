import Foundation
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
public struct Revocations: Hashable, Sendable {
  /// One line.
  public enum Entry: Hashable, Sendable {
    /// The token with this `jti`.
    case token(String)
    /// Every token of this subject.
    case subject(String)
    /// Tokens of this subject that were issued before, in seconds since 1970.
    case before(UInt64, subject: String)

    /// Reads a line; nil if it is none.
    public init?(line: String) {
      let parts = line.split(separator: " ", maxSplits: 1)
      guard parts.count == 2 else { return nil }
      let rest = String(parts[1])
      switch parts[0] {
      case "token" where Self.isName(rest): self = .token(rest)
      case "subject" where Self.isName(rest): self = .subject(rest)
      case "before":
        let parts = rest.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let seconds = UInt64(parts[0]), seconds < 1 << 40,
          Self.isName(String(parts[1]))
        else { return nil }
        self = .before(seconds, subject: String(parts[1]))
      default: return nil
      }
    }

    /// The line.
    public var line: String {
      switch self {
      case .token(let id): "token \(id)"
      case .subject(let name): "subject \(name)"
      case .before(let seconds, let name): "before \(seconds) \(name)"
      }
    }

    /// Whether it can be written as a line.
    public var isWritable: Bool { Entry(line: line) == self }

    private static func isName(_ text: String) -> Bool {
      !text.isEmpty && text.utf8.count <= 1024 && !text.hasPrefix(" ") && !text.hasSuffix(" ")
        && !text.utf8.contains { $0 < 0x20 || $0 == 0x7f }
    }
  }

  private var tokens: Set<String> = []
  private var subjects: Set<[UInt8]> = []
  private var before: [[UInt8]: UInt64] = [:]

  /// Nothing is revoked.
  public init() {}

  /// Reads a file's text.
  ///
  /// - Throws: the number of the line that is none.
  public init(text: String) throws(LineError) {
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = line.hasSuffix("\r") ? line.dropLast() : line
      if line.isEmpty || line.hasPrefix("#") { continue }
      guard let entry = Entry(line: String(line)) else { throw LineError(line: index + 1) }
      insert(entry)
    }
  }

  /// A line that is none.
  public struct LineError: Error, Hashable, Sendable {
    /// Counted from 1.
    public let line: Int
  }

  mutating func insert(_ entry: Entry) {
    switch entry {
    case .token(let id): tokens.insert(id)
    case .subject(let name): subjects.insert(Array(name.utf8))
    case .before(let seconds, let name):
      before[Array(name.utf8), default: 0] = max(before[Array(name.utf8)] ?? 0, seconds)
    }
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
