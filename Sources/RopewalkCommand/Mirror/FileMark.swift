import Foundation

/// How many changes of what the file's editor can have had (`SeenTexts.count`) the replica knew when it was last written,
/// kept beside the file. A replica with a lower count was put back from a backup, or is another one: it does not know what
/// has been saved from the file since.
///
/// It may be behind the replica, if the system ended before it was on the disk, but never ahead.
struct FileMark: Sendable {
  private let path: String

  /// The mark of a plain file.
  init(of file: PlainFile) { path = file.lockPath }

  /// The count; nil if there is none.
  var count: UInt64? {
    guard let bytes = FileManager.default.contents(atPath: path), bytes.count <= 20 else { return nil }
    return UInt64(String(decoding: bytes, as: UTF8.self))
  }

  /// Writes the count; what cannot be written is left as it was, and only costs the protection.
  func set(_ count: UInt64) {
    let descriptor = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // Fixed width, so that one write replaces all of it.
    let digits = String(count)
    _ = FileBytes.write(
      Array((String(repeating: "0", count: max(0, 20 - digits.count)) + digits).utf8), to: descriptor)
  }
}
