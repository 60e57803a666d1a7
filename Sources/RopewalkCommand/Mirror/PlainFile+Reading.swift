import Foundation

extension PlainFile {
  /// The largest file that is mirrored: 256 MiB.
  static let maximumBytes = 1 << 28

  /// A program that keeps the file open for writing has made a whole text when it has not written for so many seconds.
  static let quiet = 2.0

  /// When the file was last written, in seconds since 1970.
  var modified: Double? { Self.modified(path) }

  /// When the temporary file was last written.
  var temporaryModified: Double? { Self.modified(temporaryPath) }

  private static func modified(_ path: String) -> Double? {
    var status = stat()
    return stat(path, &status) == 0 ? FileBytes.modified(status) : nil
  }

  /// Reads a whole file at a moment at which nobody is writing it.
  static func read(_ path: String) throws -> Content {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT { return .missing }
      throw failure("cannot be read", path)
    }
    defer { close(descriptor) }
    var before = stat()
    guard fstat(descriptor, &before) == 0 else { throw failure("cannot be read", path) }
    guard before.st_mode & S_IFMT == S_IFREG else { throw Failure(.file, "\(path) is not a plain file") }
    guard before.st_size <= maximumBytes else {
      throw Failure(.file, "\(path) is larger than \(maximumBytes >> 20) MiB")
    }
    let lease = FileLease(descriptor)
    if lease == .refused && FileBytes.age(before) < quiet { return .busy }
    defer { if lease == .held { FileLease.release(descriptor) } }
    guard let bytes = FileBytes.read(descriptor) else { throw failure("cannot be read", path) }
    if lease != .held {
      // Without a lease: nothing may have changed meanwhile, nor very recently.
      var after = stat()
      guard fstat(descriptor, &after) == 0, after.st_size == before.st_size,
        FileBytes.modified(after) == FileBytes.modified(before), FileBytes.age(after) > 0.05
      else { return .busy }
    }
    if String(validating: bytes, as: UTF8.self) != nil {
      return lease == .refused ? .openText(bytes) : .text(bytes)
    }
    return .notText(line: firstBadLine(bytes))
  }

  private static func firstBadLine(_ bytes: [UInt8]) -> Int {
    let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
    return 1 + (lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0)
  }
}

/// Whole reads and writes on a descriptor.
enum FileBytes {
  static func read(_ descriptor: Int32) -> [UInt8]? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      #if canImport(Glibc)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
      #else
        let count = Darwin.read(descriptor, &buffer, buffer.count)
      #endif
      if count == 0 { return bytes }
      if count < 0 && errno != EINTR { return nil }
      if count > 0 { bytes += buffer[..<count] }
      if bytes.count > PlainFile.maximumBytes { return nil }
    }
  }

  static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { buffer in
        #if canImport(Glibc)
          Glibc.write(descriptor, buffer.baseAddress, buffer.count)
        #else
          Darwin.write(descriptor, buffer.baseAddress, buffer.count)
        #endif
      }
      if count < 0 && errno != EINTR { return false }
      if count > 0 { rest = rest.dropFirst(count) }
    }
    return true
  }

  /// Seconds since 1970 of the last change of content.
  static func modified(_ status: stat) -> Double {
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  static func age(_ status: stat) -> Double { Date().timeIntervalSince1970 - modified(status) }
}
