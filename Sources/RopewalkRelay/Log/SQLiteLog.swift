import Dispatch
import GRDB
import NIOConcurrencyHelpers
import RopewalkSQLite
import RopewalkSync
import Synchronization

/// The log in one SQLite file, `log.sqlite`: WAL, `synchronous=FULL`, and a queue of its own that commits
/// all that has gathered in one transaction, so that one fsync serves many pushes.
final class SQLiteLog: RelayLog {
  enum Work: Sendable {
    case open(RoomName, Completion<LogState>)
    case change(RoomName, LogChange, Completion<LogState>)
    case append([RelayRoom.NewEntry], RoomName, Completion<Void>)
    case flush(@Sendable () -> Void)
    case probe(Completion<Void>)
    case fold(FoldedEntries)
    /// After so many frames of the write-ahead log were moved; nil if that has failed.
    case finishMoving(Int?)
  }

  private struct Waiting {
    var work: [Work] = []
    var isRunning = false
    var isClosed = false
    var isHurried = false
  }

  private let pool: DatabasePool
  private let queue = DispatchQueue(label: "ropewalk.log")
  private let waiting = NIOLockedValueBox(Waiting())
  private let folding = DispatchQueue(label: "ropewalk.log.folding", qos: .utility)
  private let appender: SQLiteAppender
  private let writeAheadLog: WriteAheadLog
  private let foldConfiguration: FoldConfiguration
  /// Used on `folding` alone.
  private let foldCompressor: FoldCompressor
  private let unstoredBytes = Atomic(0)

  /// Opens, or creates, the file.
  ///
  /// - Parameter commits: told how long each transaction took.
  /// - Parameter folding: when old entries are folded into segments.
  /// - Parameter longestLog: pages from which on the write-ahead log is moved into the file.
  init(
    path: String, commits: CommitMeter = CommitMeter(), folding: FoldConfiguration = FoldConfiguration(),
    longestLog: Int = 8192
  ) throws(RelayLogError) {
    do {
      pool = try SQLiteLogSchema.openPool(path: path)
    } catch { throw RelayLogError(error, during: .open) }
    foldConfiguration = folding
    foldCompressor = FoldCompressor(level: folding.level)
    writeAheadLog = WriteAheadLog(path: path, limit: longestLog)
    appender = SQLiteAppender(commits: commits, folding: folding, writeAheadLog: writeAheadLog)
    pool.writeWithoutTransaction { writeAheadLog.attach(to: $0) }
  }

  func open(_ room: RoomName, _ completion: @escaping Completion<LogState>) {
    submit(.open(room, completion))
  }

  func change(_ room: RoomName, _ change: LogChange, _ completion: @escaping Completion<LogState>) {
    submit(.change(room, change, completion))
  }

  func checkpoint(
    of room: RoomName, at cursor: UInt64, from first: UInt64, maximumBytes: Int,
    _ completion: @escaping Completion<CheckpointBatch?>
  ) {
    read(completion) {
      try StoredCheckpoint.inUse(of: room, $0).flatMap {
        $0.head.cursor == cursor ? $0 : nil
      }?.batch(from: first, maximumBytes: maximumBytes, $0)
    }
  }

  func append(
    _ entries: [RelayRoom.NewEntry], to room: RoomName, _ completion: @escaping Completion<Void>
  ) {
    let bytes = entries.reduce(0) { $0 + $1.entry.payload.count }
    unstoredBytes.add(bytes, ordering: .relaxed)
    let done: Completion<Void> = { [self] in
      unstoredBytes.subtract(bytes, ordering: .relaxed)
      completion($0)
    }
    submit(.append(entries, room, done))
  }

  func read(
    _ room: RoomName, from cursor: UInt64, maximumBytes: Int, _ completion: @escaping Completion<LogBatch>
  ) {
    read(completion) { try SQLiteLogReading.batch($0, room, from: cursor, maximumBytes: maximumBytes) }
  }

  func digest(of room: RoomName, at cursor: UInt64, _ completion: @escaping Completion<LogDigest?>) {
    read(completion) { try SQLiteLogReading.digest($0, room, at: cursor) }
  }

