import Foundation
import RopewalkPlainText

/// Where a file is: a folder, and a name in it. Names are bytes to the system; all of them must be UTF-8 here,
/// since a name that was repaired is the name of another file.
struct FilePlace: Hashable, Sendable {
  /// From the root of the file system on.
  let folder: String
  let name: String

  var path: String { folder == "/" ? "/\(name)" : "\(folder)/\(name)" }

  init(folder: String, name: String) { (self.folder, self.name) = (folder, name) }

  static func == (a: FilePlace, b: FilePlace) -> Bool {
    // Bytes: strings that look alike are equal, and name different files.
    a.name.utf8.elementsEqual(b.name.utf8) && a.folder.utf8.elementsEqual(b.folder.utf8)
  }

  func hash(into hasher: inout Hasher) { for byte in path.utf8 { hasher.combine(byte) } }

  /// What a person, or a symbolic link, calls a file.
  ///
  /// - Parameter folder: where a relative path begins.
  init(_ path: String, in folder: String) {
    var bytes = Array(path.utf8)
    if bytes.first != 0x2f { bytes = Array(folder.utf8) + [0x2f] + bytes }
    while bytes.count > 1, bytes.last == 0x2f { bytes.removeLast() }
    let slash = bytes.lastIndex(of: 0x2f) ?? 0
    var end = slash
    while end > 0, bytes[end - 1] == 0x2f { end -= 1 }
    self.folder = end == 0 ? "/" : String(decoding: bytes[..<end], as: UTF8.self)
    name = String(decoding: bytes[(slash + 1)...], as: UTF8.self)
  }

  /// The place that a person names.
  static func named(_ path: String) throws -> FilePlace {
    let place = FilePlace(path, in: path.utf8.first == 0x2f ? "/" : try workingFolder())
    guard !path.isEmpty, !place.name.isEmpty, place.name != ".", place.name != ".." else {
      throw Failure(.usage, "\"\(shown(path))\" names no file")
    }
    return place
  }

  /// The folder this process works in.
  static func workingFolder() throws -> String {
    guard let bytes = getcwd(nil, 0) else { throw PlainFile.failure("cannot be found", "the working folder") }
    defer { free(bytes) }
    guard let path = String(validatingCString: bytes) else {
      throw Failure(.file, "the working folder's path is not UTF-8: \(shown(String(cString: bytes)))")
    }
    return path
  }

  /// The places that a name leads through: itself, then where each symbolic link points. The last is not a link; it
  /// need not exist.
  func followed() throws -> [FilePlace] {
    var chain = [self]
    while let next = try chain[chain.count - 1].pointed() {
      guard chain.count <= 40 else {
        throw Failure(.file, "\(Self.shown(path)) is a symbolic link that leads back to itself")
      }
      chain.append(next)
    }
    return chain
  }

  /// Where a symbolic link points; nil for anything else.
  private func pointed() throws -> FilePlace? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink(path, &buffer, Int(PATH_MAX))
    if count < 0 && errno == ELOOP {
      throw Failure(.file, "\(Self.shown(path)) is a symbolic link that leads back to itself")
    }
    guard count > 0 else { return nil }
    let bytes = buffer[..<count].map { UInt8(bitPattern: $0) }
    guard let target = String(validating: bytes, as: UTF8.self) else {
      throw Failure(.file, "\(Self.shown(path)) is a symbolic link to a name that is not UTF-8")
    }
    return FilePlace(target, in: folder)
  }

  /// A hidden file beside this one: `.NAME` and the suffix, or what is left of a long name and a hash of it.
  ///
  /// - Parameter room: how many bytes other programs append to that name.
  func beside(_ suffix: String, room: Int = 0) -> FilePlace {
    FilePlace(
      folder: folder, name: "." + fitted(to: Self.longestName - 1 - suffix.utf8.count - room) + suffix)
  }

  /// The name, or one that has at most so many bytes and that no other long name has.
  func fitted(to limit: Int) -> String {
    let bytes = Array(name.utf8)
    if bytes.count <= limit { return name }
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let digits = String(hash, radix: 16)
    let mark = "~" + String(repeating: "0", count: 16 - digits.utf8.count) + digits
    var end = max(0, limit - mark.utf8.count)
    while end > 0, bytes[end] & 0xc0 == 0x80 { end -= 1 }
    return String(decoding: bytes[..<end], as: UTF8.self) + mark
  }

  /// Bytes in the longest name: what Linux's and Apple's file systems allow.
  static let longestName = 255

  /// A path as a line of text can show it.
  static func shown(_ path: String) -> String { VisibleText.line(path) }
}
