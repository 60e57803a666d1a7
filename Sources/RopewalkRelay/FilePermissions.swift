#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Whose a file is, and who may do what with it.
struct FilePermissions {
  let owner: uid_t
  let group: gid_t
  /// The bits that `chmod` sets.
  let mode: UInt32

  /// Of what a path leads to; nil if nothing is there.
  init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    (owner, group, mode) = (status.st_uid, status.st_gid, UInt32(status.st_mode) & 0o7777)
  }

  var isReadableByAll: Bool { mode & 0o004 != 0 }
  var isWritableByOthers: Bool { mode & 0o022 != 0 }
}

/// Replaces files in one step.
enum FileReplacement {
  /// Writes a new file beside the old one, under a name that nobody can have put a link at, and renames it; on stable storage when
  /// this returns. The new file has the old one's owner and mode; where there was none, it is for the owner of the
  /// directory alone, so that what root writes there a relay that is not root can read.
  ///
  /// - Returns: false if that failed, and the old file is as it was.
  static func write(_ bytes: [UInt8], to path: String) -> Bool {
    let fresh = "\(path).\(String(UInt64.random(in: 0 ... .max), radix: 16)).new"
    let file = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { return false }
    let old = FilePermissions(path: path)
    // May fail, as it does for who is not root: then the new file is the writer's.
    if let owner = old ?? FilePermissions(path: folder(of: path)) {
      _ = fchown(file, owner.owner, owner.group)
    }
    if let old { _ = fchmod(file, mode_t(old.mode & 0o777)) }
    let isWritten = write(bytes, to: file) && fsync(file) == 0
    close(file)
    guard isWritten, rename(fresh, path) == 0 else {
      unlink(fresh)
      return false
    }
    let directory = open(folder(of: path), O_RDONLY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
    return true
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: 0x2f) else { return "." }
    return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
  }

  private static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        #if canImport(Glibc)
          let count = Glibc.write(file, buffer.baseAddress?.advanced(by: done), buffer.count - done)
        #elseif canImport(Musl)
          let count = Musl.write(file, buffer.baseAddress?.advanced(by: done), buffer.count - done)
        #else
          let count = Darwin.write(file, buffer.baseAddress?.advanced(by: done), buffer.count - done)
        #endif
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return false }
        done += count
      }
      return true
    }
  }
}