  func soleAuthor(of room: RoomName, through cursor: UInt64, _ completion: @escaping Completion<[UInt8]?>) {
    read(completion) { try SoleAuthor(room, through: cursor, $0).subject }
  }

  func coverage(of room: RoomName, _ key: CoverageKey, _ completion: @escaping Completion<LogCoverage>) {
    read(completion) { try SQLiteLogReading.coverage($0, room, key) }
  }

  func probe(_ completion: @escaping Completion<Void>) { submit(.probe(completion)) }

  var pendingBytes: Int { unstoredBytes.load(ordering: .relaxed) }

  func flush(_ completion: @escaping @Sendable () -> Void) { submit(.flush(completion)) }

  func hurry() {
    waiting.withLockedValue { $0.isHurried = true }
    writeAheadLog.stopMoving()
  }

  func close() {
    waiting.withLockedValue { $0.isClosed = true }
    // What is still written may ask for a fold, which reads, and may not find the file closed.
    queue.sync {}
    folding.sync {}
    writeAheadLog.wait()
    queue.sync {}
    // Whoever copies `log.sqlite` of a stopped relay should have all of it, if there is time for that. The
    // barrier waits for reads that are under way.
    _ = try? pool.barrierWriteWithoutTransaction { writeAheadLog.move($0, .truncate) }
    // The last connection to a file moves the log when it closes, whatever that takes, unless it may only read.
    // A pool closes its readers last; so there must be one.
    if writeAheadLog.isStopped { try? pool.read { _ in } }
    try? pool.close()
  }

  private func read<Value: Sendable>(
    _ completion: @escaping Completion<Value>, _ body: @escaping @Sendable (Database) throws -> Value
  ) {
    pool.asyncRead { database in
      do { completion(.success(try body(try database.get()))) } catch {
        completion(.failure(RelayLogError(error, during: .read)))
      }
    }
  }

  /// How much has gathered and is not being written yet.
  var waitingCount: Int { waiting.withLockedValue { $0.work.count } }

  private func submit(_ work: Work) {
    let mustStart: Bool? = waiting.withLockedValue { waiting in
      if waiting.isClosed { return nil }
      waiting.work.append(work)
      defer { waiting.isRunning = true }
      return !waiting.isRunning
    }
    guard let mustStart else {
      return SQLiteAppender.fail([work], RelayLogError(act: .append, reason: .closed))
    }
    if mustStart { queue.async { self.run() } }
  }

  /// Takes all that has gathered, again and again, until nothing is left.
  private func run() {
    while true {
      let (work, isHurried) = waiting.withLockedValue { waiting in
        defer { waiting.work = [] }
        if waiting.work.isEmpty { waiting.isRunning = false }
        return (waiting.work, waiting.isHurried)
      }
      if work.isEmpty { return }
      if isHurried {
        SQLiteAppender.fail(work, RelayLogError(act: .append, reason: .closed))
        continue
      }
      appender.perform(work, in: pool)
      for room in appender.takeLong() { prepareFold(of: room) }
      writeAheadLog.considerMoving { self.submit(.finishMoving($0)) }
    }
  }

  /// Reads and compresses the oldest entries of a room beside the log's queue, which then puts the segment
  /// in their place.
  private func prepareFold(of room: Int64) {
    folding.async { [self] in
      if writeAheadLog.isStopped { return }
      let (configuration, compressor) = (foldConfiguration, foldCompressor)
      let folded = try? pool.read {
        try FoldedEntries(oldestOf: room, $0, configuration: configuration, compressor: compressor)
      }
      // What is damaged stays as it is.
      if let folded { submit(.fold(folded)) }
    }
  }
}

extension RelayLogError {
  /// Keeps SQLite's own code.
  init(_ error: any Error, during act: Act) {
    switch error {
    case let error as RelayLogError: self = error
    case let difference as SchemaDifference: self.init(act: act, reason: .altered(difference))
    case let failure as DatabaseSchema.LookFailure: self.init(act: act, reason: .sqlite(code: failure.code))
    case let error as DatabaseError:
      self.init(act: act, reason: .sqlite(code: error.extendedResultCode.rawValue))
    default: self.init(act: act, reason: .damaged)
    }
  }
}
