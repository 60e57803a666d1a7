import Foundation

/// Lets the connections to one replica file, of this process and of others, write in the order in which they
/// came.
///
/// SQLite's lock is not fair: who waits for it looks again after ever longer pauses, and a process that writes
/// all the time has it at each of them. So writers queue beside the file, in `<replica>-queue`, by tickets and
/// locks that the system releases when a process ends:
///
/// ```
/// content    the next ticket, 8 bytes, little-endian
/// byte 0     locked while a ticket is drawn
/// byte 1+t   locked by the holder of ticket t, from drawing it until its transaction has ended
/// ```
///
/// A ticket's turn has come when no byte of an earlier one is locked. Only the order depends on this file, never
/// what is in the replica: where it cannot be used, writers go on without it. Used by one thread at a time.
final class WriteQueue {
  private let path: String
  private var file: Int32 = -1
  private var ticket: UInt64?
  private var isOver = false

  /// Tickets begin anew at this number; so does the order, once.
  private static let tickets: UInt64 = 1 << 48

  /// - Parameter replica: the replica's path.
  init(besides replica: String) { path = replica + "-queue" }

  deinit { end() }

  /// Leaves for good, and removes the file. Whoever has it open makes it anew.
  func end() {
    isOver = true
    guard file >= 0 else { return }
    unlink(path)
    close(file)
    file = -1
  }

  // MARK: Queueing

  /// Draws a ticket, and waits until its turn has come. Throws `busy` when that takes too long.
  func enter(milliseconds: Int, whenQueued: () -> Void) throws(ReplicaError) {
    draw()
    whenQueued()
    let deadline = ContinuousClock.now + .milliseconds(milliseconds)
    var looks = 0
    while !isFirst {
      guard ContinuousClock.now < deadline else {
        leave()
        throw .busy
      }
      // Nobody else can go in between, so a pause costs its own length at most. Usually it is one transaction of
      // another writer.
      usleep(looks < 20 ? 100 : looks < 100 ? 500 : 2000)
      looks += 1
    }
  }

  /// Lets the next one go on.
  func leave() {
    guard let ticket else { return }
    self.ticket = nil
    _ = lock(F_UNLCK, at: Self.place(of: ticket), length: 1)
  }

  /// Takes a place in the queue.
  func draw() {
    guard ticket == nil, !isOver, openFile() else { return }
    while lock(F_WRLCK, at: 0, length: 1) == .held { usleep(50) }
    defer { _ = lock(F_UNLCK, at: 0, length: 1) }
    var next: UInt64 = 0
    let isRead = withUnsafeMutableBytes(of: &next) { pread(file, $0.baseAddress, 8, 0) } == 8
    let number = isRead ? UInt64(littleEndian: next) % Self.tickets : 0
    guard lock(F_WRLCK, at: Self.place(of: number), length: 1) == .done else { return }
    ticket = number
    var following = (number + 1).littleEndian
    _ = withUnsafeBytes(of: &following) { pwrite(file, $0.baseAddress, 8, 0) }
  }

  /// Whether no earlier ticket is out. True also where there is no queue.
  var isFirst: Bool {
    guard let ticket, ticket > 0 else { return true }
    var earlier = Self.range(F_WRLCK, at: 1, length: Int64(ticket))
    guard fcntl(file, Self.getLock, &earlier) == 0 else { return true }
    return earlier.l_type == Int16(F_UNLCK)
  }

  // MARK: The file

  /// Whether there is a queue: it is opened, or made, and opened anew when somebody has removed it.
  private func openFile() -> Bool {
    if file >= 0 {
      var status = stat()
      if fstat(file, &status) == 0, status.st_nlink > 0 { return true }
      close(file)
    }
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
    guard file >= 0 else { return false }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(file)
      file = -1
      return false
    }
    return true
  }

  // MARK: Locks

  private enum LockResult {
    case done
    case held
    case failed
  }

  // Locks of open file descriptions: those of processes would not tell two connections of one process apart.
  #if canImport(Darwin)
    private static let setLock: Int32 = 90
    private static let getLock: Int32 = 92
  #else
    private static let setLock: Int32 = 37
    private static let getLock: Int32 = 36
  #endif

  private static func place(of ticket: UInt64) -> Int64 { Int64(ticket) + 1 }

  private static func range(_ kind: Int32, at start: Int64, length: Int64) -> flock {
    var range = flock()
    range.l_type = Int16(kind)
    range.l_whence = Int16(SEEK_SET)
    range.l_start = off_t(start)
    range.l_len = off_t(length)
    return range
  }

  private func lock(_ kind: Int32, at start: Int64, length: Int64) -> LockResult {
    var range = Self.range(kind, at: start, length: length)
    while fcntl(file, Self.setLock, &range) != 0 {
      switch errno {
      case EINTR: continue
      case EAGAIN, EACCES: return .held
      default: return .failed
      }
    }
    return .done
  }
}
