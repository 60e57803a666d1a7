import RopewalkCore

extension ClientSession {
  /// What the caller does, in order, before it hands in the next message.
  public enum Effect: Hashable, Sendable {
    /// Send one message, in an envelope, as one binary WebSocket message.
    case send([UInt8])

    /// The relay has said welcome. Nothing must be done; rooms that were asked for are being joined.
    case welcomed(RelayMessage.Welcome)

    /// The room is joined. Show it. `isRestart` is followed by `restart`.
    case joined(RelayMessage.Joined)

    /// The room's log is not the one that was stored. In one transaction: set the room's cursor to 0 and
    /// its digest to zero, mark the room *needs offer*, and forget which coverage the old log had. Keep
    /// every document and the outbox. Entries from 1 on follow; `caughtUp` opens pushes.
    case restart(RoomName)

    /// The next entries of a room's log. In one transaction: apply the payloads, note which spans the log
    /// now holds (the outbox row with just this header goes: it is in the log), and store `cursor` and
    /// `digest`. If that fails, drop the connection and join again from what is stored.
    ///
    /// Every member gets every entry, its own as well; what is known already merges to nothing.
    case deliver(room: RoomName, entries: [LogEntry], cursor: UInt64, digest: LogDigest)

    /// The whole history that the log held up to `batch.head`, in place of the entries up to there; in
    /// several batches. In one transaction each: merge the parts, note their spans as held by the log, and
    /// drop the outbox rows that they cover. With the last one store the cursor and the digest in
    /// `batch.head`. A first batch (`first` 0) may come again.
    case checkpoint(room: RoomName, CheckpointBatch)

    /// The relay asks for a checkpoint at a cursor that the replica has: answer by `sendCheckpoint`, or by
    /// `sendCheckpointDigest` if it is not wanted whole; or not at all, if the replica cannot make one. The relay waits
    /// for the answer, for a while.
    case checkpointWanted(room: RoomName, cursor: UInt64, isWhole: Bool)

    /// Members have confirmed a checkpoint whose parts have this digest, at a cursor that the replica has. Whose own
    /// digest there is another one answers by `sendObjection`: entries will be forgotten for that checkpoint.
    case checkpointAnnounced(room: RoomName, cursor: UInt64, digest: LogDigest)

    /// What the relay may forget of a room's log, and has forgotten; answers `requestRetention`.
    case retention(room: RoomName, RelayMessage.Retention)

    /// The replica has the whole log up to now; what follows is live, and pushes are open. A room that *needs offer*
    /// now puts
    /// into its outbox every span that it has and the log does not hold, and clears the mark, in one
    /// transaction.
    case caughtUp(room: RoomName, cursor: UInt64)

    /// The window has room: call `push` with the oldest outbox entries that are not in flight, while
    /// `canPush` allows. An entry goes after all that its events follow: those are in the log as it was read,
    /// acknowledged, or were pushed before it in this membership and are not refused.
    case pushReady(RoomName)

    /// The push is durable at the relay: the receipt is *at the relay*. Keep the outbox row, marked as
    /// acknowledged, until its entry arrives by `deliver`, and push it again in a later session if it has
    /// not arrived by then: should the relay's log be put back to before this cursor, while the own cursor
    /// is still before that, nothing else would tell that the log lacks it. This alone never moves the
    /// room's stored cursor.
    case acknowledged(room: RoomName, header: EntryHeader, cursor: UInt64)

    /// The push was not taken.
    /// Whatever the reason, rows that were pushed after this one are not taken either: `overtaken` comes for
    /// them. Nothing of what follows events that were refused, directly or not, is pushed before those are in
    /// the log.
    /// - `covered`: hold back this replica's outbox rows until the log was applied up to the cursor
    /// `through`. If that
    /// went without a clash, replace the row by rows for the missing ranges (`TextDocument.update(of:)`),
    /// none if there
    /// are none. The row itself must stay until then: a crash in between only means that it is refused
    /// again.
    /// - `idClash`: hold back this replica's outbox rows until the log was applied up to that cursor. Where
    /// `apply`
    ///   throws `idClash`, re-author the own events from there on; where it does not, the row may go.
    /// - `ownedByAnother`: re-author the events from there on, with all that depends on them, and push those.
    /// - `overtaken`: keep the row and push it again in its turn.
    /// - `forbidden`, `tooLarge`: keep the row, tell the person, and do not push it again in this session.
    /// - `overloaded`: keep the row and push it again; `pushReady` comes when it is time.
    case refused(room: RoomName, header: EntryHeader, Refusal)

    /// Others' presence. `isComplete`: sessions that are not named have none. Never names this session.
    case presence(room: RoomName, isComplete: Bool, [RelayMessage.PresenceValue])

    /// The rights in the room changed.
    case roleChanged(room: RoomName, Role)

    /// The new token holds until then (milliseconds since 1970 by the relay's clock; nil for ever).
    case tokenAccepted(expires: UInt64?)

    /// Membership has ended, or was not granted. `error.retry` says whether joining again makes sense.
    case left(RoomName, ProtocolError)

    /// Close the WebSocket, with `error.code.closeCode`; the session is over. `error.retry` says whether
    /// connecting again makes sense without a change, and when at the earliest.
    case close(ProtocolError)
  }

  /// What a session knows of a room.
  struct Membership: Sendable {
    /// Nil until the relay has answered.
    var number: RoomNumber?
    /// The room was left and joined again before the relay had answered the first join.
    var isDeferred = false
    var role = Role.view
    var cursor: UInt64
    var digest: LogDigest
    /// Refusals so far, other than `overtaken`.
    var refusals: UInt64 = 0
    /// The log has been read to its end.
    var isRead = false
    /// The next part of a checkpoint.
    var nextPart: UInt64 = 0
    /// Nothing is pushed before this moment.
    var heldUntil: UInt64 = 0
    var presence = OwnPresence()

    init(cursor: UInt64, digest: LogDigest) {
      self.cursor = cursor
      self.digest = digest
    }
  }

  /// The newest presence value, and when it was last told.
  struct OwnPresence: Sendable {
    var value: [UInt8]?
    var isDirty = false
    var sentAt: UInt64?
  }

  /// A push that waits for its answer.
  struct InFlight: Sendable {
    let room: RoomName
    let header: EntryHeader
    let bytes: Int
  }
}
