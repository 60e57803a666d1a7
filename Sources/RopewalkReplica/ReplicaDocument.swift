import RopewalkCore
import RopewalkSync

/// One document of a replica. A handle: cheap to make and to copy.
public struct ReplicaDocument: Sendable {
  let replica: Replica
  /// The room.
  public let room: RoomName
  /// What people call it.
  public let name: DocumentName
  /// Nil for whatever the name means.
  let pinnedLineage: Lineage?

  // MARK: Reading

  /// The present text; empty if the document does not exist yet.
  public var text: String {
    get throws(ReplicaError) { try read().text }
  }

  /// What the document began as. May change while the document has no events of its own, and by
  /// `adoptRoomLineage`.
  public var lineage: Lineage {
    get throws(ReplicaError) {
      if let pinnedLineage { return pinnedLineage }
      return try replica.read { transaction in
        try id(transaction).map { try transaction.loaded($0).key.lineage } ?? .blank
      }
    }
  }

  /// The whole document as a value: history, versions, conversions of indices. Keeping it makes the next edit
  /// copy it.
  public func read() throws(ReplicaError) -> TextDocument {
    try replica.read { try value($0) }
  }

  /// As `read`, with a number that changes whenever events are given other ids or are taken out.
  package func readWithGeneration() throws(ReplicaError) -> (document: TextDocument, generation: Int64) {
    try replica.read { transaction in
      guard let id = try id(transaction) else { return (TextDocument(lineage: pinnedLineage ?? .blank), 0) }
      let loaded = try transaction.loaded(id)
      return (loaded.document, loaded.generation)
    }
  }

  /// Size, unsent events and the like.
  public func status() throws(ReplicaError) -> DocumentStatus {
    try replica.read { transaction in
      guard let id = try id(transaction) else { throw ReplicaError.noSuchDocument }
      return try transaction.status(of: id)
    }
  }

  // MARK: Observing

  /// What happens to the document's text from now on, whoever does it: edits through this `Replica`
  /// (`DocumentChange.Origin.edit`) as well as what others did. See `observe`.
  public func changes() throws(ReplicaError) -> AsyncStream<DocumentChange> { try observe().changes }

  /// The text, and what happens to it from now on.
  ///
  /// The patches of all changes, applied in order to `text`, give the document's text at that moment; none may
  /// be left out, those of one's own edits neither. So a stream keeps a copy of the text: an index, a preview, a
  /// word count, a text that is only shown. It does not bind an editor in which somebody types meanwhile: what
  /// has been typed there, and is not in the replica yet, is not in the text to which a patch applies.
  ///
  /// A call that changes the document has put its change into the stream when it returns. What other processes
  /// wrote comes with the next call to the replica, `Replica.refresh` for one, and so in time while a client is
  /// connected. Where the name comes to mean another document (`adoptRoomLineage`), a patch makes one text into the
  /// other.
  ///
  /// Each call makes a stream of its own, for one consumer. It keeps what is not consumed, and ends when the
  /// replica is closed.
  public func observe() throws(ReplicaError) -> (text: String, changes: AsyncStream<DocumentChange>) {
    try replica.read { transaction in
      let document = try value(transaction)
      if pinnedLineage == nil {
        transaction.state.shown[ReplicaState.Name(room: room, name: name)] = try id(transaction)
      }
      let (stream, continuation) = AsyncStream.makeStream(of: DocumentChange.self)
      let (observers, count) = (replica.observers, document.scalarCount)
      // What this call itself found is in the text already.
      transaction.afterPublishing.append {
        observers.add(continuation, room: room, name: name, lineage: pinnedLineage, scalarCount: count)
      }
      return (document.text, stream)
    }
  }

  // MARK: History and receipts

  /// Who wrote what and when, as far as it is known here; what ended first comes first.
  public func history() throws(ReplicaError) -> [HistoryEntry] {
    try replica.read { transaction in
      try id(transaction).map { try transaction.history(of: $0) } ?? []
    }
  }

  /// Where the events that were written in this file are.
  public func receipts() throws(ReplicaError) -> Receipts {
    try replica.read { transaction in
      try id(transaction).map { try transaction.receipts(of: $0) } ?? Receipts(onThisDevice: [], atRelay: [])
    }
  }

  // MARK: Refused events

  /// Takes what the relay refused out of the document, and all that was written here on top of it: the text is
  /// again what others see, and `changes()` delivers the way there (`DocumentChange.Origin.discarding`). Does
  /// nothing where nothing was refused. To keep refused events, do nothing: they are sent when the relay
  /// allows.
  ///
  /// What something at the relay builds on stays. If the relay has such events all the same, since another
  /// device or an earlier connection brought them there, they come back with its log.
  ///
  /// - Returns: what was taken out, which nothing brings back.
  @discardableResult
  public func discardRefused() throws(ReplicaError) -> [EventSpan] {
    try replica.write { transaction in
      try id(transaction).map { try transaction.discardRefused(of: $0) } ?? []
    }
  }

  // MARK: Lineages

  /// All documents that share this name, the room's first.
  public func lineages() throws(ReplicaError) -> [LineageStatus] {
    try replica.read { try $0.lineages(of: name, in: room) }
  }

  /// The way out of a lineage clash: from now on the name means the room's lineage here. The other one stays,
  /// is found by its key, and its text may be carried over. Does nothing if the room has no other lineage.
  /// Returns the document's lineage.
  @discardableResult
  public func adoptRoomLineage(carryingOver: CarryOver = .nothing) throws(ReplicaError) -> Lineage {
    try replica.write { try $0.adoptRoomLineage(of: name, in: room, carryingOver: carryingOver) }
  }

  // MARK: Inside

  /// The document's row, if it exists.
  func id(_ transaction: Transaction) throws -> Int64? {
    guard let pinnedLineage else { return try transaction.currentID(name, in: room) }
    return try transaction.documentID(DocumentKey(name: name, lineage: pinnedLineage), in: room)
  }

  /// The document's row; made if there is none.
  func idMakingIt(_ transaction: Transaction) throws -> Int64 {
    if let id = try id(transaction) { return id }
    return try transaction.makeDocument(DocumentKey(name: name, lineage: pinnedLineage ?? .blank), in: room)
  }

  private func value(_ transaction: Transaction) throws -> TextDocument {
    try id(transaction).map { try transaction.loaded($0).document }
      ?? TextDocument(lineage: pinnedLineage ?? .blank)
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
