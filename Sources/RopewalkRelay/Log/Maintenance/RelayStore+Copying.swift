import Foundation
import GRDB
import RopewalkSQLite
import RopewalkSync

extension RelayStore {
  /// Copies the log as it is at one moment into another directory, by SQLite's own backup, while the relay
  /// goes on.
  ///
  /// The copy is a data directory that a relay can be started with. It appears under its name when it is
  /// whole.
  /// - Returns: the size of the copy, in bytes.
  public func backup(to target: String) throws(Failure) -> Int {
    try mustBeOurs()
    let final = target + "/log.sqlite"
    // A name at which nobody can have put a link.
    let partial = "\(final).\(String(UInt64.random(in: 0 ... .max), radix: 16)).partial"
    let files = FileManager.default
    guard !files.fileExists(atPath: final) else { throw .taken(path: final) }
    do {
      try files.createDirectory(
        atPath: target, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch { throw .notWritable(path: target) }
    // Of backups that were killed.
    for name in (try? files.contentsOfDirectory(atPath: target)) ?? []
    where name.hasPrefix("log.sqlite.") && name.hasSuffix(".partial") {
      try? files.removeItem(atPath: target + "/" + name)
    }
    DataDirectory.makePrivate(partial)
    try withLog(isReadOnly: true) { source in
      do {
        let copy = try DatabaseQueue(path: partial)
        try source.backup(to: copy)
        // One file, whatever the relay's journal is.
        try copy.inDatabase { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
        try copy.close()
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: partial))
        try handle.synchronize()
        try handle.close()
        try files.moveItem(atPath: partial, toPath: final)
      } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN {
        throw Failure.notWritable(path: target)
      } catch {
        try? files.removeItem(atPath: partial)
        throw error
      }
    }
    return (try? files.attributesOfItem(atPath: final)[.size] as? Int) ?? 0
  }

  /// What making a log smaller has done.
  public struct Compaction: Hashable, Sendable {
    /// Segments that were made.
    public var segments = 0
    /// The size of the log and its journal before, in bytes.
    public var bytesBefore = 0
    /// The size of the log and its journal after, in bytes.
    public var bytesAfter = 0
    /// The file was written anew: no relay was running. Otherwise what became free is used again for what
    /// comes.
    public var wasRewritten = false
  }

  /// Folds all that is not folded yet, and gives the space back to the system if no relay is running.
  public func compact() throws(Failure) -> Compaction {
    try mustBeOurs()
    var done = Compaction()
    done.bytesBefore = size
    let lock = try? DataDirectory(path: directory)
    defer { lock?.unlock() }
    // An older log is brought up to date by whoever opens it first.
    if lock != nil {
      do { try SQLiteLogSchema.openPool(path: logPath).close() } catch { throw failure(error) }
    }
    try withLog(isReadOnly: false) { queue in
      let rooms = try queue.read { try Int64.fetchAll($0, sql: "SELECT id FROM rooms ORDER BY id") }
      let compressor = FoldCompressor(level: FoldConfiguration().level)
      for room in rooms {
        while try queue.inDatabase({ try fold(room, $0, compressor) }) { done.segments += 1 }
      }
      if lock != nil {
        try queue.vacuum()
        done.wasRewritten = true
      }
    }
    done.bytesAfter = size
    return done
  }

  /// One segment, in a transaction of its own, so that a relay that is running never waits long.
  private func fold(_ room: Int64, _ database: Database, _ compressor: FoldCompressor) throws -> Bool {
    guard
      let folded = try FoldedEntries(
        oldestOf: room, database, configuration: FoldConfiguration(), compressor: compressor)
    else { return false }
    var isStored = false
    try database.inTransaction(.immediate) {
      isStored = try folded.store(database)
      return .commit
    }
    return isStored
  }

  /// The log and its journal.
  private var size: Int {
    ["", "-wal"].reduce(0) { sum, suffix in
      sum + ((try? FileManager.default.attributesOfItem(atPath: logPath + suffix)[.size] as? Int) ?? 0)
    }
  }
}
