import Foundation

/// A folder to work in: a temporary one that is removed, or one that was asked for and stays.
struct WorkFolder {
  let path: String
  private let isTemporary: Bool

  /// Makes the folder. Throws if it is there already.
  init(_ wish: String? = nil) throws {
    isTemporary = wish == nil
    path =
      wish
      ?? FileManager.default.temporaryDirectory
      .appendingPathComponent("ropewalk-\(UInt64.random(in: 0 ... .max))").path
    guard !FileManager.default.fileExists(atPath: path),
      (try? FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true,
        attributes: isTemporary ? [.posixPermissions: 0o700] : nil)) != nil
    else { throw Failure(.file, "the folder \(path) cannot be made, or is there already") }
  }

  func remove() {
    if isTemporary { try? FileManager.default.removeItem(atPath: path) }
  }
}
