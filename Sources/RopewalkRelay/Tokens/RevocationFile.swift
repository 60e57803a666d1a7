import Foundation

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

  /// Names a file, as in `RelayConfiguration.revocationFile`.
  public init(path: String) { self.path = path }

  /// Names the file in a relay's data directory.
  public init(dataDirectory: String) { path = dataDirectory + "/revoked" }

  /// Reads it; a file that is not there revokes nothing, unless it must exist.
  public func read(mustExist: Bool = false) throws(RelayError) -> Revocations {
    guard let data = FileManager.default.contents(atPath: path) else {
      if !mustExist, !FileManager.default.fileExists(atPath: path) { return Revocations() }
      throw .revocationFileUnusable(path: path)
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw .revocationFileDamaged(path: path, line: 1)
    }
    do { return try Revocations(text: text) } catch {
      throw .revocationFileDamaged(path: path, line: error.line)
    }
  }

  /// Adds a line, if it is not there yet. The file is replaced in one step, and is on stable storage when
  /// this returns.
  ///
  /// - Returns: whether it was added.
  @discardableResult
  public func add(_ entry: Revocations.Entry) throws(RelayError) -> Bool {
    guard entry.isWritable else { throw .badSetting("A name cannot be empty, or hold control characters.") }
    return try change { lines in
      guard !lines.contains(entry.line) else { return false }
      lines.append(entry.line)
      return true
    }
  }

  /// Takes a line back.
  ///
  /// - Returns: whether it was there.
  @discardableResult
  public func remove(_ entry: Revocations.Entry) throws(RelayError) -> Bool {
    try change { lines in
      let count = lines.count
      lines.removeAll { $0 == entry.line }
      return lines.count < count
    }
  }

  /// Under a lock, so that two who change it at once do not lose each other's lines.
  private func change(_ body: (inout [String]) -> Bool) throws(RelayError) -> Bool {
    let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0, flock(lock, LOCK_EX) == 0 else {
      if lock >= 0 { close(lock) }
      throw .revocationFileUnusable(path: path)
    }
    defer { close(lock) }
    _ = try read()
    let text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    var lines = text.split(separator: "\n").map(String.init)
    guard body(&lines) else { return false }
    try write(lines.map { $0 + "\n" }.joined())
    return true
  }

  private func write(_ text: String) throws(RelayError) {
    let temporary = path + ".new"
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw .revocationFileUnusable(path: path) }
    let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
    do {
      try handle.write(contentsOf: Data(text.utf8))
      try handle.synchronize()
      try handle.close()
    } catch { throw .revocationFileUnusable(path: path) }
    guard rename(temporary, path) == 0 else { throw .revocationFileUnusable(path: path) }
  }
}
