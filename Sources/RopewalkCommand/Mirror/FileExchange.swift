import Foundation

/// Renames in one step that do not overwrite: `renameat2(2)` on Linux, `renamex_np(2)` on Apple's systems.
///
/// Both return false, with `errno`, where it did not happen.
enum FileExchange {
  #if os(Linux)
    private typealias Rename =
      @convention(c) (
        Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32
      ) -> Int32

    /// Looked up at run time, because the module map of Glibc does not show it.
    private static let rename: Rename? = dlsym(nil, "renameat2").map { unsafeBitCast($0, to: Rename.self) }

    private static func rename(_ from: String, _ to: String, _ flags: UInt32) -> Bool {
      guard let rename else {
        errno = ENOSYS
        return false
      }
      return rename(AT_FDCWD, from, AT_FDCWD, to, flags) == 0
    }

    /// Swaps two files.
    static func exchange(_ a: String, _ b: String) -> Bool { rename(a, b, 2) }

    /// Renames unless there is something already.
    static func renameIfAbsent(_ from: String, _ to: String) -> Bool { rename(from, to, 1) }
  #else
    /// Swaps two files.
    static func exchange(_ a: String, _ b: String) -> Bool { renamex_np(a, b, UInt32(RENAME_SWAP)) == 0 }

    /// Renames unless there is something already.
    static func renameIfAbsent(_ from: String, _ to: String) -> Bool {
      renamex_np(from, to, UInt32(RENAME_EXCL)) == 0
    }
  #endif
}
