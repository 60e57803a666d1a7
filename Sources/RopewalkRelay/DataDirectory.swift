import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The directory that holds a relay's log, locked against a second relay for as long as this value's file
/// is open.
struct DataDirectory: Sendable {
  let path: String
  private let lock: Int32

  /// Makes the directory if it is not there, for the relay's own user alone.
  init(path: String) throws(RelayError) {
    self.path = path
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch { throw .dataDirectoryUnusable(path: path) }
    // Who may write there may put in place of any file another one, or a link to one elsewhere.
    if let mode = FilePermissions(path: path)?.mode, mode & 0o022 != 0 {
      throw .dataDirectoryOpen(path: path, mode: mode)
    }
    lock = open(path + "/relay.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw .dataDirectoryUnusable(path: path) }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      throw .dataDirectoryInUse(path: path)
    }
  }

  var logPath: String { Self.logPath(in: path) }

  /// Where a directory's log is.
  static func logPath(in path: String) -> String { path + "/log.sqlite" }

  /// Makes an empty file that only this user can read, if there is none. SQLite gives the files beside its
  /// own the same rights. What cannot be made is an error when it is opened.
  static func makePrivate(_ path: String) {
    let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    if file >= 0 { close(file) }
  }

  /// Lets another relay in.
  func unlock() { close(lock) }
}
