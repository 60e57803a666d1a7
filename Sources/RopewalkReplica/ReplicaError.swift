import RopewalkCore

/// Why a replica could not do what it was asked to. Nothing of the act has happened.
///
/// Never carries document text.
public enum ReplicaError: Error, Hashable, Sendable {
  /// SQLite failed: its extended result code and its message.
  case storage(code: Int32, message: String)
  /// Another process has held the file for longer than `ReplicaOptions.busyTimeout`. Trying again may
  /// succeed.
  case busy
  /// The file is a database, or something else altogether, but no replica.
  case notAReplica
  /// The file was written by a later release, whose schema this one does not know.
  case newerSchema(found: Int, supported: Int)
  /// The other file was written by an earlier release; opening it once with this one brings it up to date.
  case olderSchema(found: Int, current: Int)
  /// Something in the file cannot be read. `Replica.verify(path:)` says what is damaged and what is safe.
  case damaged(Damage)
  /// A room's name breaks the rule of `RoomName`.
  case invalidRoomName
  /// A document's name breaks the rule of `DocumentName`.
  case invalidDocumentName
  /// The index or range lies outside the text, which has `scalarCount` scalars; another process may have made
  /// it shorter.
  case outOfBounds(scalarCount: Int)
  /// The document would reach 2³¹ events or 1 GiB of text ever inserted.
  case tooLarge
  /// The replica holds a document of this name that began otherwise.
  case lineageClash(existing: Lineage)
  /// The replica holds no document of this name and lineage.
  case noSuchDocument
  /// An event is known here with other content, and others may have it too: an id was used twice.
  case idClash(EventID)
  /// The entries do not continue the room's log as it is stored; join again from `cursor`.
  case outOfStep(cursor: UInt64)
  /// The replica was used inside the closure of one of its own edits, which sees and changes only what it is
  /// given.
  case insideEdit
  /// What the closure of an edit left behind is not what it was given: two edits were swapped.
  case invalidEdit
  /// The replica was closed.
  case closed

  /// What cannot be read, and where.
  public struct Damage: Hashable, Sendable {
    /// The table, or `file`, or `schema`.
    public let place: String
    /// The row's key; nil where there is none.
    public let row: Int64?
    /// What is wrong with it: a sentence without content.
    public let problem: String

    /// Describes damage.
    public init(place: String, row: Int64? = nil, problem: String) {
      self.place = place
      self.row = row
      self.problem = problem
    }
  }
}

extension ReplicaError: CustomStringConvertible {
  /// A sentence for people.
  public var description: String {
    switch self {
    case .storage(let code, let message): "SQLite error \(code): \(message)"
    case .busy: "another process is using the replica file"
    case .notAReplica: "the file is not a Ropewalk replica"
    case .newerSchema(let found, let supported):
      "the replica file has schema \(found), written by a later release; this one knows up to \(supported)"
    case .olderSchema(let found, let current):
      "the other replica file has schema \(found), of an earlier release; opening it once makes it \(current)"
    case .damaged(let damage): "the replica file is damaged: \(damage)"
    case .invalidRoomName:
      "a room name has 1 to 128 bytes of UTF-8, no control characters, separators of lines and characters that turn the direction "
        + "of writing, and no * at its end"
    case .invalidDocumentName:
      "a document name has 1 to 255 bytes of UTF-8, and no control characters, separators of lines and characters that turn the "
        + "direction of writing"
    case .outOfBounds(let count): "the position lies outside the text, which has \(count) scalars"
    case .tooLarge: "the document would become too large"
    case .lineageClash: "a document of this name that began with another text is here already"
    case .noSuchDocument: "there is no such document in the replica"
    case .idClash(let event):
      "event \(event.seq) of replica \(String(event.replica.rawValue, radix: 16)) is known with other content"
    case .outOfStep(let cursor): "the entries do not follow the stored log, which ends at \(cursor)"
    case .insideEdit: "a replica cannot be used inside the closure of its own edit"
    case .invalidEdit: "the closure of an edit put another edit in the place of its own"
    case .closed: "the replica is closed"
    }
  }
}

extension ReplicaError.Damage: CustomStringConvertible {
  /// A sentence for people.
  public var description: String {
    row.map { "\(place), row \($0): \(problem)" } ?? "\(place): \(problem)"
  }
}
