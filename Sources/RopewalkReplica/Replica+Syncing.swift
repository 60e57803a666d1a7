import RopewalkCore
import RopewalkSync

// What a live session does to a replica: what `ClientSession.Effect` asks for.
extension Replica {
  /// What is stored of a room's log.
  package func status(of room: RoomName) throws(ReplicaError) -> RoomStatus {
    try read { try $0.roomStatus(room) }
  }

  /// Remembers a room, though nothing is in it yet.
  package func note(_ room: String) throws(ReplicaError) {
    let room = try Self.roomName(room)
    try write { _ = try $0.roomIDMakingIt(room) }
  }

  /// Takes in the next entries of a room's log: some of them, in one transaction that is not long. Whoever types
  /// gets a turn before the next slice.
  ///
  /// Throws `outOfStep` if they do not continue what is stored: another process may have moved it.
  package func receive(_ entries: inout EntrySlices, in room: RoomName) throws(ReplicaError)
    -> ReceivedEntries
  {
    var slices = entries
    defer { entries = slices }
    return try ReplicaError.mapping {
      try perform(.repeatable) { try $0.receive(&slices, in: room) }
    }
  }

  /// Takes in the next entries of a room's log, all of them.
  package func receive(_ entries: [LogEntry], cursor: UInt64, digest: LogDigest, in room: RoomName)
    throws(ReplicaError) -> ReceivedEntries
  {
    var slices = EntrySlices(entries, cursor: cursor, digest: digest)
    var received = try receive(&slices, in: room)
    while !slices.isEmpty { received.add(try receive(&slices, in: room)) }
    return received
  }

  /// Takes in the next parts of a checkpoint: some of them, in one transaction that is not long.
  ///
  /// Throws `outOfStep` if the room was read beyond its beginning, or another process takes in another checkpoint.
  package func receive(_ checkpoint: inout CheckpointSlices, in room: RoomName) throws(ReplicaError)
    -> ReceivedEntries
  {
    var slices = checkpoint
    defer { checkpoint = slices }
    let received = try ReplicaError.mapping {
      try perform(.repeatable) { try $0.receive(&slices, in: room) }
    }
    if received.mustBeginAnew { throw .outOfStep(cursor: 0) }
    return received
  }

  /// Takes in parts of a checkpoint, all of them.
  package func receive(_ checkpoint: CheckpointBatch, in room: RoomName) throws(ReplicaError)
    -> ReceivedEntries
  {
    var slices = CheckpointSlices(checkpoint)
    var received = try receive(&slices, in: room)
    while !slices.isEmpty { received.add(try receive(&slices, in: room)) }
    return received
  }

  /// The checkpoint of a room at a cursor; nil if this replica cannot make it.
  package func checkpointParts(of room: RoomName, at cursor: UInt64) throws(ReplicaError) -> [CheckpointPart]?
  {
    try read { try $0.checkpointParts(of: room, at: cursor) }
  }

  /// The room's log is not the one that was stored.
  package func restart(_ room: RoomName) throws(ReplicaError) { try write { try $0.restart(room) } }

  /// The room's log was read to its end: what it should have shown and did not is pushed again, and after a
  /// restart what it lacks goes into the outbox. Returns the names that mean another document here than in the
  /// room.
  @discardableResult
  package func settle(_ room: RoomName, at cursor: UInt64) throws(ReplicaError) -> [DocumentName] {
    try write { try $0.settle(room, at: cursor) }
  }

  /// The oldest outbox entries that may be pushed now, fixed durably. For who may push to the room.
  ///
  /// - Parameters:
  ///   - maximumBytes: about how large an update is cut.
  ///   - largest: what the relay takes, in bytes.
  ///   - going: entries on their way, which are taken unless an answer says otherwise.
  ///   - excluding: entries that are not pushed now, nor taken.
  package func cuts(
    in room: RoomName, maximumBytes: Int, largest: Int = .max, limit: Int, going: Set<Int64> = [],
    excluding: Set<Int64>
  ) throws(ReplicaError) -> [OutboxCut] {
    try write {
      try $0.cuts(
        in: room, maximumBytes: maximumBytes, largest: largest, limit: limit, going: going,
        excluding: excluding)
    }
  }

