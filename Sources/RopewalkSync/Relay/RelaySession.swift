import RopewalkCore

/// The relay's end of one connection: greeting, rights, budgets and limits; what concerns a room is handed
/// on.
///
/// The caller performs the effects in order. `now` is the relay's clock in milliseconds since 1970, and
/// must never go back.
public struct RelaySession: Sendable {
  /// What a session goes by.
  public struct Configuration: Sendable {
    /// The limits in the welcome.
    public var limits: Limits
    /// The compression that the relay can make.
    public var codecs: Codecs
    /// How long a connection may take to say hello and be verified, in milliseconds.
    public var patience: UInt64
    /// The largest hello, in bytes.
    public var largestHello: Int

    /// Makes a configuration.
    public init(
      limits: Limits = Limits(), codecs: Codecs = [.zstd], patience: UInt64 = 10_000,
      largestHello: Int = 20_000
    ) {
      self.limits = limits
      self.codecs = codecs
      self.patience = patience
      self.largestHello = largestHello
    }
  }

  /// What the caller does, in order.
  public enum Effect: Hashable, Sendable {
    /// Send one message, in an envelope.
    case send([UInt8])
    /// Check a token, and call `verified` or `rejected`. An empty token is none.
    case verify(token: [UInt8])
    /// Find the room's number, call `entered`, and hand the join to the room.
    case join(ClientMessage.Join, owner: Owner, role: Role)
    /// Hand on that the session leaves a room.
    case leave(RoomNumber)
    /// Hand on that the session may do more or less in a room from now on.
    case role(RoomNumber, Role)
    /// Hand a push to its room, which answers it in its turn. With a refusal it only counts as that: its payload
    /// is gone.
    case push(ClientMessage.Push, Refusal?)
    /// Hand part of a checkpoint to its room.
    case checkpoint(ClientMessage.Checkpoint)
    /// Hand a checkpoint's digest to its room.
    case checkpointDigest(RoomNumber, cursor: UInt64, digest: LogDigest)
    /// Hand an objection to a checkpoint to its room.
    case objection(RoomNumber, cursor: UInt64)
    /// Hand a rule on what may be forgotten, or the question for it, to its room.
    case retention(RoomNumber, Retention?)
    /// Hand a presence value to its room.
    case presence(RoomNumber, value: [UInt8]?)
    /// Count a refusal of a join (with the room) or of anything else; the client was told, or need not be.
    case refused(RoomName?, ErrorCode)
    /// Close the WebSocket with `error.code.closeCode` after what was sent; take the session out of its rooms
    /// (`takeRooms`). An error message was sent before.
    case close(ProtocolError)
  }

  /// Where a session stands.
  public enum State: Hashable, Sendable {
    /// Nothing was said yet.
    case awaitingHello
    /// The token is being checked.
    case verifying
    /// Rooms can be joined.
    case open
    /// Over.
    case closed
  }

  struct Membership: Sendable {
    let room: RoomName
    var role: Role
  }

  /// Names the session, uniquely among the relay's.
  public let id: UInt64
  let configuration: Configuration
  /// Where the session stands.
  public internal(set) var state = State.awaitingHello
  /// Who is there and what the token allows; nil before it was verified.
  public internal(set) var access: Access?
  /// The compression that was agreed on.
  public internal(set) var codecs: Codecs = []
  /// The optional parts that were agreed on.
  public internal(set) var features: Features = []
  var hello: ClientMessage.Hello?
  /// Whose the replica ids are that the session is the first to push under; nil before the token was verified.
  public internal(set) var owner: Owner?
  var isRefreshing = false
  var rooms: [RoomNumber: Membership] = [:]
  var entering: [RoomName: Role] = [:]
  var unanswered = 0
  var unansweredBytes = 0
  var budget: PushBudget
  var flood: FloodBudget
  let begun: UInt64
  var lastHeard: UInt64

  /// A session for a connection that was accepted.
  public init(id: UInt64, configuration: Configuration, now: UInt64) {
    self.id = id
    self.configuration = configuration
    begun = now
    lastHeard = now
    budget = PushBudget(limits: configuration.limits, now: now)
    flood = FloodBudget(limits: configuration.limits, now: now)
  }

  /// The peer gave a sign of life other than a message (a WebSocket ping or pong). Too many of them end the
  /// connection.
  public mutating func heard(now: UInt64) -> [Effect] {
    lastHeard = now
    return received(frameOf: 0, now: now)
  }

  /// A part of a message came, which is no sign of life: a message must be complete before the silence has
  /// gone by.
  public mutating func received(frameOf bytes: Int, now: UInt64) -> [Effect] {
    guard state != .closed, case .hopeless(let wait) = flood.charge(bytes: bytes, now: now) else { return [] }
    return close(overload(wait))
  }

  /// The room's number, right after `Effect.join`.
  public mutating func entered(_ room: RoomName, as number: RoomNumber) {
    guard let role = entering.removeValue(forKey: room) else { return }
    rooms[number] = Membership(room: room, role: role)
  }

  /// A room has removed the session.
  public mutating func left(_ room: RoomNumber) { rooms[room] = nil }

  /// A room has answered pushes.
  public mutating func answered(pushes: Int, bytes: Int) {
    unanswered -= pushes
    unansweredBytes -= bytes
  }

  /// The rooms that must be told that the session is gone; it forgets them.
  public mutating func takeRooms() -> [RoomNumber] {
    let numbers = rooms.keys.sorted { $0.rawValue < $1.rawValue }
    rooms = [:]
    entering = [:]
    state = .closed
    return numbers
  }

  /// The relay ends the connection.
  public mutating func close(_ error: ProtocolError) -> [Effect] {
    guard state != .closed else { return [] }
    state = .closed
    return [.send(RelayMessage.error(room: nil, error).encoded), .close(error)]
  }

  func overload(_ wait: UInt32) -> ProtocolError {
    ProtocolError(
      .overloaded, retry: .after(milliseconds: max(1000, wait)), "More is sent than the relay allows.")
  }

  /// When `tick` must be called next; nil for not at all.
  public var nextDeadline: UInt64? {
    switch state {
    case .closed: nil
    case .awaitingHello, .verifying: begun + configuration.patience
    case .open: min(lastHeard + UInt64(configuration.limits.silence), access?.expires ?? .max)
    }
  }

  /// Lets time pass: a connection that is slow to greet, silent, or whose token has expired is closed.
  public mutating func tick(now: UInt64) -> [Effect] {
    guard let deadline = nextDeadline, deadline <= now else { return [] }
    if let expires = access?.expires, expires <= now {
      return close(ProtocolError(.tokenExpired, "The token has expired: connect with a new one."))
    }
    return close(
      ProtocolError(.timedOut, retry: .after(milliseconds: 0), "Nothing was heard for too long."))
  }
}
