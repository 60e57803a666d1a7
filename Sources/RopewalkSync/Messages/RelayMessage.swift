import RopewalkCore

/// What a relay says.
public enum RelayMessage: Hashable, Sendable {
  /// Answers the hello.
  case welcome(Welcome)
  /// The new token holds. `expires` in milliseconds since 1970, nil for never.
  case tokenAccepted(expires: UInt64?)
  /// The client is a member of the room.
  case joined(Joined)
  /// The next entries of a room's log.
  case entries(room: RoomNumber, [LogEntry])
  /// The member has everything up to `cursor`, where the log's digest is `digest`; what follows is live.
  case caughtUp(room: RoomNumber, cursor: UInt64, digest: LogDigest)
  /// These pushes are durable.
  case acknowledged(room: RoomNumber, [Acknowledgement])
  /// A push was not taken.
  case refused(room: RoomNumber, push: UInt64, Refusal)
  /// Presence of a room's other sessions. `isComplete`: sessions that are not named have none.
  case presence(room: RoomNumber, isComplete: Bool, [PresenceValue])
  /// The member's rights changed.
  case role(room: RoomNumber, Role)
  /// Something failed. With a room: the client is no member of it (any more). Without: the connection ends.
  case error(room: RoomName?, ProtocolError)
  /// Answers a ping.
  case pong(UInt64)
  /// Make a checkpoint at a cursor: send it whole, or only its digest.
  case checkpointWanted(room: RoomNumber, cursor: UInt64, isWhole: Bool)
  /// The history up to a cursor, in place of the entries up to there. Comes in several messages.
  case checkpoint(room: RoomNumber, CheckpointBatch)
  /// Members have confirmed a checkpoint at a cursor, whose parts have this digest: who has read the log up to there
  /// and finds another one objects.
  case checkpointAnnounced(room: RoomNumber, cursor: UInt64, digest: LogDigest)
  /// What the relay may forget, and what it has.
  case retention(Retention)

  /// What the relay may forget, and what it has.
  public struct Retention: Hashable, Sendable {
    /// The room.
    public var room: RoomNumber
    /// The rule.
    public var retention: RopewalkSync.Retention
    /// The first entry that is not forgotten.
    public var oldest: UInt64
    /// The cursor of the checkpoint in use, 0 for none.
    public var checkpoint: UInt64
    /// The cursor of the checkpoint that is announced, 0 for none.
    public var announced: UInt64
    /// When that comes into use unless somebody objects, milliseconds since 1970; 0 if none is announced, or if the rule
    /// is to keep everything.
    public var usable: UInt64

    /// Makes a message.
    public init(
      room: RoomNumber, retention: RopewalkSync.Retention, oldest: UInt64, checkpoint: UInt64,
      announced: UInt64 = 0, usable: UInt64 = 0
    ) {
      self.announced = announced
      self.usable = usable
      self.room = room
      self.retention = retention
      self.oldest = oldest
      self.checkpoint = checkpoint
    }
  }

  /// Introduces a relay.
  public struct Welcome: Hashable, Sendable {
    /// The version both speak from now on.
    public var version: UInt32
    /// The optional parts both know.
    public var features: Features
    /// How messages to the client may be compressed; empty for not at all.
    public var codecs: Codecs
    /// Names this connection in presence.
    public var session: UInt64
    /// Who the client is, by its token; UTF-8.
    public var subject: [UInt8]
    /// When the token expires, milliseconds since 1970; nil for never.
    public var expires: UInt64?
    /// The relay's clock, milliseconds since 1970.
    public var time: UInt64
    /// What the relay accepts.
    public var limits: Limits

    /// Makes a welcome.
    public init(
      version: UInt32, features: Features, codecs: Codecs, session: UInt64, subject: [UInt8],
      expires: UInt64?,
      time: UInt64, limits: Limits
    ) {
      self.version = version
      self.features = features
      self.codecs = codecs
      self.session = session
      self.subject = subject
      self.expires = expires
      self.time = time
      self.limits = limits
    }
  }

  /// Answers a join.
  public struct Joined: Hashable, Sendable {
    /// The room.
    public var room: RoomName
    /// How it is called from now on.
    public var number: RoomNumber
    /// What the member may do.
    public var role: Role
    /// The newest durable entry.
    public var head: UInt64
    /// The log is not the one the client knows: what follows begins at cursor 1.
    public var isRestart: Bool

    /// Makes an answer.
    public init(room: RoomName, number: RoomNumber, role: Role, head: UInt64, isRestart: Bool) {
      self.room = room
      self.number = number
      self.role = role
      self.head = head
      self.isRestart = isRestart
    }
  }

  /// A push that is durable.
  public struct Acknowledgement: Hashable, Sendable {
    /// The client's number of the push.
    public var push: UInt64
    /// Its place in the log.
    public var cursor: UInt64

    /// Makes an acknowledgement.
    public init(push: UInt64, cursor: UInt64) {
      self.push = push
      self.cursor = cursor
    }
  }

  /// One session's presence.
  public struct PresenceValue: Hashable, Sendable {
    /// The session.
    public var session: UInt64
    /// Who it is, by the relay's word; UTF-8.
    public var subject: [UInt8]
    /// The newest value; nil when it is withdrawn.
    public var value: [UInt8]?

    /// Makes a value.
    public init(session: UInt64, subject: [UInt8], value: [UInt8]?) {
      self.session = session
      self.subject = subject
      self.value = value
    }
  }
}

/// Why a push was not taken.
public enum Refusal: Hashable, Sendable {
  /// The log holds some of these events, cut otherwise, in entries up to the cursor `through`. Once those
  /// were applied without a clash, cut anew and push what the log lacks: the ranges `missing`, ascending.
  /// Not before: if the log's events are another's under the same id, the missing ones would be taken for
  /// theirs.
  case covered(missing: [Range<UInt32>], through: UInt64)
  /// The log holds other bytes under this header, in the entry at this cursor.
  case idClash(at: UInt64)
  /// An earlier push of the same replica and document was refused, and this one was sent before the client
  /// knew: it was not looked at, since what it follows is not in the log.
  case overtaken
  /// The role does not allow it.
  case forbidden
  /// The payload is larger than the limits allow.
  case tooLarge
  /// The log has nothing of it, and the replica id is somebody else's, who was the first to push under it: what
  /// it carries must get another id.
  case ownedByAnother
  /// Too much at once: the same push may be sent again after this many milliseconds.
  case overloaded(retryAfter: UInt32)
}