  /// What each room's outbox holds that the log has not shown yet.
  package func outboxStandings() throws(ReplicaError) -> [RoomName: OutboxStanding] {
    try read { try $0.outboxStandings() }
  }

  /// The relay gave this role in a room; nil for none.
  package func note(_ role: Role?, in room: RoomName) throws(ReplicaError) {
    guard try read({ try $0.roomStatus(room) }).role != role else { return }
    try write { try $0.note(role, in: room) }
  }

  /// Nothing may be pushed to a room. Returns what was not known to be refused before.
  package func forbid(_ room: RoomName) throws(ReplicaError) -> [RefusedEvents] {
    try write { try $0.forbid(room) }
  }

  /// The relay did not take a push.
  package func refuse(_ header: EntryHeader, _ reason: RefusedEvents.Reason, in room: RoomName)
    throws(ReplicaError)
  {
    try write { try $0.refuse(header, reason == .tooLarge ? .tooLarge : .forbidden, in: room) }
  }

  /// The relay may take now what was refused.
  package func retryRefused(in room: RoomName) throws(ReplicaError) {
    guard try !refused(in: room.text).isEmpty else { return }
    try write { try $0.retryRefused(in: room) }
  }

  /// Pushes that are durable at the relay.
  package func acknowledge(_ pushes: [(header: EntryHeader, cursor: UInt64)], in room: RoomName)
    throws(ReplicaError)
  {
    try ReplicaError.mapping {
      try perform(.repeatable) { transaction in
        for push in pushes {
          try transaction.acknowledge(push.header, cursor: push.cursor, in: room)
        }
      }
    }
  }

  /// The log has some of a push already, or other bytes under its header, up to a cursor.
  @discardableResult
  package func holdBack(_ header: EntryHeader, through cursor: UInt64, in room: RoomName)
    throws(ReplicaError) -> [ReauthoredEvents]
  {
    try write {
      try $0.holdBack(header, through: cursor, in: room)
      return $0.reauthored
    }
  }

  /// The replica id of a push is somebody else's at the relay: the events from its first one on go on under
  /// another id, with all that follows them.
  @discardableResult
  package func disown(_ header: EntryHeader, in room: RoomName) throws(ReplicaError) -> [ReauthoredEvents] {
    try write {
      try $0.disown(header, in: room)
      return $0.reauthored
    }
  }

  /// Whether something was written in this file under a replica id.
  package func hasWritten(as replica: ReplicaID) throws(ReplicaError) -> Bool {
    try read { try $0.hasWritten(as: replica) }
  }

  /// By what a relay shall know this file again, where it has no token: secret, the same for one address
  /// at every connection, and of no use at another. 32 bytes.
  package func identity(at address: String) throws(ReplicaError) -> [UInt8] {
    if let known = try read({ try $0.knownIdentity(at: address) }) { return known }
    return try write { try $0.identity(at: address) }
  }

  /// What is in a room's documents here, for others who have it or will.
  package func presenceBasis(of room: RoomName, mostEvents: Int) throws(ReplicaError) -> PresenceBasis {
    try read { try $0.presenceBasis(of: room, mostEvents: mostEvents) }
  }

  /// How far a room's log was read, and what is in some of its documents.
  package func known(_ documents: Set<DocumentKey>, in room: RoomName) throws(ReplicaError) -> KnownText {
    try read { try $0.known(documents, in: room) }
  }

  /// Fires, conflated, when an outbox may have grown: by an edit here, or because another process wrote.
  package func outboxSignals() -> AsyncStream<Void> { observers.outboxSignals() }
}
