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
      let connection = try? DatabaseQueue(path: path)
      let moved = try? connection?.writeWithoutTransaction { try $0.checkpoint(.passive) }
      try? connection?.close()
      finish(moved?.checkpointedFrameCount)
    }
  }

  /// Moves the rest, after `moved` frames; nil if that has failed. On the connection that writes, outside of a
  /// transaction: one that had begun before all was moved would add to the log, and not begin it anew.
  func finish(after moved: Int?, _ database: Database) {
    if let moved, frames.load(ordering: .relaxed) != moved { _ = try? database.checkpoint(.passive) }
    // If the next commit cannot begin the log anew, since somebody still reads there, it is left alone for a while.
    next.store(frames.load(ordering: .relaxed) + limit / 8 + 1, ordering: .relaxed)
    isMoving.store(false, ordering: .relaxed)
  }

  /// Frames that the last commit left in the log.
  var length: Int { frames.load(ordering: .relaxed) }

  /// Waits for what is under way.
  func wait() { queue.sync {} }
}
