import RopewalkCore
import RopewalkReplica
import RopewalkSync

/// How a client connects again and watches its file. The defaults are right for applications.
public struct ClientOptions: Sendable {
  /// Name and version of the program, for the relay's logs; at most 64 bytes.
  public var agent = "ropewalk"
  /// A file of PEM certificates that are trusted beside the system's, for a relay whose certificate no public
  /// authority has signed; only used with `wss://`.
  public var trustFile: String?
  /// How long to wait for a connection to be made, in milliseconds.
  public var connectTimeout: UInt64 = 10_000
  /// The first pause before connecting again, in milliseconds; each further one is twice as long, and a
  /// random part of it is waited.
  public var firstPause: UInt64 = 200
  /// The longest pause, in milliseconds. As long do others get to push their own events, which this file has too, before
  /// this client does so under other ids.
  public var longestPause: UInt64 = 30_000
  /// How often to look whether another process wrote into the file, in milliseconds. Looks become rarer, down to a
  /// twentieth, while none writes.
  public var watchInterval: UInt64 = 50
  /// How rooms take turns where the relay allows fewer on one connection.
  var pace = RoomRotation.Pace.live
  /// The largest update that is sent, in bytes, where the relay allows it.
  public var largestUpdate = 256 * 1024
  /// Supplies tokens on demand. Asked before the first connection if the client was given none, in good time
  /// before the one in use expires, after the relay refused it, and while something is refused that another
  /// token may allow. One question at a time; where the answer is no other token, or an error, which is told
  /// as `ClientEvent.tokenUnavailable`, the next one comes after a pause that doubles up to `longestPause`.
  /// Cancelled by `disconnect` and `close`. Nil and the token in use mean that there is no other one.
  public var token: (@Sendable (TokenReason) async throws -> String?)?
  /// A clock that never goes back, in milliseconds.
  public var now: @Sendable () -> UInt64 = {
    let parts = ClientOptions.start.duration(to: .now).components
    return UInt64(max(0, parts.seconds)) * 1000 + UInt64(max(0, parts.attoseconds)) / 1_000_000_000_000_000
  }
  /// Waits for so many milliseconds of that clock; throws when cancelled.
  public var sleep: @Sendable (UInt64) async throws -> Void = {
    try await Task.sleep(for: .milliseconds($0))
  }
  /// A random number from 0 to 1.
  public var random: @Sendable () -> Double = { Double.random(in: 0...1) }
  /// Lets the client do something else before it takes in the next slice of what has come.
  var betweenSlices: @Sendable () async -> Void = { await Task.yield() }

  private static let start = ContinuousClock.now

  /// The defaults.
  public init() {}
}

/// Why another token is asked for (`ClientOptions.token`).
public enum TokenReason: Hashable, Sendable {
  /// There is none yet.
  case first
  /// The relay will not take the one in use any more after so many milliseconds.
  case expiring(milliseconds: UInt64)
  /// The relay refuses it: it does not hold, has expired, or was revoked.
  case refused(ProtocolError)
  /// It does not allow what is wanted in this room: to join it, or to send what was edited.
  case forbidden(RoomName)
}

/// Why a client could not do what it was asked to.
public enum ClientError: Error, Hashable, Sendable {
  /// The relay's address is neither `wss://host:port/path` nor `ws://host:port/path`.
  case invalidAddress
  /// A room's name breaks the rule of `RoomName`.
  case invalidRoomName
  /// The relay cannot be reached: what the system says.
  case unreachable(String)
  /// The other side speaks HTTP but is no relay, or broke the rules of WebSocket.
  case notARelay(String)
  /// The relay's certificate cannot be trusted: why.
  case untrusted(String)
  /// `ClientOptions.trustFile` cannot be read, or holds no PEM certificate or a damaged one; `reason` says
  /// what and where.
  case trustFileUnusable(path: String, reason: String)
  /// The connection was lost.
  case connectionLost
  /// The relay refuses the connection, or one room.
  case refused(room: RoomName?, ProtocolError)
  /// All else was exchanged, but events in the room are not at the relay, and do not get there unless
  /// something changes. `Replica.refused` names them.
  case pushRefused(room: RoomName, RefusedEvents.Reason)
  /// `ClientOptions.token` failed: what its error says of itself.
  case tokenUnavailable(String)
  /// The replica failed.
  case replica(ReplicaError)
  /// The client was closed or disconnected meanwhile.
  case closed
  /// A presence value has more bytes than `Client.largestPresence`.
  case presenceTooLarge(byteCount: Int, limit: Int)
  /// The task that waited was cancelled.
  case cancelled
}

/// What the relay refuses in one room.
public struct RoomRefusal: Hashable, Sendable {
  /// What is refused, and why.
  public enum Reason: Hashable, Sendable {
    /// The room cannot be joined.
    case room(ProtocolError)
    /// So many events that are on this device only. `Replica.refused` names them.
    case events(RefusedEvents.Reason, count: Int)
  }

  /// The room.
  public var room: RoomName
  /// What is refused, and why.
  public var reason: Reason
}

/// What a connection is doing.
public enum ConnectionState: Hashable, Sendable {
  /// Not connected. With a reason: it was, or tried to be, and will try again; without: nobody has asked for
  /// it.
  case offline(ClientError?)
  /// Being made.
  case connecting
  /// Made; reading the logs and pushing.
  case online
  /// The logs of all rooms that were joined are read, and everything that was edited in them is in them. Where rooms take
  /// turns (`Client.join`), those that wait were read at their last turn.
  case caughtUp
  /// As `caughtUp`, but for this, by room. What was refused is kept in the replica, and goes through by itself
  /// when the relay allows it: with another token, another role, or other limits.
  case partlyRefused([RoomRefusal])
  /// The relay refuses the connection; no further attempt is made until `connect` or another token.
  case refused(ProtocolError)
}

