import RopewalkCore
import RopewalkSync

/// One document of a replica. A handle: cheap to make and to copy.
public struct ReplicaDocument: Sendable {
  /// The room.
  public let room: RoomName
  /// What people call it.
  public let name: DocumentName

  // MARK: Reading

  /// The present text; empty if the document does not exist yet.
  public var text: String { get throws(ReplicaError) { fatalError() } }
  /// What the document began as. May change while the document has no events of its own, and by `adoptRoomLineage`.
  public var lineage: Lineage { get throws(ReplicaError) { fatalError() } }
  /// The whole document as a value: history, versions, conversions of indices. Keeping it makes the next edit copy it.
  public func read() throws(ReplicaError) -> TextDocument { fatalError() }
  /// Size, unsent events and the like.
  public func status() throws(ReplicaError) -> DocumentStatus { fatalError() }

  // MARK: Editing. Each call is one transaction, and durable when it returns.

  /// Inserts before scalar `index` (0 … the text's length in scalars).
  public func insert(_ text: String, at index: Int) throws(ReplicaError) { fatalError() }
  /// Deletes scalars.
  public func delete(_ range: Range<Int>) throws(ReplicaError) { fatalError() }
  /// Deletes scalars and inserts in their place.
  public func replace(_ range: Range<Int>, with text: String) throws(ReplicaError) { fatalError() }
  /// Changes the document in one transaction with its outbox entry: any number of edits, and updates that were made
  /// elsewhere. `replica` is set. Whatever events are new afterwards are pushed to the relay.
  ///
  /// - Parameter localValues: stored in the same transaction (see `localValue`); nil removes.
  /// - Parameter body: must not use the replica. If it throws, nothing has happened.
  public func edit<Result>(
    localValues: [String: [UInt8]?] = [:], _ body: (inout TextDocument) throws -> Result
  ) throws -> Result { fatalError() }

  // MARK: Observing

  /// What happens to the document from now on, except edits through this very handle's replica by `insert` and so on
  /// unless `includingOwn`. Ends when the replica is closed.
  public func changes(includingOwn: Bool = false) throws(ReplicaError) -> AsyncStream<DocumentChange> {
    fatalError()
  }
  /// The same, with the text to which the first change applies.
  public func observe(includingOwn: Bool = false) throws(ReplicaError) -> (
    text: String, changes: AsyncStream<DocumentChange>
  ) { fatalError() }

  // MARK: Local values

  /// A small value that an application keeps beside the document in this file only.
  public func localValue(_ key: String) throws(ReplicaError) -> [UInt8]? { fatalError() }
  /// Sets a local value; nil removes it. A transaction of its own: see also `edit(localValues:)`.
  public func setLocalValue(_ value: [UInt8]?, for key: String) throws(ReplicaError) { fatalError() }

  // MARK: History and receipts

  /// Who wrote what and when, as far as it is known here; the oldest first.
  public func history() throws(ReplicaError) -> [HistoryEntry] { fatalError() }
  /// Where the events that were written in this file are.
  public func receipts() throws(ReplicaError) -> Receipts { fatalError() }

  // MARK: Lineages

  /// All documents that share this name.
  public func lineages() throws(ReplicaError) -> [LineageStatus] { fatalError() }
  /// The way out of a lineage clash: from now on the name means the room's lineage here. The other one stays, is found by
  /// its key, and its text may be carried over. Does nothing if the room has no other lineage. Returns the document's
  /// lineage.
  @discardableResult
  public func adoptRoomLineage(carryingOver: CarryOver = .nothing) throws(ReplicaError) -> Lineage {
    fatalError()
  }
}

/// What becomes of the local text when a name comes to mean the room's document.
public enum CarryOver: Sendable {
  /// The room's text stays as it is.
  case nothing
  /// The room's text is edited into the local one.
  case replacing
  /// The local text is appended to the room's.
  case appending
}
