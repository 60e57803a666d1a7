import Foundation

/// Linux's read lease: granted only while nobody has the file open for writing, and new writers wait until it is
/// given back. What `fcntl(2)` calls `F_SETLEASE`.
enum FileLease {
  /// Nobody writes while it is held.
  case held
  /// Somebody has the file open for writing.
  case refused
  /// The system, the file system or the file's owner does not allow leases.
  case unsupported

  #if os(Linux)
    private static let setLease: Int32 = 1024

    /// Asks for a lease.
    init(_ descriptor: Int32) {
      // A writer that waits announces itself by SIGIO, which would end the process.
      signal(SIGIO, SIG_IGN)
      if fcntl(descriptor, Self.setLease, Int32(F_RDLCK)) == 0 {
        self = .held
      } else {
        self = errno == EAGAIN ? .refused : .unsupported
      }
    }

    static func release(_ descriptor: Int32) { _ = fcntl(descriptor, setLease, Int32(F_UNLCK)) }
  #else
    init(_ descriptor: Int32) { self = .unsupported }

    static func release(_ descriptor: Int32) {}
  #endif
}