/// Something that happened to a client.
public enum ClientEvent: Hashable, Sendable {
  /// The connection's state changed.
  case state(ConnectionState)
  /// The room is joined, with this role: below `edit`, what is edited stays on this device.
  case joined(RoomName, Role)
  /// The rights in a room that was joined are others now.
  case roleChanged(RoomName, Role)
  /// The room cannot be joined, or membership ended.
  case left(RoomName, ProtocolError)
  /// The relay is overloaded, and refuses to join a room, or a request about it, for the time that the error names. The
  /// client then tries again.
  case putOff(RoomName, ProtocolError)
  /// Others changed a document; the replica has it already.
  case changed(DocumentChange)
  /// Events are durable at the relay.
  case acknowledged(RoomName, EntryHeader, cursor: UInt64)
  /// These events are not at the relay, and do not get there unless something changes; they are kept. Told
  /// when it happens, and of what is kept from before, whenever the room is joined.
  case pushRefused(RefusedEvents)
  /// The relay allows fewer bytes than a presence value has that was set before it said so: others do not see it.
  case presenceTooLarge(RoomName, byteCount: Int, limit: Int)
  /// `ClientOptions.token` failed, and is asked again later: what its error says of itself.
  case tokenUnavailable(String)
  /// The room's log is read to its end and the outbox is empty.
  case caughtUp(RoomName)
  /// The room's log began anew; what it lacks is offered.
  case restarted(RoomName)
  /// The room has documents of this name that began otherwise: `ReplicaDocument.adoptRoomLineage` is a way
  /// out.
  case lineageClash(RoomName, DocumentName)
  /// An entry of the log could not be merged, and is kept aside in the file.
  case entryHeld(RoomName, cursor: UInt64)
  /// An entry of the log follows events that the log does not have, and waits for them: whoever pushed it breaks the
  /// protocol. `Replica.held` names it as long as it waits.
  case entryWaits(RoomName, cursor: UInt64)
  /// Unsent events have another id than they had, since somebody else uses theirs in the room. They go on to the relay
  /// under that.
  case reauthored(ReauthoredEvents)
  /// Some unsent events were written by somebody else: they came from a file, or from a log that is gone. The client
  /// leaves it to their author to push them for up to `milliseconds`, and then pushes them under another id.
  case waitsForAuthor(RoomName, milliseconds: UInt64)
  /// The relay announced a checkpoint at this cursor that is not what was read of the log here: others have confirmed what
  /// is not so. This client has objected, and nothing is forgotten for it.
  case checkpointObjected(RoomName, cursor: UInt64)
}

/// What another session shows of itself.
public struct Presence: Hashable, Sendable {
  /// Names the session at the relay.
  public var session: UInt64
  /// Who it is, by the relay's word.
  public var subject: String
  /// The value.
  public var value: [UInt8]
}

extension ClientError: CustomStringConvertible {
  /// A sentence for people.
  public var description: String {
    switch self {
    case .invalidAddress: "a relay's address looks like wss://host/sync or ws://host:port/sync"
    case .invalidRoomName:
      "a room name has 1 to 128 bytes of UTF-8, no control characters, separators of lines and characters that turn the direction "
        + "of writing, and no * at its end"
    case .unreachable(let reason): "the relay cannot be reached: \(reason)"
    case .notARelay(let reason): "this is no relay: \(reason)"
    case .untrusted(let reason): "the relay's certificate cannot be trusted: \(reason)"
    case .trustFileUnusable(let path, let reason): "\(path) cannot be trusted: \(reason)"
    case .connectionLost: "the connection was lost"
    case .refused(nil, let error): "the relay refuses the connection: \(error.text)"
    case .refused(let room?, let error): "the relay refuses the room \(room.text): \(error.text)"
    case .pushRefused(let room, let reason):
      "changes in the room \(room.text) are not at the relay: \(reason)"
    case .tokenUnavailable(let reason): "there is no token: \(reason)"
    case .replica(let error): error.description
    case .closed: "the client was disconnected"
    case .presenceTooLarge(let count, let limit):
      "a presence value has at most \(limit) bytes at this relay; this one has \(count)"
    case .cancelled: "the exchange was cancelled"
    }
  }
}

extension RoomRefusal: CustomStringConvertible {
  /// A sentence for people.
  public var description: String {
    switch reason {
    case .room(let error): "the relay refuses the room \(room.text): \(error.text)"
    case .events(let reason, let count):
      "\(count) \(count == 1 ? "event" : "events") in the room \(room.text) \(count == 1 ? "is" : "are") not at the "
        + "relay: \(reason)"
    }
  }
}

extension RoomRefusal {
  /// What is refused of a room's outbox, a refusal for each reason.
  static func all(_ refused: [RefusedEvents], in room: RoomName) -> [RoomRefusal] {
    RefusedEvents.Reason.allCases.compactMap { reason in
      let count = refused.reduce(0) { $1.reason == reason ? $0 + $1.eventCount : $0 }
      return count == 0 ? nil : RoomRefusal(room: room, reason: .events(reason, count: count))
    }
  }

  /// What somebody is told who waited for an exchange.
  var error: ClientError {
    switch reason {
    case .room(let error): .refused(room: room, error)
    case .events(let reason, _): .pushRefused(room: room, reason)
    }
  }

  /// Whether another token may help, in which room.
  var lacksRights: Bool {
    switch reason {
    case .room(let error): error.code == .forbidden
    case .events(let reason, _): reason == .forbidden
    }
  }
}
