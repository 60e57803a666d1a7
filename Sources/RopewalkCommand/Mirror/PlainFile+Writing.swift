import Foundation

extension PlainFile {
  /// Writes the next content beside the file, with the file's mode and owner, durably.
  ///
  /// - Parameter remembered: those that it had, if it is not there.
  func prepare(_ bytes: [UInt8], as remembered: FileAccess? = nil) throws {
    let path = temporaryPath
    unlink(path)
    unlink(previousPath)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Self.failure("cannot be written", path) }
    defer { close(descriptor) }
    (access ?? remembered)?.give(to: descriptor)
    guard FileBytes.write(bytes, to: descriptor), fsync(descriptor) == 0 else {
      let failure = Self.failure("cannot be written", path)
      // On a full disk, half of a text would only take room.
      unlink(path)
      throw failure
    }
    memory.with { [bytes] in $0.prepared = bytes }
  }

  /// Puts the prepared content in place. What was there before is then at `temporaryPath`, if there was a file.
  func exchange() throws {
    let (path, temporary) = (path, temporaryPath)
    if system.exchanges {
      for _ in 0..<100 {
        if FileExchange.exchange(temporary, path) || FileExchange.renameIfAbsent(temporary, path) {
          return exchanged()
        }
        if errno != ENOENT && errno != EEXIST { break }
      }
    }
    // A second name for what is replaced, where the file system has such. A save by renaming may come between.
    let previous = previousPath
    for _ in 0..<100 {
      unlink(previous)
      guard link(path, previous) == 0 else { break }
      if let old = FileLook.Signature(of: previous), FileLook.Signature(of: path)?.isSameFile(as: old) == true
      {
        break
      }
    }
    guard rename(temporary, path) == 0 else {
      let failure = Self.failure("cannot be replaced", path)
      unlink(previous)
      throw failure
    }
    bringBackPrevious()
    exchanged()
  }

  /// What was replaced is looked for in the temporary file.
  func bringBackPrevious() {
    var status = stat()
    if lstat(temporaryPath, &status) != 0 { rename(previousPath, temporaryPath) }
  }

  /// Removes the temporary file, if there is one.
  func removeTemporary() {
    unlink(temporaryPath)
    unlink(previousPath)
    memory.with { $0.isReplacing = false }
  }

  private func exchanged() {
    memory.with { parts in
      parts.replaced = parts.reading.replace(by: parts.prepared)
      parts.prepared = []
      parts.isReplacing = true
      parts.isBeingWritten = false
    }
    syncFolder()
  }

  func syncFolder() {
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
