import Foundation

extension PlainFile {
  /// Saves bytes beside the file under a name that tells them apart, and returns that path. The same bytes are
  /// kept once.
  func keepBeside(_ bytes: [UInt8], as label: String) throws -> String {
    for number in 1...10_000 {
      let candidate = kept(label, number)
      if let present = FileManager.default.contents(atPath: candidate) {
        if present.elementsEqual(bytes) { return candidate }
        continue
      }
      let descriptor = open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor < 0 && errno == EEXIST { continue }
      guard descriptor >= 0 else { throw Self.failure("cannot be written", candidate) }
      defer { close(descriptor) }
      access?.give(to: descriptor)
      guard FileBytes.write(bytes, to: descriptor), fsync(descriptor) == 0 else {
        let failure = Self.failure("cannot be written", candidate)
        unlink(candidate)
        throw failure
      }
      syncFolder()
      return candidate
    }
    throw tooMany
  }

  /// Keeps the temporary file itself, whatever it holds and whoever has it open.
  func keepTemporary(as label: String) throws -> String {
    for number in 1...10_000 {
      let candidate = kept(label, number)
      if FileExchange.renameIfAbsent(temporaryPath, candidate) { return candidate }
      if errno == ENOENT { return temporaryPath }
      if errno == EINVAL || errno == ENOSYS, link(temporaryPath, candidate) == 0 {
        unlink(temporaryPath)
        return candidate
      }
      if errno != EEXIST { break }
    }
    throw Self.failure("cannot be kept", temporaryPath)
  }

  private func kept(_ label: String, _ number: Int) -> String {
    let suffix = ".\(label)" + (number == 1 ? "" : "-\(number)")
    return FilePlace(
      folder: place.folder, name: place.fitted(to: FilePlace.longestName - suffix.utf8.count) + suffix
    ).path
  }

  private var tooMany: Failure {
    Failure(.file, "\(FilePlace.shown(path)): there are too many kept files beside it")
  }
}
