import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension TextFile {
  /// The largest file that is read unless told otherwise, in bytes.
  package static let standardLimit = 1 << 20

  /// Reads a file, or a pipe to its end.
  ///
  /// - Parameter isRegular: whether pipes and devices are refused, which may have nothing to say, or no end.
  package init(path: String, limit: Int = standardLimit, isRegular: Bool = false) throws(TextFileError) {
    try self.init(path: path, content: Self.content(of: path, limit: limit, isRegular: isRegular))
  }

  /// Reads a regular file; nil if it does not exist.
  package static func ifThere(path: String, limit: Int = standardLimit) throws(TextFileError) -> TextFile? {
    var status = stat()
    if stat(path, &status) != 0, errno == ENOENT { return nil }
    return try TextFile(path: path, limit: limit, isRegular: true)
  }

  /// A file's bytes, as they are: at most `limit`, whatever size the system gives for it: pipes have none.
  ///
  /// - Parameter isRegular: whether pipes and devices are refused. They are not waited for then.
  package static func content(
    of path: String, limit: Int = standardLimit, isRegular: Bool = false
  ) throws(TextFileError) -> [UInt8] {
    // Opening a pipe waits for somebody to write into it.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (isRegular ? O_NONBLOCK : 0))
    guard descriptor >= 0 else { throw unreadable(path, errno) }
    defer { close(descriptor) }
    if isRegular { try mustBeRegular(descriptor, path) }
    var content: [UInt8] = []
    let piece = 1 << 16
    while true {
      let old = content.count
      var code: Int32 = 0
      var count = 0
      content.append(contentsOf: repeatElement(0, count: piece))
      content.withUnsafeMutableBytes { buffer in
        repeat {
          count = read(descriptor, buffer.baseAddress?.advanced(by: old), piece)
          code = errno
        } while count < 0 && code == EINTR
      }
      guard count >= 0 else { throw unreadable(path, code) }
      content.removeLast(piece - count)
      if count == 0 { return content }
      guard content.count <= limit else { throw TextFileError(path: path, .tooLarge(limit: limit)) }
    }
  }

  private static func mustBeRegular(_ descriptor: Int32, _ path: String) throws(TextFileError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw unreadable(path, errno) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return
    case S_IFDIR: throw TextFileError(path: path, .isFolder)
    default: throw TextFileError(path: path, .isNoRegularFile)
    }
  }

  private static func unreadable(_ path: String, _ code: Int32) -> TextFileError {
    if code == EISDIR { return TextFileError(path: path, .isFolder) }
    return TextFileError(path: path, .unreadable(String(cString: strerror(code))))
  }
}
