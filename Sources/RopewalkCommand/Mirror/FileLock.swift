import Foundation

/// A lock that one process at a time holds, until it ends in whatever way. Two mirrors of one file would each take a save
/// for their own and write it twice.
final class FileLock: Sendable {
  private let descriptor: Int32
  private let path: String

  /// Takes the lock of a plain file; nil if another process has it.
  init?(for file: PlainFile) throws {
    path = file.lockPath
    let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      let reason = errno
      var status = stat()
      guard stat(file.folder, &status) == 0 else {
        throw Failure(.file, "there is no folder \(FilePlace.shown(file.folder))")
      }
      errno = reason
      throw Failure(
        .file,
        "nothing can be written in \(FilePlace.shown(file.folder)) (\(String(cString: strerror(reason)))); a mirror puts "
          + "others' changes beside the file before it takes them in")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Whether it still is the lock of this file: the folder may have been moved away, or a link point elsewhere.
  func isInPlace(for file: PlainFile) -> Bool {
    var held = stat()
    guard file.lockPath.utf8.elementsEqual(path.utf8), fstat(descriptor, &held) == 0 else { return false }
    return FileLook.Signature(of: path)?.isSameFile(as: FileLook.Signature(held)) == true
  }
}
