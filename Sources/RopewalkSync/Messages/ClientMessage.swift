import RopewalkCore

/// The number by which one relay process calls a room on all its connections, given in `joined`.
public struct RoomNumber: RawRepresentable, Hashable, Sendable {
  /// The number on the wire.
  public let rawValue: UInt32

  /// Wraps a number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// What a client says.
public enum ClientMessage: Hashable, Sendable {
  /// The first message of a connection.
  case hello(Hello)
  /// A new token for the connection, before the old one expires.
  case token([UInt8])
  /// Asks to become a member of a room.
  case join(Join)
  /// Gives up membership.
  case leave(RoomNumber)
  /// Offers an update for the room's log.
  case push(Push)
  /// The newest presence value of this session in a room; nil withdraws it.
  case presence(room: RoomNumber, value: [UInt8]?)
  /// Asks for a `pong` with the same number.
  case ping(UInt64)
  /// Part of a checkpoint that was asked for.
  case checkpoint(Checkpoint)
  /// What a checkpoint must be, by what was read of the log.
  case checkpointDigest(room: RoomNumber, cursor: UInt64, digest: LogDigest)
  /// The checkpoint at a cursor, asked for or announced, is not what this member has read: it must not stand.
  case objection(room: RoomNumber, cursor: UInt64)
  /// Another rule on what the relay may forget; nil asks for the one there is.
  case retention(room: RoomNumber, Retention?)

  /// Part of a checkpoint.
  public struct Checkpoint: Hashable, Sendable {
    /// The room.
    public var room: RoomNumber
    /// The last entry that the checkpoint holds.
    public var cursor: UInt64
    /// The number of the first part here, counted from 0.
    public var first: UInt64
    /// No part follows.
    public var isLast: Bool
    /// The parts, in their order.
    public var parts: [CheckpointPart]

    /// Makes a message.
    public init(room: RoomNumber, cursor: UInt64, first: UInt64, isLast: Bool, parts: [CheckpointPart]) {
      self.room = room
      self.cursor = cursor
      self.first = first
      self.isLast = isLast
      self.parts = parts
    }
  }

  /// Introduces a client.
  public struct Hello: Hashable, Sendable {
    /// The versions the client speaks.
    public var versions: ClosedRange<UInt32>
    /// The optional parts it knows.
    public var features: Features
    /// The compression it can read.
    public var codecs: Codecs
    /// The token, empty for none.
    public var token: [UInt8]
    /// Name and version of the program, UTF-8, for the relay's logs; at most 64 bytes.
    public var agent: [UInt8]
    /// What tells this client from others without a token, in every connection: 16 to 32 random bytes that it
    /// keeps and that nobody else knows; empty for none.
    public var identity: [UInt8]

    /// Makes a hello of this library's version.
    public init(
      versions: ClosedRange<UInt32> = WireProtocol.versions, features: Features = .all, codecs: Codecs,
      token: [UInt8], agent: [UInt8] = [], identity: [UInt8] = []
    ) {
      self.identity = identity
      self.versions = versions
      self.features = features
      self.codecs = codecs
      self.token = token
      self.agent = agent
    }
  }

  /// Asks to become a member of a room, and says what is held of its log.
  public struct Join: Hashable, Sendable {
    /// The room.
    public var room: RoomName
    /// The last entry that is held, 0 for none.
    public var cursor: UInt64
    /// The log's digest at that cursor.
    public var digest: LogDigest

    /// Makes a request.
    public init(room: RoomName, cursor: UInt64, digest: LogDigest) {
      self.room = room
      self.cursor = cursor
      self.digest = digest
    }
  }

  /// Offers an update.
  public struct Push: Hashable, Sendable {
    /// The room.
    public var room: RoomNumber
    /// Names this push in the answer; the client counts per connection.
    public var number: UInt64
    /// How many refusals but `overtaken` the client has received since it joined the room.
    public var refusalsSeen: UInt64
    /// What it carries.
    public var header: EntryHeader
    /// The update.
    public var payload: [UInt8]

    /// Makes a push.
    public init(
      room: RoomNumber, number: UInt64, refusalsSeen: UInt64 = 0, header: EntryHeader, payload: [UInt8]
    ) {
      self.room = room
      self.number = number
      self.refusalsSeen = refusalsSeen
      self.header = header
      self.payload = payload
    }
  }
}
