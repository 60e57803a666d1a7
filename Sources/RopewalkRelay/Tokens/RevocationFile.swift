import RopewalkPlainText

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The file of revocations. A relay that uses it notices a change within its reload interval.
public struct RevocationFile: Sendable {
  private let path: String
  /// In bytes.
  private static let limit = 64 << 20
  private static let heading =
    "# What holds no more, one a line: token ID, subject NAME or before SECONDS NAME\n"

  /// Names a file, as in `Relay.Configuration.revocationFile`.
  public init(path: String) { self.path = path }

  /// Names the file in a relay's data directory.
  public init(dataDirectory: String) { path = dataDirectory + "/revoked" }

  /// Reads it; a file that is not there revokes nothing, unless it must exist.
  ///
  /// A file without any line is refused: it looks like one that was emptied by accident. One that revokes
  /// nothing holds a comment.
  public func read(mustExist: Bool = false) throws(RelayError) -> Revocations {
    guard let file = try text(mustExist: mustExist) else { return Revocations() }
    return try Revocations(file)
  }

  /// Adds a line, if it is not there yet. The file is replaced in one step, and is on stable storage when
  /// this returns.
  ///
  /// - Returns: whether it was added.
  @discardableResult
  public func add(_ entry: Revocations.Entry) throws(RelayError) -> Bool {
    guard entry.isWritable else {
      throw .badSetting("The name of a token or subject has 1 to \(Revocations.longestName) bytes.")
    }
    return try change { file in
      if Self.entries(file).contains(where: { $0.entry.isSame(as: entry) }) { return nil }
      var text = file.map { String(decoding: $0.bytes, as: UTF8.self) } ?? Self.heading
      if text.utf8.last != 0x0a { text += "\n" }
      return text + entry.line + "\n"
    }
  }

  /// Takes a line back.
  ///
  /// - Returns: whether it was there.
  @discardableResult
  public func remove(_ entry: Revocations.Entry) throws(RelayError) -> Bool {
    try change { file in
      let found = Set(Self.entries(file).filter { $0.entry.isSame(as: entry) }.map(\.line))
      guard let file, !found.isEmpty else { return nil }
      let lines = file.bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
      var rest = Array(
        lines.enumerated().filter { !found.contains($0.offset + 1) }.map(\.element).joined(separator: [0x0a]))
      if !rest.contains(where: { $0 > 0x20 }) { rest = Array(Self.heading.utf8) }
      return String(decoding: rest, as: UTF8.self)
    }
  }

  private static func entries(_ file: TextFile?) -> [(line: Int, entry: Revocations.Entry)] {
    (file?.linesWithoutComments ?? []).compactMap { line in
      Revocations.Entry(bytes: line.bytes).map { (line.number, $0) }
    }
  }

  private func text(mustExist: Bool) throws(RelayError) -> TextFile? {
    do {
      if !mustExist {
        guard let file = try TextFile.ifThere(path: path, limit: Self.limit) else { return nil }
        return try Self.mustHoldLines(file)
      }
      return try Self.mustHoldLines(try TextFile(path: path, limit: Self.limit, isRegular: true))
    } catch {
      if case .unreadable = error.problem { throw .revocationFileUnusable(path: path) }
      if error.problem == .empty {
        throw .revocationFileDamaged(
          path: path, line: nil,
          reason: "the list of revocations is empty; if it should revoke nothing, put a line with # into it")
      }
      throw .revocationFileDamaged(
        path: path, line: error.line, reason: TextFileError(path: path, error.problem).reason)
    }
  }

  private static func mustHoldLines(_ file: TextFile) throws(TextFileError) -> TextFile {
    if file.lines.isEmpty { throw TextFileError(path: file.path, .empty) }
    return file
  }

  /// Under a lock, so that two who change it at once do not lose each other's lines.
  ///
  /// - Parameter body: makes the new text, or nil for no change.
  private func change(_ body: (TextFile?) -> String?) throws(RelayError) -> Bool {
    let lock = open(path + ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard lock >= 0, flock(lock, LOCK_EX) == 0 else {
      if lock >= 0 { close(lock) }
      throw .revocationFileUnusable(path: path)
    }
    defer { close(lock) }
    let file = try text(mustExist: false)
    if let file { _ = try Revocations(file) }
    guard let text = body(file) else { return false }
    guard FileReplacement.write(Array(text.utf8), to: path) else { throw .revocationFileUnusable(path: path) }
    return true
  }
}
