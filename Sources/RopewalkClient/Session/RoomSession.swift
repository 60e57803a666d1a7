import RopewalkSync

/// What a client knows of a room that it wants to be a member of.
struct RoomSession {
  /// What others shall see; kept over reconnections.
  var presence: [UInt8]?

  // Of this connection:

  var isJoined = false
  /// Everything that the relay had when the room was joined has been read.
  var isRead = false
  /// Whether it was told that the room is read and the outbox empty, since that was last not so.
  var wasCaughtUp = false
  /// Pushes that wait for an answer, and their outbox rows.
  var inFlight: [EntryHeader: Int64] = [:]
  /// Outbox rows that are not pushed again with these rights over this connection.
  var refusedRows: Set<Int64> = []
  /// Why the room cannot be joined.
  var refusal: ProtocolError?
  /// Others' presence.
  var others: [UInt64: Presence] = [:]

  /// Nothing of a connection is left when it has ended.
  mutating func disconnected() { self = RoomSession(presence: presence) }
}
