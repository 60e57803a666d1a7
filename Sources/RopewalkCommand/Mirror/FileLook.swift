import Foundation

/// What one look at a file shows: which file it is, what it holds, and whether somebody is writing it.
struct FileLook {
  /// Changes whenever something happens to a file. Its times are compared with each other alone, never with a clock:
  /// they may lie in the future.
  struct Signature: Equatable, Sendable {
    let device: UInt64
    let inode: UInt64
    let size: Int64
    /// Nanoseconds since 1970.
    let modified: Int64
    let changed: Int64

    init(_ status: stat) {
      #if canImport(Darwin)
        let times = (status.st_mtimespec, status.st_ctimespec)
      #else
        let times = (status.st_mtim, status.st_ctim)
      #endif
      self.init(
        device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(truncatingIfNeeded: status.st_ino),
        size: Int64(status.st_size),
        modified: Int64(times.0.tv_sec) &* 1_000_000_000 &+ Int64(times.0.tv_nsec),
        changed: Int64(times.1.tv_sec) &* 1_000_000_000 &+ Int64(times.1.tv_nsec))
    }

    init(device: UInt64, inode: UInt64, size: Int64 = 0, modified: Int64 = 0, changed: Int64 = 0) {
      (self.device, self.inode, self.size) = (device, inode, size)
      (self.modified, self.changed) = (modified, changed)
    }

    init?(of path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      self.init(status)
    }

    /// Whether it is one file, whatever happened to it.
    func isSameFile(as other: Signature) -> Bool { device == other.device && inode == other.inode }
  }

  /// Whether a program has the file open for writing.
  enum Writer: Equatable, Sendable {
    case none
    case some
    /// The system does not say.
    case unknown
  }

  var signature: Signature
  var bytes: [UInt8]
  var writer: Writer
  /// Under how many names the file is known.
  var names = 1
  /// Whether it changed while it was read.
  var isTorn = false
  /// Whether it was not read, since it has changed and somebody is writing.
  var isUnread = false
}

extension FileLook {
  /// Looks at a file; nil if there is none.
  ///
  /// - Parameters:
  ///   - leases: whether to ask the system for the right to read undisturbed.
  ///   - last: what was seen before. What has changed since is not read while somebody writes it.
  static func take(at place: FilePlace, leases: Bool, last: Signature? = nil) throws -> FileLook? {
    var status = stat()
    guard stat(place.path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return try absent(place) }
      throw PlainFile.failure("cannot be read", place.path)
    }
    // Before it is opened: that alone would wake a device, or whoever waits at a pipe.
    try check(status, place)
    let descriptor = open(place.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return try absent(place) }
      throw PlainFile.failure("cannot be read", place.path)
    }
    defer { close(descriptor) }
    guard fstat(descriptor, &status) == 0 else { throw PlainFile.failure("cannot be read", place.path) }
    try check(status, place)
    let lease = leases ? FileLease(descriptor) : .unsupported
    defer { if lease == .held { FileLease.release(descriptor) } }
    // What is true of the lease's moment; before it, a writer may have changed it.
    var (before, after) = (stat(), stat())
    guard fstat(descriptor, &before) == 0 else { throw PlainFile.failure("cannot be read", place.path) }
    if lease == .refused, let last, before.st_size > 0, Signature(before) != last {
      return FileLook(
        signature: Signature(before), bytes: [], writer: .some, names: Int(before.st_nlink), isUnread: true)
    }
    guard let bytes = FileBytes.read(descriptor), fstat(descriptor, &after) == 0
    else { throw PlainFile.failure("cannot be read", place.path) }
    try check(after, place)
    let signature = Signature(after)
    let writer: Writer =
      switch lease {
      case .held: .none
      case .refused: .some
      case .unsupported: .unknown
      }
    return FileLook(
      signature: signature, bytes: bytes, writer: writer, names: Int(after.st_nlink),
      isTorn: lease != .held && (Signature(before) != signature || signature.size != bytes.count))
  }

  private static func check(_ status: stat, _ place: FilePlace) throws {
    guard status.st_mode & S_IFMT == S_IFREG else {
      let kind =
        switch status.st_mode & S_IFMT {
        case S_IFDIR: "a folder"
        case S_IFIFO: "a pipe"
        default: "a device or a socket"
        }
      throw Failure(.file, "\(FilePlace.shown(place.path)) is \(kind), not a plain file")
    }
    guard status.st_size <= PlainFile.maximumBytes else {
      throw Failure(
        .file,
        "\(FilePlace.shown(place.path)) is larger than \(PlainFile.maximumBytes >> 20) MiB and not mirrored")
    }
  }

  /// There is no file. A missing folder is something else: nothing can be put there.
  private static func absent(_ place: FilePlace) throws -> FileLook? {
    var status = stat()
    guard stat(place.folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw Failure(.file, "there is no folder \(FilePlace.shown(place.folder))")
    }
    return nil
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
      // It grew while it was read; its size says so now.
      if bytes.count > PlainFile.maximumBytes { return bytes }
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
}
