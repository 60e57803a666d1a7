import Foundation

/// The plain file that a mirror keeps, read and replaced so that no other program's save is missed.
///
/// Reading waits for writers: a program that has the file open for writing may have truncated it and not yet
/// written. On Linux a read lease says whether there is one, and keeps new ones out for the moment of reading.
///
/// Replacing exchanges the file with a finished temporary one in a single step (`RENAME_EXCHANGE`), so what was
/// replaced is still there to be looked at: a save that came between reading and replacing is found in it.
struct PlainFile: Sendable {
  /// What the file holds.
  enum Content: Equatable {
    /// There is no file.
    case missing
    /// A whole text, in UTF-8.
    case text([UInt8])
    /// A text that has not changed for a while, though a program still has the file open for writing.
    case openText([UInt8])
    /// Bytes that are not UTF-8; the first bad line, from 1.
    case notText(line: Int)
    /// Another program is writing it at this moment.
    case busy
  }

  /// The file, symbolic links resolved.
  let path: String

  /// A mirror of `path`, which need not exist.
  init(path: String) {
    var target = URL(fileURLWithPath: path).standardizedFileURL
    target = target.deletingLastPathComponent().resolvingSymlinksInPath()
      .appendingPathComponent(target.lastPathComponent)
    self.path = target.resolvingSymlinksInPath().path
  }

  /// Its last component.
  var name: String { URL(fileURLWithPath: path).lastPathComponent }

  /// The folder it is in.
  var folder: String { URL(fileURLWithPath: path).deletingLastPathComponent().path }

  /// Where the next content is prepared, and where the previous one is after the exchange.
  var temporaryPath: String { "\(folder)/.\(name).ropewalk-new" }

  /// What the file holds now.
  func read() throws -> Content { try Self.read(path) }

  /// What the temporary file holds.
  func readTemporary() throws -> Content { try Self.read(temporaryPath) }

  /// Who may read and write the file; nil if it is not there.
  var access: FileAccess? { FileAccess(of: path) }

  /// Writes the next content beside the file, with the file's mode and owner, durably.
  ///
  /// - Parameter remembered: those that it had, if it is not there.
  func prepare(_ bytes: [UInt8], as remembered: FileAccess? = nil) throws {
    unlink(temporaryPath)
    let descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Self.failure("cannot be written", temporaryPath) }
    defer { close(descriptor) }
    (access ?? remembered)?.give(to: descriptor)
    guard FileBytes.write(bytes, to: descriptor), fsync(descriptor) == 0 else {
      throw Self.failure("cannot be written", temporaryPath)
    }
  }

  /// Puts the prepared content in place. What was there before is then at `temporaryPath`, if there was a file
  /// and the file system can exchange.
  func exchange() throws {
    for _ in 0..<100 {
      if FileExchange.exchange(temporaryPath, path) || FileExchange.renameIfAbsent(temporaryPath, path) {
        return syncFolder()
      }
      if errno != ENOENT && errno != EEXIST { break }
    }
    guard rename(temporaryPath, path) == 0 else { throw Self.failure("cannot be replaced", path) }
    syncFolder()
  }

  /// Removes the temporary file, if there is one.
  func removeTemporary() { unlink(temporaryPath) }

  /// Saves bytes beside the file under a name that tells them apart, and returns that path. The same bytes are
  /// kept once.
  func keepBeside(_ bytes: [UInt8], as label: String) throws -> String {
    for number in 1...10_000 {
      let candidate = "\(path).\(label)" + (number == 1 ? "" : "-\(number)")
      if let present = FileManager.default.contents(atPath: candidate) {
        if present.elementsEqual(bytes) { return candidate }
        continue
      }
      let descriptor = open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else { throw Self.failure("cannot be written", candidate) }
      defer { close(descriptor) }
      access?.give(to: descriptor)
      guard FileBytes.write(bytes, to: descriptor), fsync(descriptor) == 0 else {
        throw Self.failure("cannot be written", candidate)
      }
      syncFolder()
      return candidate
    }
    throw Failure(.file, "\(path): there are too many kept files beside it")
  }

  /// Keeps the temporary file itself, whatever it holds and whoever has it open.
  func keepTemporary(as label: String) throws -> String {
    for number in 1...10_000 {
      let candidate = "\(path).\(label)" + (number == 1 ? "" : "-\(number)")
      if FileExchange.renameIfAbsent(temporaryPath, candidate) { return candidate }
      if errno == ENOENT { return temporaryPath }
      if errno != EEXIST { break }
    }
    throw Self.failure("cannot be kept", temporaryPath)
  }

  private func syncFolder() {
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  static func failure(_ problem: String, _ path: String) -> Failure {
    Failure(.file, "\(path) \(problem): \(String(cString: strerror(errno)))")
  }
}
