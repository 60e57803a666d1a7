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

  /// Takes in the next entries of a room's log, in one transaction.
  ///
  /// Throws `outOfStep` if they do not continue what is stored: another process may have moved it.
  package func receive(_ entries: [LogEntry], cursor: UInt64, digest: LogDigest, in room: RoomName)
    throws(ReplicaError) -> ReceivedEntries
  {
    try ReplicaError.mapping {
      try perform(.repeatable) {
        try $0.receive(entries, cursor: cursor, digest: digest, in: room)
      }
    }
  }

  /// Takes in parts of a checkpoint, in one transaction.
  package func receive(_ checkpoint: CheckpointBatch, in room: RoomName) throws(ReplicaError)
    -> ReceivedEntries
  {
    try ReplicaError.mapping {
      try perform(.repeatable) { try $0.receive(checkpoint, in: room) }
    }
  }

  /// The checkpoint of a room at a cursor; nil if this replica cannot make it.
  package func checkpointParts(of room: RoomName, at cursor: UInt64) throws(ReplicaError) -> [CheckpointPart]?
  {
    try read { try $0.checkpointParts(of: room, at: cursor) }
  }

  /// The room's log is not the one that was stored.
  package func restart(_ room: RoomName) throws(ReplicaError) { try write { try $0.restart(room) } }

  /// The room's log was read to its end: what it should have shown and did not is pushed again, and after a
  /// restart what it lacks goes into the outbox.
  package func settle(_ room: RoomName, at cursor: UInt64) throws(ReplicaError) {
    try write { try $0.settle(room, at: cursor) }
  }

  /// The oldest outbox entries that may be pushed now, fixed durably.
  package func cuts(in room: RoomName, maximumBytes: Int, limit: Int, excluding: Set<Int64>)
    throws(ReplicaError) -> [OutboxCut]
  {
    try write {
      try $0.cuts(in: room, maximumBytes: maximumBytes, limit: limit, excluding: excluding)
    }
  }

  /// The rooms whose outbox has anything that the log has not shown yet, and how many entries.
  package func outboxCounts() throws(ReplicaError) -> [RoomName: Int] { try read { try $0.outboxCounts() } }

  /// Whether the outbox has anything that the log has not shown yet.
  package func hasUnsent(in room: RoomName, excluding: Set<Int64>) throws(ReplicaError) -> Bool {
    try read { try $0.hasUnsent(in: room, excluding: excluding) }
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

  /// The log has some of a push already, or other bytes under its header.
  package func holdBack(_ header: EntryHeader, in room: RoomName) throws(ReplicaError) {
    try write { try $0.holdBack(header, in: room) }
  }

  /// Fires, conflated, when an outbox may have grown: by an edit here, or because another process wrote.
  package func outboxSignals() -> AsyncStream<Void> { observers.outboxSignals() }
}
