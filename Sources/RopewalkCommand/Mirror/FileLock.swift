import Foundation

/// A lock that one process at a time holds, until it ends in whatever way. Two mirrors of one file would each take a save
/// for their own and write it twice.
final class FileLock: Sendable {
  private let descriptor: Int32

  /// Takes the lock of a plain file; nil if another process has it.
  init?(for file: PlainFile) throws {
    let path = "\(file.folder)/.\(file.name).ropewalk-lock"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      if errno == ENOENT { throw Failure(.file, "there is no folder \(file.folder)") }
      throw PlainFile.failure("cannot be written", path)
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}
