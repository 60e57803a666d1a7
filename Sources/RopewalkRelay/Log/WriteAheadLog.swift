import Dispatch
import GRDB
import GRDBSQLite
import Synchronization

/// Moves what was committed from the write-ahead log into the file.
///
/// SQLite by itself does that within the commit that has made the log long, which then takes as long as a
/// thousand pages take to be written and synced. Here another connection does nearly all of it beside the
/// commits, and the writer only the few frames that were added meanwhile, so that its next commit begins
/// the log anew.
final class WriteAheadLog: Sendable {
  private let limit: Int
  private let frames = Atomic(0)
  /// So many frames must be there before the next attempt.
  private let next: Atomic<Int>
  private let isMoving = Atomic(false)
  private let queue = DispatchQueue(label: "ropewalk.log.checkpoints", qos: .utility)
  private let path: String
  private let moves = Mutex(Moves())

  private struct Moves {
    var isStopped = false
    /// The connections, by address, that are moving frames just now.
    var underWay: Set<UInt> = []
  }

  /// - Parameter limit: frames, which are pages, from which on the log is moved.
  init(path: String, limit: Int) {
    self.path = path
    self.limit = limit
    next = Atomic(limit)
  }

  /// Takes over from SQLite, on the connection that writes. The connection must not outlive this.
  func attach(to database: Database) {
    sqlite3_wal_hook(
      database.sqliteConnection,
      { context, _, _, frames in
        if let context {
          Unmanaged<WriteAheadLog>.fromOpaque(context).takeUnretainedValue().committed(Int(frames))
        }
        return SQLITE_OK
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private func committed(_ length: Int) {
    let before = frames.exchange(length, ordering: .relaxed)
    if length < before { next.store(limit, ordering: .relaxed) }
  }

  /// Called after commits: begins to move the log if it is long, and asks the writer to `finish` after that.
  func considerMoving(_ finish: @escaping @Sendable (_ moved: Int?) -> Void) {
    guard frames.load(ordering: .relaxed) >= next.load(ordering: .relaxed),
      isMoving.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
    else { return }
    queue.async { [self] in
      // A disk that takes nothing shows in commits; here it is tried again later.
      let connection = isStopped ? nil : try? DatabaseQueue(path: path)
      let moved = connection?.writeWithoutTransaction { move($0) } ?? nil
      try? connection?.close()
      finish(moved)
    }
  }

  /// Moves the rest, after `moved` frames; nil if that has failed. On the connection that writes, outside of a
  /// transaction: one that had begun before all was moved would add to the log, and not begin it anew.
  func finish(after moved: Int?, _ database: Database) {
    if let moved, frames.load(ordering: .relaxed) != moved { _ = move(database) }
    // If the next commit cannot begin the log anew, since somebody still reads there, it is left alone for a while.
    next.store(frames.load(ordering: .relaxed) + limit / 8 + 1, ordering: .relaxed)
    isMoving.store(false, ordering: .relaxed)
  }

  /// Moves what readers allow, on a connection outside of a transaction; returns how many frames are moved then,
  /// or nil if that has failed or was broken off.
  ///
  /// - Parameter kind: `.truncate` leaves an empty log if nobody else reads the file, and is for closing.
  @discardableResult
  func move(_ database: Database, _ kind: Database.CheckpointMode = .passive) -> Int? {
    let connection = UInt(bitPattern: database.sqliteConnection)
    let mayBegin = moves.withLock { moves in
      if !moves.isStopped { moves.underWay.insert(connection) }
      return !moves.isStopped
    }
    guard mayBegin else { return nil }
    defer { moves.withLock { _ = $0.underWay.remove(connection) } }
    // Another process that reads the file, to copy or check it, is not waited for.
    if kind == .truncate { sqlite3_busy_timeout(database.sqliteConnection, 0) }
    return try? database.checkpoint(kind).checkpointedFrameCount
  }

  /// Breaks off what is being moved, before its next page, and lets no other move begin: what is in the log stays
  /// there, and is read from there when the file is opened next. Any thread may call it.
  func stopMoving() {
    moves.withLock { moves in
      moves.isStopped = true
      // Each is between its insertion and removal above, and open.
      for connection in moves.underWay { sqlite3_interrupt(OpaquePointer(bitPattern: connection)) }
    }
  }

  /// Whether nothing is moved any more.
  var isStopped: Bool { moves.withLock { $0.isStopped } }

  /// Frames that the last commit left in the log.
  var length: Int { frames.load(ordering: .relaxed) }

  /// Waits for what is under way.
  func wait() { queue.sync {} }
}
