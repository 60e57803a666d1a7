import RopewalkSync

/// What a client knows of a room that it wants to be a member of.
struct RoomSession {
  /// What others shall see; kept over reconnections.
  var presence: [UInt8]?

  /// Until when those whose ids they are may bring their events themselves, before this client gives them others.
  var carriedUntil: UInt64?

  // Of this connection, over all turns:

  /// What the relay allowed when it last said so.
  var role: Role?
  /// What is refused of its outbox was told.
  var hasToldRefused = false
  /// It was told that the relay allows fewer bytes than the presence value has.
  var hasToldPresence = false
  /// Whether it was told that the room is read and the outbox empty, since that was last not so.
  var wasCaughtUp = false
  /// Outbox rows that are not pushed again with these rights over this connection.
  var refusedRows: Set<Int64> = []
  /// Names that were reported to mean another document than in the room.
  var toldClashes: Set<DocumentName> = []

  // Of this turn:

  /// Which one this is.
  var turn: UInt64 = 0
  /// Some of what has come is not taken in yet.
  var isTakingIn = false
  /// What has come and waits for more.
  var gathering = Gathering()
  var isJoined = false
  /// Everything that the relay had when the room was joined has been read.
  var isRead = false
  /// The room's log began anew.
  var hasRestarted = false
  /// Pushes that wait for an answer.
  var inFlight: [EntryHeader: InFlight] = [:]
  var pushes = 0
  /// Outbox rows of events under ids of somebody else's, until `carriedUntil`.
  var carried: [Int64: EntryHeader] = [:]
  /// Why the room cannot be joined.
  var refusal: ProtocolError?
  /// The presence value waits until what it belongs to is at the relay.
  var holdsPresence = false
  /// Others' presence.
  var others = OthersPresence()

  /// A push that waits for an answer.
  struct InFlight {
    /// Its outbox row.
    let row: Int64
    /// Its place among the pushes to the room.
    fileprivate let number: Int
    /// It was sent after one that was refused, before that was known: it is not taken.
    fileprivate(set) var isOvertaken = false
  }

  /// Outbox rows that are on their way and are taken, as far as is known.
  var going: Set<Int64> { Set(inFlight.values.filter { !$0.isOvertaken }.map(\.row)) }
  /// Outbox rows that are not pushed now, nor taken.
  var withheld: Set<Int64> {
    refusedRows.union(inFlight.values.filter(\.isOvertaken).map(\.row)).union(carried.keys)
  }

  mutating func pushed(_ header: EntryHeader, row: Int64) {
    pushes += 1
    inFlight[header] = InFlight(row: row, number: pushes)
  }

  /// Returns the outbox row of a push that was refused.
  mutating func refused(_ header: EntryHeader, as refusal: Refusal) -> Int64? {
    guard let push = inFlight.removeValue(forKey: header) else { return nil }
    guard refusal != .overtaken else { return push.row }
    for (later, other) in inFlight where other.number > push.number { inFlight[later]?.isOvertaken = true }
    return push.row
  }

  /// Nothing of a connection is left when it has ended.
  mutating func disconnected() { self = RoomSession(presence: presence, carriedUntil: carriedUntil) }

  /// The room has left its place to another, and takes it again later over this connection.
  mutating func turnEnded() {
    let kept = self
    disconnected()
    (role, refusedRows, wasCaughtUp) = (kept.role, kept.refusedRows, kept.wasCaughtUp)
    (hasToldRefused, hasToldPresence) = (kept.hasToldRefused, kept.hasToldPresence)
    toldClashes = kept.toldClashes
  }
}
