import Foundation
import GRDB
import RopewalkCore
import RopewalkSync
import Synchronization

/// A full copy of some rooms' documents in one SQLite file, to be read and edited with or without a network.
///
/// Several processes may open one file at once; each sees what the others wrote at its next call. All calls
/// are safe from any thread. They touch the disk and block meanwhile: for well under a millisecond, unless
/// another process is writing. Those that write take turns: one that comes while others write waits for the
/// transactions that are queued before it, one of each of them, and for no other.
///
/// ```swift
/// let replica = try Replica(path: "notes.ropewalk")
/// let notes = try replica.document("notes.md", in: "team")
/// try notes.insert("Hello", at: 0)
/// ```
public final class Replica: Sendable {
  /// The file.
  public let path: String

  let options: ReplicaOptions
  let observers = Observers()
  private let queue: DatabaseQueue
  // Used only inside `perform`, which runs in the database's serial queue.
  private nonisolated(unsafe) let state = ReplicaState()
  private nonisolated(unsafe) let writers: WriteQueue
  /// The thread that is inside an access; 0 for none.
  private let user = Atomic<UInt>(0)

  /// Opens a replica, and makes the file if there is none.
  ///
  /// Throws `notAReplica`, `newerSchema`, `damaged` or `storage`.
  public init(path: String, options: ReplicaOptions = ReplicaOptions()) throws(ReplicaError) {
    self.path = path
    self.options = options
    queue = try ReplicaFile.queue(path, options)
    writers = WriteQueue(besides: path)
  }

  deinit { observers.finish() }

  /// Looks for what other processes wrote, and delivers it to `changes()`. Costs microseconds if there is
  /// nothing. Every other call does the same first; this is for those who only watch.
  ///
  /// - Returns: whether another process has written since the last look.
  @discardableResult
  public func refresh() throws(ReplicaError) -> Bool { try read { $0.foundForeignWrites } }

  /// Writes a copy of the replica, complete in one file, while it is in use. There must be no such file yet.
  public func copy(to path: String) throws(ReplicaError) {
    try ReplicaError.mapping {
      try exclusively { try $0.execute(sql: "VACUUM INTO ?", arguments: [path]) }
    }
  }

  /// Ends all observations and closes the file, in which then every text is up to date for other programs,
  /// however long it is. Later calls throw `closed`.
  public func close() throws(ReplicaError) {
    if isInsideEdit { throw .insideEdit }
    // A full disk must not keep the file open; the texts are in the updates all the same.
    if (try? read { $0.hasLongTexts }) == true { _ = try? perform(.repeatable) { try $0.saveLongTexts() } }
    observers.finish()
    try ReplicaError.mapping {
      try exclusively { _ in writers.end() }
      try queue.close()
    }
  }

  // MARK: Transactions

  /// What a commit waits for.
  enum Commit {
    /// Nothing is written.
    case none
    /// The disk, as the options say.
    case durable
    /// The operating system: what is lost by a power cut comes again from the relay.
    case repeatable
  }

  /// Reads, in one transaction.
  func read<Result>(_ body: (Transaction) throws -> Result) throws(ReplicaError) -> Result {
    try ReplicaError.mapping { try perform(.none, body) }
  }

  /// Reads and writes, in one transaction that is durable when this returns.
  func write<Result>(_ body: (Transaction) throws -> Result) throws(ReplicaError) -> Result {
    try ReplicaError.mapping { try perform(.durable, body) }
  }

  /// Runs a transaction, and publishes what it changed before any other can begin. Errors of `body` come
  /// through.
  func perform<Result>(_ commit: Commit, _ body: (Transaction) throws -> Result) throws -> Result {
    try exclusively { db in
      try setSynchronous(commit, db)
      if commit != .none {
        try writers.enter(milliseconds: options.busyTimeout, whenQueued: options.whenQueued)
      }
      defer { writers.leave() }
      let transaction = Transaction(db, state, options, observers)
      var result: Result?
      do {
        try db.inTransaction(commit == .none ? .deferred : .immediate) {
          try transaction.refresh()
          result = try body(transaction)
          return .commit
        }
      } catch {
        transaction.forgetEverything()
        publish(transaction.foreignChanges)
        throw error
      }
      if transaction.recordedAuthor { state.authorIsRecorded = true }
      publish(transaction.foreignChanges)
      publish(transaction.changes)
      for act in transaction.afterPublishing { act() }
      if transaction.outboxGrew || transaction.foundForeignWrites { observers.signalOutbox() }
      guard let result else { throw ReplicaError.closed }
      return result
    }
  }

  /// Runs one access at a time. Throws `insideEdit` if this thread is inside another: it would wait for itself.
  private func exclusively<Result>(_ body: (Database) throws -> Result) throws -> Result {
    if isInsideEdit { throw ReplicaError.insideEdit }
    return try queue.writeWithoutTransaction { db in
      user.store(Self.thisThread, ordering: .relaxed)
      defer { user.store(0, ordering: .relaxed) }
      return try body(db)
    }
  }

  /// Whether this thread is inside an access. Only it can have put its own name there.
  private var isInsideEdit: Bool { user.load(ordering: .relaxed) == Self.thisThread }

  private static var thisThread: UInt {
    #if canImport(Darwin)
      UInt(bitPattern: pthread_self())
    #else
      UInt(pthread_self())
    #endif
  }

  private func publish(_ changes: [NotedChange]) {
    for change in changes { observers.publish(change) }
  }

  private func setSynchronous(_ commit: Commit, _ db: Database) throws {
    let isFull = commit == .durable && options.durability == .full
    guard commit != .none, state.isSynchronousFull != isFull else { return }
    try db.execute(sql: "PRAGMA synchronous = \(isFull ? "FULL" : "NORMAL")")
    state.isSynchronousFull = isFull
  }
}
