import RopewalkSQLite
import RopewalkSync

/// Where a relay keeps the logs of its rooms: append-only, one cursor per room.
///
/// Every method returns at once; the completion is called once, on any thread. Calls that change or open
/// are carried out in the order in which they were made.
protocol RelayLog: Sendable {
  typealias Completion<Value> = @Sendable (Result<Value, RelayLogError>) -> Void

  /// Where a room's log stands, after all that was handed in before. A room that has no entry has an empty
  /// log.
  func open(_ room: RoomName, _ completion: @escaping Completion<LogState>)

  /// Appends entries whose cursors go on from the head. The completion says that they are on stable
  /// storage, or that none of them is in the log.
  func append(_ entries: [RelayRoom.NewEntry], to room: RoomName, _ completion: @escaping Completion<Void>)

  /// Entries from a cursor on: at least one if there is one, else up to so many bytes; or a segment that
  /// begins there.
  func read(
    _ room: RoomName, from cursor: UInt64, maximumBytes: Int, _ completion: @escaping Completion<LogBatch>)

  /// Changes a room's log otherwise, and tells where it stands then.
  func change(_ room: RoomName, _ change: LogChange, _ completion: @escaping Completion<LogState>)

  /// Parts of the checkpoint in use at a cursor, at least one, else up to so many bytes; nil if there is
  /// no such.
  func checkpoint(
    of room: RoomName, at cursor: UInt64, from first: UInt64, maximumBytes: Int,
    _ completion: @escaping Completion<CheckpointBatch?>)

  /// The digest at a cursor above 0; nil if the log has no such entry.
  func digest(of room: RoomName, at cursor: UInt64, _ completion: @escaping Completion<LogDigest?>)

  /// The subject that has pushed all entries up to a cursor, as far as that is known; nil if there are
  /// several.
  func soleAuthor(of room: RoomName, through cursor: UInt64, _ completion: @escaping Completion<[UInt8]?>)

  /// What the log holds of one replica and document, in ascending order, and whose the replica id is.
  func coverage(of room: RoomName, _ key: CoverageKey, _ completion: @escaping Completion<LogCoverage>)

  /// Writes something that changes nothing, through to stable storage: whether the log could take an entry
  /// now.
  func probe(_ completion: @escaping Completion<Void>)

  /// How many bytes of payloads were handed in and are not stored yet.
  var pendingBytes: Int { get }

  /// Calls back when all that was handed in before is done.
  func flush(_ completion: @escaping @Sendable () -> Void)

  /// Does from now on only what must be done: what is being stored is stored, what waits for that fails as if the
  /// log were closed, and nothing is put in order. For a stop that takes too long. Any thread may call it, at any
  /// time before `close` returns.
  func hurry()

  /// Waits for what is under way and closes. Nothing may be called afterwards, but `hurry` meanwhile.
  func close()
}

/// What a log holds of one replica and document.
struct LogCoverage: Sendable {
  var ranges: [CoveredRange] = []
  /// Whose the replica id is in the room, in whichever document; nil for nobody's.
  var owner: Owner?
  /// How many entries had to be read for that.
  var examined = 0
}

/// Why a log could not be read or written. Carries no content.
struct RelayLogError: Error, Hashable, Sendable {
  /// What was being done.
  enum Act: String, Sendable {
    case open, append, read
  }

  /// What was wrong.
  enum Reason: Hashable, Sendable {
    /// SQLite's extended result code.
    case sqlite(code: Int32)
    /// An entry does not follow the head.
    case notDense
    /// A stored field holds a value that the format does not allow.
    case damaged
    /// The file's tables, or what is beside them, are not what a relay makes.
    case altered(SchemaDifference)
    /// The file was written by a later release.
    case later(version: Int)
    /// The log is closed.
    case closed
  }

  let act: Act
  let reason: Reason
}
