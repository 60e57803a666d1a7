import RopewalkCore
import RopewalkSync

extension Replica {
  /// The document that this replica knows under a name; it need not exist yet: the first edit makes it,
  /// blank.
  ///
  /// Where documents of several lineages have the name, it is the one this replica has chosen: the first it
  /// had, until `ReplicaDocument.adoptRoomLineage`.
  public func document(_ name: String, in room: String) throws(ReplicaError) -> ReplicaDocument {
    let room = try Self.roomName(room)
    guard let name = DocumentName(name) else { throw .invalidDocumentName }
    return ReplicaDocument(replica: self, room: room, name: name, pinnedLineage: nil)
  }

  /// The document of one lineage, which must be there.
  public func document(_ key: DocumentKey, in room: RoomName) throws(ReplicaError) -> ReplicaDocument {
    let id = try read { try $0.documentID(key, in: room) }
    guard id != nil else { throw .noSuchDocument }
    return ReplicaDocument(replica: self, room: room, name: key.name, pinnedLineage: key.lineage)
  }

  /// A document that began as `text`: whoever seeds a document of this name with the same text, even offline,
  /// has the same document. Does nothing if it is there already, whatever was edited since; throws
  /// `lineageClash` if the name is taken by a document that began otherwise and has events. The empty text
  /// gives a blank document.
  @discardableResult
  public func seed(_ name: String, in room: String, with text: String) throws(ReplicaError) -> ReplicaDocument
  {
    let document = try document(name, in: room)
    guard text.utf8.count < 1 << 30 else { throw .tooLarge }
    try write { try $0.seed(document.name, in: document.room, with: text) }
    return document
  }

  /// All documents, or one room's, ordered by room, name and lineage.
  public func documents(in room: String? = nil) throws(ReplicaError) -> [DocumentStatus] {
    var name: RoomName?
    if let room { name = try Self.roomName(room) }
    return try read { [name] in try $0.documents(in: name) }
  }

  /// What is known of every room's log.
  public func rooms() throws(ReplicaError) -> [RoomStatus] {
    try read { transaction in try transaction.rooms().map { try transaction.roomStatus($0) } }
  }

  /// The updates that could not be merged and are kept aside, and those that wait for others, by room and cursor.
  public func held(in room: String? = nil) throws(ReplicaError) -> [HeldEntry] {
    var name: RoomName?
    if let room { name = try Self.roomName(room) }
    return try read { [name] in try $0.heldEntries(in: name) }
  }

  /// What was refused and is not at the relay, by room and document, in the order it was written. What the
  /// relay allows later is sent by itself and leaves this list.
  public func refused(in room: String? = nil) throws(ReplicaError) -> [RefusedEvents] {
    var name: RoomName?
    if let room { name = try Self.roomName(room) }
    return try read { [name] in try $0.refusedEvents(in: name) }
  }

  /// Takes in everything that another replica file has and this one lacks, without any relay. The other file
  /// is only read.
  ///
  /// What is new here is put into the outbox, unless the room's log is known to have it.
  public func merge(from path: String) throws(ReplicaError) -> MergeReport {
    let other = try ReplicaFile.queueForReading(path, options)
    defer { try? other.close() }
    return try ReplicaError.mapping {
      try other.writeWithoutTransaction { otherDatabase in
        var report: MergeReport?
        try otherDatabase.inTransaction(.deferred) {
          let source = Transaction(otherDatabase, ReplicaState(), options, Observers())
          report = try write { try $0.merge(from: source) }
          return .commit
        }
        guard let report else { throw ReplicaError.closed }
        return report
      }
    }
  }

  /// Checks a whole file and says what is damaged and what is safe. Changes nothing. Throws if the file is no
  /// replica at all, cannot be opened, or has another schema.
  public static func verify(path: String) throws(ReplicaError) -> VerificationReport {
    try Verification.run(path)
  }

  /// Throws what opening a file would throw, if the file is refused; changes nothing. A file that is not there is
  /// not refused.
  package static func look(path: String) throws(ReplicaError) { try ReplicaFile.look(path) }

  static func roomName(_ room: String) throws(ReplicaError) -> RoomName {
    guard let name = RoomName(room) else { throw .invalidRoomName }
    return name
  }
}
